// How good the model is on the validation split.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "nn/model.h"
#include "train/batch_maker.h"
#include "train/objective.h"
#include "train/tagging_batches.h"
#include "train/train_config.h"

namespace litenat::train {

struct ModeScore {
  std::string mode;
  double nll = 0;       // -ln p a target
  double accuracy = 0;  // share of targets that the network alone gets right (its candidates, no n-grams)
};

struct ValidationReport {
  std::vector<ModeScore> modes;
  double nll = 0;  // mean over modes by their share in training
  double accuracy = 0;
  std::optional<double> bleu;  // of greedy decoding, in [0, 100]; models with a decoder

  /// What "best" means; lower is better.
  double score(Metric metric) const { return metric == Metric::kBleu ? -bleu.value_or(0) : nll; }
  Json to_json() const;
};

/// The same sentences in the same form at every validation.
class Validator {
 public:
  virtual ~Validator() = default;
  /// Leaves the model in evaluation mode. Throws Interrupted soon after a signal.
  virtual ValidationReport run(nn::Model& model, const Objective& objective, const torch::Device& device,
                               Precision precision) const = 0;
};

/// Clauses in each key mode.
class TaggingValidator final : public Validator {
 public:
  /// `dataset` must outlive the validator. Warns of sentences that are too long to be scored; throws Error when no
  /// sentence is left.
  TaggingValidator(const TaggingDataset* dataset, graph::InputKind input, const DataSpec& spec);
  ValidationReport run(nn::Model& model, const Objective& objective, const torch::Device& device,
                       Precision precision) const override;

 private:
  struct Mode {
    std::string name;
    double share;
    std::unique_ptr<TaggingBatches> maker;
    std::vector<data::Batch> plan;
  };
  std::vector<Mode> modes_;
};

/// The batches of a validation split in their fixed order. Warns of sentences that are too long to be scored; throws
/// Error when no sentence is left.
std::vector<data::Batch> plan_validation(const BatchMaker& maker, const std::string& name);

/// Mean scores of `plan`.
ModeScore score_batches(const BatchMaker& maker, const std::vector<data::Batch>& plan, nn::Model& model,
                        const Objective& objective, const torch::Device& device, Precision precision);

}  // namespace litenat::train
