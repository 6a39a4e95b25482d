// What training minimises: the interface of objectives and their registry.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nn/candidate_loss.h"
#include "nn/model.h"
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
  torch::Tensor hidden;  // scalar on the device: targets that glancing left hidden; undefined: all of them

  void add(const Batch& batch) {
    targets += batch.num_targets;
    sentences += batch.num_sentences;
    rows += batch.num_rows;
    if (!batch.hidden.defined()) return;
    const torch::Tensor sum = batch.hidden.sum();
    hidden = hidden.defined() ? hidden + sum : sum;
  }
};

struct Loss {
  torch::Tensor total;    // scalar: weighted, divided by the denominators, differentiable
  torch::Tensor nll;      // scalar: -ln p summed over targets, without smoothing; detached
  torch::Tensor correct;  // scalar: targets that the model alone gets right; undefined where training does not count
  torch::Tensor parts;    // [part_names().size()], divided by the denominators, not weighted; detached
};

/// An objective for one kind of model. Stateless: one object serves training and validation.
class Objective {
 public:
  virtual ~Objective() = default;
  /// The names of Loss::parts in the log.
  virtual std::vector<std::string> part_names() const { return {}; }
  /// While training, before the denominators are known: changes what a batch shows to the model (glancing).
  /// `updates_done`: before this one. The random generators are as they will be for compute().
  virtual void prepare(nn::Model& model, int64_t updates_done, Batch* batch) const;
  virtual Loss compute(nn::Model& model, const Batch& batch, const Denominators& denominators) const = 0;
};

/// Makes the objective that `spec` names; `sets` (null: every token is allowed everywhere) are the candidates of each
/// input id of a tagger. Throws Error when the model does not serve it.
std::unique_ptr<Objective> make_objective(const ObjectiveSpec& spec, std::shared_ptr<const nn::CandidateSets> sets,
                                          const graph::ModelSpec& model);

/// The hanzi that each unit allows, for a vocabulary of `num_targets`.
std::shared_ptr<const nn::CandidateSets> candidate_sets(const text::Lexicon& lexicon, int64_t num_targets);

}  // namespace litenat::train
