// One batch of sentences as tensors.
#pragma once

#include <cstdint>

#include "nn/torch.h"

namespace litenat::train {

/// B sentences of at most T rows. N counts the rows that have a target (units, tokens: every row; keys: the first key
/// of each syllable), sentence after sentence.
struct Batch {
  torch::Tensor ids;          // [B, T] int64, <pad> at padding
  torch::Tensor mask;         // [B, T] bool, true at rows of sentences
  torch::Tensor rows;         // [N] int64: b * T + t
  torch::Tensor inputs;       // [N] int64: what was typed there (the unit; input = tokens: the token)
  torch::Tensor targets;      // [N] int64
  torch::Tensor target_mask;  // [B, L] bool: sentence b has so many targets (L: the most)
  torch::Tensor syllables;    // [N] int64, undefined for input = tokens
  torch::Tensor key_rows;     // [M] int64: every row of a sentence; undefined unless input = keys
  torch::Tensor boundaries;   // [M] float: 1 where a syllable begins

  int64_t num_sentences = 0;
  int64_t num_targets = 0;
  int64_t num_rows = 0;
  int64_t epoch = 0;
  int64_t index = 0;  // in the epoch

  /// Copies to `device`, without waiting where the memory is pinned.
  Batch to(const torch::Device& device) const;
  /// In page-locked memory, from which copies to a GPU run beside computation.
  Batch pinned() const;
};

}  // namespace litenat::train
