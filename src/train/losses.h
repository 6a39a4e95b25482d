// The parts that objectives share.
#pragma once

#include <algorithm>
#include <cstdint>

#include "nn/candidate_loss.h"
#include "nn/torch.h"
#include "train/objective_spec.h"

namespace litenat::train {

/// Cross entropy of logits [N, V] with targets [N], summed, smoothed; sums run in fp32 at least. `weights` [N] (may be
/// undefined) multiplies every row's share of all three sums.
nn::CandidateLoss smoothed_cross_entropy(const torch::Tensor& logits, const torch::Tensor& targets, double smoothing,
                                         SmoothingVariant variant, const torch::Tensor& weights = {});

/// Rows of states [B, T, D] -> [N, D].
inline torch::Tensor rows_of(const torch::Tensor& states, const torch::Tensor& rows) {
  return states.reshape({-1, states.size(-1)}).index_select(0, rows);
}

/// What a sum over `count` things is multiplied by to be weight times their mean.
inline double share(double weight, int64_t count) { return weight / static_cast<double>(std::max<int64_t>(1, count)); }

}  // namespace litenat::train
