// Connectionist temporal classification with <unk> as the blank (Graves et al. 2006).
#pragma once

#include <cstdint>
#include <vector>

#include "nn/torch.h"

namespace litenat::train {

constexpr int64_t kCtcBlank = 3;

/// -ln p of each sentence [B], summed over all alignments; 0 where no alignment exists (fewer rows than the targets
/// and the blanks between equal neighbours). log_p [B, T, V] fp32, targets [B, L] int64 (anything beyond a sentence's
/// targets), lengths on the host.
torch::Tensor ctc_loss(const torch::Tensor& log_p, const torch::Tensor& targets,
                       const std::vector<int64_t>& row_lengths, const std::vector<int64_t>& target_lengths);

/// The likeliest alignment: the token of each row [B, T], blanks included; <pad> beyond a sentence's rows. Where none
/// exists the tokens are some tokens of the sentence. `row_mask` [B, T] and `target_mask` [B, L] bool.
torch::Tensor best_alignment(const torch::Tensor& log_p, const torch::Tensor& targets, const torch::Tensor& row_mask,
                             const torch::Tensor& target_mask);

}  // namespace litenat::train
