#include "train/losses.h"

namespace litenat::train {

using torch::Tensor;

nn::CandidateLoss smoothed_cross_entropy(const Tensor& logits, const Tensor& targets, double smoothing,
                                         SmoothingVariant variant, const Tensor& weights) {
  const Tensor wide = logits.scalar_type() == torch::kFloat64 ? logits : logits.to(torch::kFloat32);
  const Tensor log_p = torch::log_softmax(wide, 1);
  const auto sum = [&weights](const Tensor& of_rows) {
    return weights.defined() ? (of_rows * weights).sum() : of_rows.sum();
  };
  const Tensor nll = -sum(log_p.gather(1, targets.unsqueeze(1)).squeeze(1));
  const Tensor correct = sum(wide.detach().argmax(1).eq(targets));
  if (smoothing == 0) return {nll, nll.detach(), correct};
  const double size = static_cast<double>(logits.size(1));
  const bool uniform = variant == SmoothingVariant::kUniform;
  const double each = uniform ? smoothing / size : smoothing / std::max(1.0, size - 1);
  const double gold = uniform ? 1 - smoothing : 1 - smoothing - each;
  const Tensor all = weights.defined() ? sum(log_p.sum(1)) : log_p.sum();
  return {gold * nll - each * all, nll.detach(), correct};
}

}  // namespace litenat::train
