#include "train/ctc.h"

#include <ATen/ops/ctc_loss.h>

#include <limits>

namespace litenat::train {
namespace {

using torch::Tensor;

constexpr int64_t kPadId = 1;
constexpr double kNever = -std::numeric_limits<double>::infinity();

/// [B, S] moved `by` states to the right, -inf coming in.
Tensor shifted(const Tensor& scores, int64_t by) {
  if (scores.size(1) <= by) return torch::full_like(scores, kNever);
  return torch::cat(
      {torch::full({scores.size(0), by}, kNever, scores.options()), scores.narrow(1, 0, scores.size(1) - by)}, 1);
}

/// The states of an alignment: a blank, target 0, a blank, target 1, ..., a blank: [B, 2 L + 1].
Tensor states_of(const Tensor& targets) {
  Tensor states = torch::full({targets.size(0), 2 * targets.size(1) + 1}, kCtcBlank, targets.options());
  if (targets.size(1) > 0) states.slice(1, 1, std::nullopt, 2).copy_(targets);
  return states;
}

/// [B, S] true where state s may follow state s - 2: a target that differs from the one before it.
Tensor may_skip(const Tensor& states) {
  Tensor allowed = torch::zeros(states.sizes(), states.options().dtype(torch::kBool));
  if (states.size(1) > 3)
    allowed.slice(1, 3, std::nullopt, 2)
        .copy_(states.slice(1, 3, std::nullopt, 2).ne(states.slice(1, 1, states.size(1) - 2, 2)));
  return allowed;
}

}  // namespace

Tensor ctc_loss(const Tensor& log_p, const Tensor& targets, const std::vector<int64_t>& row_lengths,
                const std::vector<int64_t>& target_lengths) {
  return at::ctc_loss(log_p.transpose(0, 1), targets, row_lengths, target_lengths, kCtcBlank, at::Reduction::None,
                      /*zero_infinity=*/true);
}

Tensor best_alignment(const Tensor& log_p, const Tensor& targets, const Tensor& row_mask, const Tensor& target_mask) {
  const torch::NoGradGuard no_grad;
  const Tensor states = states_of(targets.masked_fill(target_mask.logical_not(), kCtcBlank));
  const int64_t rows = log_p.size(1);
  const Tensor emitted = log_p.detach().gather(2, states.unsqueeze(1).expand({-1, rows, -1}));  // [B, T, S]
  const Tensor number = torch::arange(states.size(1), states.options()).unsqueeze(0);
  const Tensor no_skip = may_skip(states).logical_not();
  const Tensor stay = torch::zeros_like(states);
  Tensor best = emitted.select(1, 0).masked_fill(number > 1, kNever);
  std::vector<Tensor> moves(static_cast<size_t>(rows));  // [B, S]: states that the best path to each one moved
  for (int64_t t = 1; t < rows; ++t) {
    const Tensor from = torch::stack({best, shifted(best, 1), shifted(best, 2).masked_fill(no_skip, kNever)});
    const auto [score, move] = from.max(0);
    const Tensor inside = row_mask.select(1, t).unsqueeze(1);
    best = torch::where(inside, score + emitted.select(1, t), best);
    moves[static_cast<size_t>(t)] = torch::where(inside, move, stay);
  }
  // A path ends in the last blank or the last target.
  const Tensor last = 2 * target_mask.sum(1, /*keepdim=*/true);  // [B, 1]
  const Tensor before = (last - 1).clamp_min(0);
  Tensor state = torch::where(best.gather(1, before) > best.gather(1, last), before, last);
  std::vector<Tensor> path(static_cast<size_t>(rows));
  for (int64_t t = rows - 1; t >= 0; --t) {
    const auto i = static_cast<size_t>(t);
    path[i] = state;
    if (t > 0) state = (state - moves[i].gather(1, state)).clamp_min(0);
  }
  return states.gather(1, torch::cat(path, 1)).masked_fill(row_mask.logical_not(), kPadId);
}

}  // namespace litenat::train
