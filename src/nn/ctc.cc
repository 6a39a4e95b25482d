#include "nn/ctc.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace litenat::nn {
namespace {

using torch::Tensor;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int64_t kPadId = 1;

void check(const CtcBatch& batch) {
  const auto type = batch.log_probs.scalar_type();
  TORCH_CHECK(batch.log_probs.dim() == 3 && (type == torch::kFloat || type == torch::kDouble),
              "ctc: log_probs must be fp32 or fp64 [B, T, V], found ", type, " ", batch.log_probs.sizes());
  const int64_t sentences = batch.log_probs.size(0);
  TORCH_CHECK(batch.targets.dim() == 2 && batch.targets.size(0) == sentences, "ctc: targets must be [", sentences,
              ", L], found ", batch.targets.sizes());
  for (const Tensor& lengths : {batch.lengths, batch.target_lengths})
    TORCH_CHECK(lengths.dim() == 1 && lengths.size(0) == sentences && lengths.scalar_type() == torch::kLong,
                "ctc: lengths must be int64 [", sentences, "], found ", lengths.scalar_type(), " ", lengths.sizes());
}

/// What the states of the lattice say: blank, y_0, blank, y_1, ..., blank [B, 2 L + 1].
Tensor states_of(const CtcBatch& batch) {
  const int64_t sentences = batch.targets.size(0), tokens = batch.targets.size(1);
  Tensor states = at::full({sentences, 2 * tokens + 1}, batch.blank, batch.targets.options());
  // Beyond a target's end there may be anything; such states are never part of a path, but they are looked up.
  const Tensor inside = at::arange(tokens, batch.targets.options()).unsqueeze(0) < batch.target_lengths.unsqueeze(1);
  states.slice(1, 1, 2 * tokens, 2).copy_(batch.targets.masked_fill(inside.logical_not(), batch.blank));
  return states;
}

/// x [B, N] moved `by` states to the right, `filler` before.
Tensor shifted(const Tensor& x, int64_t by, const Tensor& filler) {
  const int64_t kept = std::max<int64_t>(0, x.size(1) - by);
  return at::cat({filler.narrow(1, 0, x.size(1) - kept), x.narrow(1, 0, kept)}, 1);
}

/// The best paths' recursion: for each row, how many states back (0, 1, 2) the best path to each state comes from.
struct Lattice {
  std::vector<Tensor> steps;  // T - 1 of [B, N] int64
  Tensor best;                // [B, N] ln p of the best path to each state in a sentence's last row
};

Lattice run_lattice(const CtcBatch& batch, const Tensor& states) {
  const Tensor emissions = batch.log_probs.gather(2, states.unsqueeze(1).expand({-1, batch.log_probs.size(1), -1}));
  const Tensor never = at::full_like(emissions.select(1, 0), -kInfinity);  // [B, N]
  // Over a blank one may jump from a token to another one, not to the same.
  const Tensor same = states.eq(shifted(states, 2, states)).logical_or(states.eq(batch.blank));
  Lattice lattice;
  lattice.best = never.clone();
  const int64_t starts = std::min<int64_t>(2, states.size(1));
  lattice.best.narrow(1, 0, starts).copy_(emissions.select(1, 0).narrow(1, 0, starts));
  for (int64_t t = 1; t < emissions.size(1); ++t) {
    const Tensor jump = shifted(lattice.best, 2, never).masked_fill(same, -kInfinity);
    const auto [best, step] = at::stack({lattice.best, shifted(lattice.best, 1, never), jump}).max(0);
    const Tensor inside = (batch.lengths > t).unsqueeze(1);
    lattice.best = at::where(inside, best + emissions.select(1, t), lattice.best);
    lattice.steps.push_back(step * inside);
  }
  return lattice;
}

/// The state [B, 1] in which the best path ends, and its score [B]: the last token or the blank after it.
std::pair<Tensor, Tensor> best_end(const CtcBatch& batch, const Tensor& best) {
  const Tensor blank_end = (2 * batch.target_lengths).unsqueeze(1);  // [B, 1]
  const Tensor token_end = (blank_end - 1).clamp_min(0);
  const Tensor by_blank = best.gather(1, blank_end), by_token = best.gather(1, token_end);
  const Tensor score = at::maximum(by_blank, by_token);
  return {at::where(by_token >= by_blank, token_end, blank_end), score.squeeze(1)};
}

/// The state of each row [B, T].
Tensor trace_back(const Lattice& lattice, const Tensor& end) {
  std::vector<Tensor> rows(lattice.steps.size() + 1);
  rows.back() = end;
  for (size_t t = lattice.steps.size(); t > 0; --t)
    rows[t - 1] = (rows[t] - lattice.steps[t - 1].gather(1, rows[t])).clamp_min(0);
  return at::cat(rows, 1);
}

}  // namespace

Tensor ctc_loss(const CtcBatch& batch) {
  check(batch);
  return at::ctc_loss(batch.log_probs.transpose(0, 1), batch.targets.contiguous(), batch.lengths, batch.target_lengths,
                      batch.blank, at::Reduction::None, /*zero_infinity=*/true);
}

CtcPath ctc_best_path(const CtcBatch& batch) {
  check(batch);
  const torch::NoGradGuard no_grad;
  const Tensor states = states_of(batch);
  const Lattice lattice = run_lattice(batch, states);
  const auto [end, score] = best_end(batch, lattice.best);
  const Tensor said = states.gather(1, trace_back(lattice, end));
  const Tensor fits = at::isfinite(score).unsqueeze(1);
  const Tensor rows = at::arange(said.size(1), said.options()).unsqueeze(0);
  const Tensor padding = rows >= batch.lengths.unsqueeze(1);
  return {said.masked_fill(fits.logical_not(), batch.blank).masked_fill(padding, kPadId), score};
}

}  // namespace litenat::nn
