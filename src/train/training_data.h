// What a run reads before it starts: dictionaries, data sets, text resources; and what follows from them.
#pragma once

#include <memory>
#include <string>

#include "nn/candidate_loss.h"
#include "train/tagging_dataset.h"
#include "train/train_config.h"

namespace litenat::train {

struct TrainingData {
  std::unique_ptr<Dictionaries> dictionaries;
  std::unique_ptr<TaggingDataset> train;
  std::unique_ptr<TaggingDataset> valid;                // null without a validation split
  std::shared_ptr<const nn::CandidateSets> candidates;  // null when every token is allowed everywhere
};

/// Opens the data that `config` names, sets the vocabulary sizes of config->model and resolves it, and writes the text
/// resources that belong to the model to `resources_path`. Throws Error for what is missing or does not fit together.
TrainingData open_training_data(TrainConfig* config, const std::string& resources_path);

}  // namespace litenat::train
