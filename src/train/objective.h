// What training minimises: the registry of objectives and the losses that they are made of.
#pragma once

#include <memory>
#include <vector>

#include "nn/candidate_loss.h"
#include "nn/tagger.h"
#include "nn/torch.h"
#include "text/lexicon.h"
#include "train/batch.h"
#include "train/objective_spec.h"

namespace litenat::train {

/// What the sums of a loss are divided by: those of the whole update, so that accumulation equals a bigger batch.
struct Denominators {
  int64_t targets = 0;
  int64_t sentences = 0;
  int64_t rows = 0;

  void add(const Batch& batch) {
    targets += batch.num_targets;
    sentences += batch.num_sentences;
    rows += batch.num_rows;
  }
};

struct Loss {
  torch::Tensor total;    // scalar: weighted, divided by the denominators, differentiable
  torch::Tensor nll;      // scalar: -ln p summed over targets, without smoothing; detached
  torch::Tensor correct;  // scalar: targets that the model alone gets right
};

/// An objective for one kind of head. Stateless: one object serves training and validation.
class Objective {
 public:
  virtual ~Objective() = default;
  virtual Loss compute(nn::Tagger& model, const Batch& batch, const Denominators& denominators) const = 0;
};

/// Makes the objective that `spec` names; `sets` (null: every token is allowed everywhere) are the candidates of each
/// input id. Throws Error when the model's head does not serve it.
std::unique_ptr<Objective> make_objective(const ObjectiveSpec& spec, std::shared_ptr<const nn::CandidateSets> sets,
                                          const graph::ModelSpec& model);

/// The hanzi that each unit allows, for a vocabulary of `num_targets`.
std::shared_ptr<const nn::CandidateSets> candidate_sets(const text::Lexicon& lexicon, int64_t num_targets);

/// Cross entropy of logits [N, V] with targets [N], summed, smoothed; sums run in fp32 at least.
nn::CandidateLoss smoothed_cross_entropy(const torch::Tensor& logits, const torch::Tensor& targets, double smoothing,
                                         SmoothingVariant variant);

}  // namespace litenat::train
