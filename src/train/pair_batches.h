// Batches of sentence pairs for models with a decoder.
#pragma once

#include <string>
#include <vector>

#include "graph/model_spec.h"
#include "train/batch_maker.h"
#include "train/pair_dataset.h"

namespace litenat::train {

/// What a family's batches hold, for a pair of source x and target y with their specials:
///   sequence:                          the decoder reads </s> y_1 .. y_{n-1}, the targets are y
///   non_autoregressive, predicted:     it reads <s> <unk> .. <unk> </s>, as long as y; the targets are y
///   non_autoregressive, ratio (CTC):   the same with decoder_rows(x) rows; the targets are y without <unk>, the blank
class PairBatches final : public BatchMaker {
 public:
  /// `dataset` must outlive the maker; `model` is resolved. `with_noise`: draw Batch::noise.
  PairBatches(const PairDataset* dataset, const graph::ModelSpec& model, const data::BatchSpec& spec, bool with_noise,
              uint64_t seed);

  std::vector<data::Batch> plan(int64_t epoch, bool shuffle, int64_t* num_too_long = nullptr) const override;
  Batch make(const data::Batch& sentences, int64_t epoch) const override;
  std::string limit() const override;

 private:
  bool fits(int64_t i) const;
  int32_t decoder_rows(int64_t i) const;
  std::vector<int32_t> decoder_input(const Pair& pair) const;
  int64_t length_class(const Pair& pair) const;
  void fill(const std::vector<Pair>& pairs, Batch* batch) const;
  void draw_noise(const data::Batch& sentences, int64_t epoch, Batch* batch) const;

  const PairDataset* dataset_;
  graph::Family family_;
  graph::DecoderSpec decoder_;
  data::BatchSpec spec_;
  int64_t max_source_, max_target_;  // rows of the encoder and of the decoder
  bool with_noise_;
  uint64_t seed_;
};

/// Rows of a decoder whose length follows from the source's (LengthKind::kRatio): ratio times the source's tokens, and
/// at least the two for <s> and </s>.
int32_t ratio_rows(double ratio, int32_t source_length);

/// The longest sentence that a model's position table has rows for; `otherwise` where it has no table.
int64_t position_limit(const graph::EmbeddingSpec& embedding, int64_t otherwise);

}  // namespace litenat::train
