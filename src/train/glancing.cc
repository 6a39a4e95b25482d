#include "train/glancing.h"

namespace litenat::train {

using torch::Tensor;

namespace {

/// Positions of each sentence at which the prediction is not the target: [B, 1] double.
Tensor wrong_counts(const Tensor& predicted, const Tensor& golds, const Tensor& mask) {
  return predicted.ne(golds).logical_and(mask).sum(1, /*keepdim=*/true).to(torch::kFloat64);
}

}  // namespace

Tensor choose_shown(const Tensor& predicted, const Tensor& golds, const Tensor& mask, const Tensor& noise,
                    double share) {
  const Tensor count = (wrong_counts(predicted, golds, mask) * share).floor();
  const Tensor draws = noise.masked_fill(mask.logical_not(), 2);  // padding comes last
  // The place of each position in the order of the draws: the inverse of the sorting permutation.
  const Tensor place = draws.argsort(/*stable=*/true, /*dim=*/1, /*descending=*/false).argsort(int64_t{1}, false);
  return place.lt(count).logical_and(mask);
}

Tensor choose_shown_rows(const Tensor& predicted, const Tensor& alignment, const Tensor& mask, const Tensor& noise,
                         double share) {
  const Tensor length = mask.sum(1, /*keepdim=*/true).clamp_min(1).to(torch::kFloat64);
  const Tensor probability = wrong_counts(predicted, alignment, mask) / length * share;
  return noise.to(torch::kFloat64).lt(probability).logical_and(mask);
}

}  // namespace litenat::train
