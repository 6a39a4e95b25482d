// What a run reads before it starts: dictionaries, data sets, text resources; and what follows from them.
#pragma once

#include <memory>
#include <string>

#include "data/text_tokenizer.h"
#include "nn/candidate_loss.h"
#include "train/batch_maker.h"
#include "train/pair_dataset.h"
#include "train/tagging_dataset.h"
#include "train/train_config.h"
#include "train/validation.h"

namespace litenat::train {

/// A tagger's data sets or those of a model with a decoder; the other two are null.
struct TrainingData {
  std::unique_ptr<Dictionaries> dictionaries;
  std::unique_ptr<TaggingDataset> train;
  std::unique_ptr<TaggingDataset> valid;  // null without a validation split
  std::unique_ptr<PairDataset> train_pairs;
  std::unique_ptr<PairDataset> valid_pairs;             // null without a validation split
  std::shared_ptr<const nn::CandidateSets> candidates;  // null when every token is allowed everywhere
  std::unique_ptr<data::TextTokenizer> tokenizer;       // of the text; null when tokens are words already

  const Dataset& training_set() const;
  /// Makers of training batches and the validation (null without a split), of the data's kind; they read from this
  /// object.
  std::unique_ptr<BatchMaker> make_batches(const TrainConfig& config) const;
  std::unique_ptr<Validator> make_validator(const TrainConfig& config) const;
};

/// Opens the data that `config` names, sets the vocabulary sizes of config->model and resolves it, and writes the text
/// resources that belong to the model to `resources_path` (empty: does not). Throws Error for what is missing or does
/// not fit together.
TrainingData open_training_data(TrainConfig* config, const std::string& resources_path);

}  // namespace litenat::train
