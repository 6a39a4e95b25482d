// Batches of aligned sentences: sampling what was typed, ordering, padding.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/random.h"
#include "data/key_sampler.h"
#include "text/units.h"
#include "train/batch_maker.h"
#include "train/tagging_dataset.h"

namespace litenat::train {

/// Draws the units typed for a clause.
using UnitSampler =
    std::function<std::vector<text::UnitId>(Span<const text::SyllableId> syllables, SplitMix64* random)>;
/// The mixture of modes that training draws from.
UnitSampler mixture_sampler(const data::KeyMixture& mixture);
/// Always `mode`; mixed clauses have `cut` of their syllables cut.
UnitSampler mode_sampler(data::KeyMode mode, double cut);

class TaggingBatches final : public BatchMaker {
 public:
  /// `dataset` must outlive the maker.
  TaggingBatches(const TaggingDataset* dataset, graph::InputKind input, const data::BatchSpec& spec,
                 UnitSampler sampler, uint64_t seed);

  std::vector<data::Batch> plan(int64_t epoch, bool shuffle, int64_t* num_too_long = nullptr) const override;
  Batch make(const data::Batch& sentences, int64_t epoch) const override;
  std::string limit() const override;

 private:
  /// What one sentence looks like to the model.
  struct Rows {
    std::vector<int32_t> ids;
    std::vector<int32_t> heads;   // row of each target
    std::vector<int32_t> inputs;  // of each target
    Sentence sentence;
  };
  void make_rows(int64_t i, int64_t epoch, Rows* out) const;
  std::vector<text::UnitId> sample(int64_t i, int64_t epoch, const Sentence& sentence) const;
  std::vector<int32_t> row_counts(int64_t epoch) const;
  void add_extras(const std::vector<Rows>& all, Batch* batch) const;

  const TaggingDataset* dataset_;
  graph::InputKind input_;
  data::BatchSpec spec_;
  UnitSampler sampler_;
  uint64_t seed_;
};

}  // namespace litenat::train
