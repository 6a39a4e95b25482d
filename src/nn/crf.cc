#include "nn/crf.h"

#include <c10/core/impl/LocalDispatchKeySet.h>

#include <limits>
#include <vector>

namespace litenat::nn {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int64_t kPadId = 1;

/// The type that sums run in.
Tensor widened(const Tensor& x) { return x.scalar_type() == torch::kDouble ? x : x.to(torch::kFloat); }

/// Keeps products of matrices in the type of their operands.
struct WithoutAutocast {
  c10::impl::ExcludeDispatchKeyGuard guard{c10::autocast_dispatch_keyset};
};

/// row [B, K] where sentence b has row t, else `otherwise`.
Tensor where_inside(const Tensor& lengths, int64_t t, const Tensor& row, const Tensor& otherwise) {
  return at::where((lengths > t).unsqueeze(1), row, otherwise);
}

/// ln sum over the previous row's K candidates of exp(previous [B, K] + transitions [B, K, K]).
Tensor step_forward(const Tensor& previous, const Tensor& transitions) {
  return at::logsumexp(previous.unsqueeze(2) + transitions, 1);
}

Tensor step_backward(const Tensor& next, const Tensor& transitions) {
  return at::logsumexp(next.unsqueeze(1) + transitions, 2);
}

/// alpha [B, T, K]: ln of the sum over all paths that end in each candidate; frozen after a sentence's end.
Tensor forward_sums(const Tensor& scores, const Tensor& transitions, const Tensor& lengths) {
  std::vector<Tensor> alpha{scores.select(1, 0)};
  for (int64_t t = 1; t < scores.size(1); ++t) {
    const Tensor row = step_forward(alpha.back(), transitions.select(1, t - 1)) + scores.select(1, t);
    alpha.push_back(where_inside(lengths, t, row, alpha.back()));
  }
  return at::stack(alpha, 1);
}

/// beta [B, T, K]: ln of the sum over all ways on from each candidate to the end of the sentence; 0 from its last row
/// on.
Tensor backward_sums(const Tensor& scores, const Tensor& transitions, const Tensor& lengths) {
  std::vector<Tensor> beta(static_cast<size_t>(scores.size(1)));
  beta.back() = at::zeros_like(scores.select(1, 0));
  for (int64_t t = scores.size(1) - 2; t >= 0; --t) {
    const auto i = static_cast<size_t>(t);
    const Tensor row = step_backward(beta[i + 1] + scores.select(1, t + 1), transitions.select(1, t));
    beta[i] = where_inside(lengths, t + 1, row, beta[i + 1]);
  }
  return at::stack(beta, 1);
}

/// [B, T] true at rows of sentences, from row `first` on.
Tensor rows_inside(const Tensor& lengths, int64_t first, int64_t rows) {
  return at::arange(first, rows, lengths.options()).unsqueeze(0) < lengths.unsqueeze(1);
}

/// ln of the partition sum, whose backward pass is the forward-backward algorithm: nothing but alpha is kept.
class LogPartition : public torch::autograd::Function<LogPartition> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& scores, const Tensor& transitions,
                        const Tensor& lengths) {
    const Tensor alpha = forward_sums(scores, transitions, lengths);
    const Tensor log_sum = at::logsumexp(alpha.select(1, scores.size(1) - 1), 1).masked_fill(lengths == 0, 0);
    context->save_for_backward({scores, transitions, lengths, alpha, log_sum});
    return log_sum;
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const auto saved = context->get_saved_variables();
    const Tensor &scores = saved[0], &transitions = saved[1], &lengths = saved[2], &alpha = saved[3];
    const Tensor log_sum = saved[4].view({-1, 1, 1});
    const Tensor grad = grads[0].view({-1, 1, 1});  // [B, 1, 1]
    const int64_t rows = scores.size(1);
    const Tensor beta = backward_sums(scores, transitions, lengths);
    // Filled, not multiplied: beyond a sentence's end the exponentials may be infinite.
    Tensor marginals = at::exp(alpha + beta - log_sum).mul_(grad);
    marginals.masked_fill_(rows_inside(lengths, 0, rows).logical_not().unsqueeze(-1), 0);
    const Tensor into = (scores + beta - log_sum).narrow(1, 1, rows - 1);  // [B, T - 1, K]
    Tensor pairs = transitions + alpha.narrow(1, 0, rows - 1).unsqueeze(-1);
    pairs.add_(into.unsqueeze(-2)).exp_().mul_(grad.unsqueeze(-1));
    pairs.masked_fill_(rows_inside(lengths, 1, rows).logical_not().unsqueeze(-1).unsqueeze(-1), 0);
    return {marginals, pairs, Tensor()};
  }
};

}  // namespace

CrfBeam select_beam(const Tensor& emissions, int64_t beam, const Tensor& gold, const Tensor& candidates) {
  const int64_t width = std::min(beam, emissions.size(-1));
  CrfBeam result;
  {
    const torch::NoGradGuard no_grad;
    Tensor rank = emissions.detach();
    if (candidates.defined()) rank = rank.masked_fill(candidates.logical_not(), -kInfinity);
    if (gold.defined()) rank = rank.scatter(-1, gold.unsqueeze(-1), kInfinity);
    const auto [best, tokens] = rank.topk(width, -1, /*largest=*/true, /*sorted=*/false);
    result.tokens = tokens;
    if (gold.defined()) result.gold = (tokens == gold.unsqueeze(-1)).to(torch::kByte).argmax(-1);
    if (candidates.defined()) result.scores = best == -kInfinity;  // slots that no candidate fills
  }
  const Tensor scores = widened(emissions.gather(-1, result.tokens));
  result.scores = candidates.defined() ? scores.masked_fill(result.scores, -kInfinity) : scores;
  return result;
}

CrfBeam unpack_beam(const CrfBeam& rows, const Tensor& where, const Tensor& mask) {
  const auto spread = [&](const Tensor& x) {
    std::vector<int64_t> flat = x.sizes().vec(), grid = mask.sizes().vec();
    flat[0] = mask.numel();
    grid.insert(grid.end(), flat.begin() + 1, flat.end());
    return at::zeros(flat, x.options()).index_copy(0, where, x).view(grid);
  };
  return {spread(rows.tokens), spread(rows.scores), rows.gold.defined() ? spread(rows.gold) : Tensor()};
}

Tensor crf_transitions(const Tensor& tokens, const Tensor& from, const Tensor& to) {
  const WithoutAutocast guard;
  const int64_t pairs = tokens.size(1) - 1;
  const Tensor left = at::embedding(widened(from), tokens.narrow(1, 0, pairs));  // [B, T - 1, K, rank]
  const Tensor right = at::embedding(widened(to), tokens.narrow(1, 1, pairs));
  return at::matmul(left, right.transpose(-1, -2));
}

Tensor crf_log_partition(const Tensor& scores, const Tensor& transitions, const Tensor& lengths) {
  return LogPartition::apply(scores, transitions, lengths);
}

Tensor crf_log_likelihood(const CrfBeam& beam, const Tensor& mask, const Tensor& from, const Tensor& to) {
  TORCH_CHECK(beam.gold.defined(), "crf_log_likelihood: the beam was selected without gold tokens");
  const WithoutAutocast guard;
  const Tensor transitions = crf_transitions(beam.tokens, from, to);
  const Tensor emitted = beam.scores.gather(-1, beam.gold.unsqueeze(-1)).squeeze(-1);  // [B, T]
  Tensor path = emitted.masked_fill(mask.logical_not(), 0).sum(1);
  if (mask.size(1) > 1) {
    const int64_t pairs = mask.size(1) - 1, width = beam.tokens.size(-1);
    const Tensor slot = beam.gold.narrow(1, 0, pairs) * width + beam.gold.narrow(1, 1, pairs);
    const Tensor moved = transitions.flatten(2).gather(-1, slot.unsqueeze(-1)).squeeze(-1);  // [B, T - 1]
    path = path + moved.masked_fill(mask.narrow(1, 1, pairs).logical_not(), 0).sum(1);
  }
  return path - crf_log_partition(beam.scores, transitions, mask.sum(1));
}

Tensor crf_log_likelihood(const Tensor& emissions, const Tensor& targets, const Tensor& mask, const Tensor& from,
                          const Tensor& to, int64_t beam, const Tensor& candidates) {
  const Tensor gold = targets.masked_fill(mask.logical_not(), 0);
  return crf_log_likelihood(select_beam(emissions, beam, gold, candidates), mask, from, to);
}

CrfPath crf_viterbi(const CrfBeam& beam, const Tensor& mask, const Tensor& from, const Tensor& to) {
  const torch::NoGradGuard no_grad;
  const Tensor transitions = crf_transitions(beam.tokens, from, to), lengths = mask.sum(1);
  const Tensor scores = beam.scores.detach();
  const int64_t rows = scores.size(1);
  const Tensor same = at::arange(scores.size(2), lengths.options()).expand({scores.size(0), -1});
  Tensor best = scores.select(1, 0);
  std::vector<Tensor> back(static_cast<size_t>(rows));  // [B, K]: slot of row t - 1 on the best path to each slot
  for (int64_t t = 1; t < rows; ++t) {
    const auto [value, slot] = (best.unsqueeze(2) + transitions.select(1, t - 1)).max(1);
    best = where_inside(lengths, t, value + scores.select(1, t), best);
    back[static_cast<size_t>(t)] = where_inside(lengths, t, slot, same);
  }
  auto [score, slot] = best.max(1);
  std::vector<Tensor> tokens(static_cast<size_t>(rows));
  for (int64_t t = rows - 1; t >= 0; --t) {
    const auto i = static_cast<size_t>(t);
    tokens[i] = beam.tokens.select(1, t).gather(1, slot.unsqueeze(1)).squeeze(1);
    if (t > 0) slot = back[i].gather(1, slot.unsqueeze(1)).squeeze(1);
  }
  return {at::stack(tokens, 1).masked_fill(mask.logical_not(), kPadId), score.masked_fill(lengths == 0, 0)};
}

}  // namespace litenat::nn
