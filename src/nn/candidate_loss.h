// Cross entropy over the candidates of each row: the tokens that its input allows (hanzi with a reading that the typed
// unit may stand for). A row of full pinyin has some twenty candidates out of thousands, so on a CPU the rows are
// grouped by input and only the candidates' logits are computed; elsewhere one dense masked product is faster.
#pragma once

#include <memory>
#include <vector>

#include "nn/torch.h"

namespace litenat::nn {

/// Which tokens each input id allows. An id without an entry (an empty set) allows every token.
class CandidateSets {
 public:
  /// sets[id]: ascending token ids below `vocabulary`.
  CandidateSets(const std::vector<std::vector<int64_t>>& sets, int64_t vocabulary);

  int64_t num_ids() const { return static_cast<int64_t>(sets_.size()); }
  int64_t vocabulary() const { return vocabulary_; }
  /// [n] int64 on the CPU: the candidates of `id`, ascending.
  const torch::Tensor& of(int64_t id) const { return sets_[static_cast<size_t>(id)]; }
  /// [num_ids, vocabulary] bool on `device`, made at the first call.
  const torch::Tensor& mask(const torch::Device& device) const;

 private:
  int64_t vocabulary_;
  std::vector<torch::Tensor> sets_;
  mutable torch::Tensor mask_;
};

/// How the smoothed distribution spreads its eps over the n candidates of a row.
enum class SmoothingKind {
  kUniform,          // (1 - eps) nll + eps / n sum over candidates of -log p
  kExcludingTarget,  // (1 - eps - e) nll + e sum over candidates of -log p, e = eps / (n - 1)
};

struct CandidateLoss {
  torch::Tensor loss;     // scalar, summed over rows; differentiable in states, weight and bias
  torch::Tensor nll;      // scalar, summed over rows; detached
  torch::Tensor correct;  // scalar int64: rows whose best candidate is the target
};

/// states [N, D], weight [V, D], bias [V] (may be undefined), inputs [N] int64 (ids of `sets`), targets [N] int64. A
/// target outside its row's candidates counts as one of them. Sums run in fp32 at least.
CandidateLoss candidate_cross_entropy(const torch::Tensor& states, const torch::Tensor& weight,
                                      const torch::Tensor& bias, const torch::Tensor& inputs,
                                      const torch::Tensor& targets, const CandidateSets& sets, double smoothing,
                                      SmoothingKind kind);

/// The dense form that candidate_cross_entropy uses off the CPU, and its reference in tests.
CandidateLoss masked_cross_entropy(const torch::Tensor& logits, const torch::Tensor& candidate_mask,
                                   const torch::Tensor& targets, double smoothing, SmoothingKind kind);

}  // namespace litenat::nn
