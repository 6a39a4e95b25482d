// From sentences to batches: what the loader, the trainer and the validation know of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/batch_sampler.h"
#include "train/batch.h"

namespace litenat::train {

/// What is drawn for a sentence depends on the seed, the epoch and the sentence's number alone. Thread-safe.
class BatchMaker {
 public:
  virtual ~BatchMaker() = default;

  /// The batches (of usable sentences) of an epoch: bucketed by length; with `shuffle` drawn anew for each epoch and in
  /// random order. Sentences that are longer than BatchSpec::max_positions or than the model's tables are left out and
  /// counted in *num_too_long (may be null). Throws Error when a sentence alone is larger than a batch.
  virtual std::vector<data::Batch> plan(int64_t epoch, bool shuffle, int64_t* num_too_long = nullptr) const = 0;
  virtual Batch make(const data::Batch& sentences, int64_t epoch) const = 0;
  /// The longest sentences that fit, for messages: "data.batch.max_positions = 1024".
  virtual std::string limit() const = 0;
};

}  // namespace litenat::train
