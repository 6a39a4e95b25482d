// How good the model is on the validation split, in each key mode.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "nn/tagger.h"
#include "train/batch_maker.h"
#include "train/objective.h"

namespace litenat::train {

struct ModeScore {
  std::string mode;
  double nll = 0;       // -ln p a target
  double accuracy = 0;  // share of targets that the network alone gets right (its candidates, no n-grams)
};

struct ValidationReport {
  std::vector<ModeScore> modes;
  double nll = 0;  // mean over modes by their share in training; what "best" means
  double accuracy = 0;
  Json to_json() const;
};

/// The same clauses, typed in the same way, at every validation.
class Validator {
 public:
  /// `dataset` must outlive the validator. Warns of sentences that are too long to be scored; throws Error when no
  /// sentence is left.
  Validator(const TaggingDataset* dataset, graph::InputKind input, const DataSpec& spec);
  /// Leaves the model in evaluation mode.
  ValidationReport run(nn::Tagger& model, const Objective& objective, const torch::Device& device, bool bf16) const;

 private:
  struct Mode {
    std::string name;
    double share;
    BatchMaker maker;
    std::vector<data::Batch> plan;
  };
  std::vector<Mode> modes_;
};

}  // namespace litenat::train
