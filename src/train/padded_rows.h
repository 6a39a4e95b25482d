// Sentences that are packed one after the other, as padded tensors.
#pragma once

#include <cstdint>
#include <string>

#include "base/span.h"
#include "base/status.h"
#include "nn/torch.h"

namespace litenat::train {

struct PaddedRows {
  torch::Tensor ids, mask;  // [B, T] int64 (<pad> at padding), bool
  torch::Tensor rows;       // [sum of lengths] int64: b * T + t
};

/// On the CPU. The lengths add up to ids.size().
PaddedRows pad_rows(Span<const int32_t> ids, Span<const int32_t> lengths);

/// Whether every length is at least 1 and (max_length > 0) at most `max_length`, they add up to the ids, and every id
/// is in [0, vocabulary).
Status check_rows(Span<const int32_t> ids, Span<const int32_t> lengths, int64_t vocabulary, int64_t max_length);

}  // namespace litenat::train
