#include "train/tagging_batches.h"

#include <algorithm>
#include <numeric>

#include "base/interrupt.h"

namespace litenat::train {
namespace {

using graph::InputKind;
using torch::Tensor;

Tensor filled(std::initializer_list<int64_t> shape, torch::ScalarType type, int64_t value) {
  return torch::full(shape, value, torch::TensorOptions(type));
}

}  // namespace

UnitSampler mixture_sampler(const data::KeyMixture& mixture) {
  return [mixture](Span<const text::SyllableId> syllables, SplitMix64* random) {
    return data::sample_mixture(syllables, mixture, random);
  };
}

UnitSampler mode_sampler(data::KeyMode mode, double cut) {
  return [mode, cut](Span<const text::SyllableId> syllables, SplitMix64* random) {
    return data::sample_units(syllables, mode, cut, data::RetroflexStyle::kRandom, random);
  };
}

TaggingBatches::TaggingBatches(const TaggingDataset* dataset, InputKind input, const data::BatchSpec& spec,
                               UnitSampler sampler, uint64_t seed)
    : dataset_(dataset), input_(input), spec_(spec), sampler_(std::move(sampler)), seed_(seed) {}

std::vector<text::UnitId> TaggingBatches::sample(int64_t i, int64_t epoch, const Sentence& sentence) const {
  const uint64_t epoch_seed = SplitMix64(seed_, static_cast<uint64_t>(epoch)).next();
  SplitMix64 random(epoch_seed, static_cast<uint64_t>(dataset_->number(i)));
  return sampler_(sentence.syllables, &random);
}

void TaggingBatches::make_rows(int64_t i, int64_t epoch, Rows* out) const {
  dataset_->read(i, &out->sentence);
  out->ids.clear();
  out->heads.clear();
  out->inputs = input_ == InputKind::kTokens ? out->sentence.source : sample(i, epoch, out->sentence);
  for (const int32_t input : out->inputs) {
    out->heads.push_back(static_cast<int32_t>(out->ids.size()));
    if (input_ == InputKind::kKeys) {
      for (const char key : text::unit_name(input)) out->ids.push_back(text::key_token(key));
    } else {
      out->ids.push_back(input);
    }
  }
}

std::vector<int32_t> TaggingBatches::row_counts(int64_t epoch) const {
  if (input_ != InputKind::kKeys) return {dataset_->lengths().begin(), dataset_->lengths().end()};
  std::vector<int32_t> counts;
  Sentence sentence;
  for (int64_t i = 0; i < dataset_->size(); ++i) {
    if ((i & 0xFFF) == 0) throw_if_interrupted();
    dataset_->read(i, &sentence);
    size_t keys = 0;
    for (const text::UnitId unit : sample(i, epoch, sentence)) keys += text::unit_name(unit).size();
    counts.push_back(static_cast<int32_t>(keys));
  }
  return counts;
}

std::vector<data::Batch> TaggingBatches::plan(int64_t epoch, bool shuffle, int64_t* num_too_long) const {
  const std::vector<int32_t> counts = row_counts(epoch);
  const auto seed = static_cast<uint32_t>(SplitMix64(seed_, static_cast<uint64_t>(epoch)).next());
  std::vector<data::Batch> batches = data::make_batches(counts, {}, spec_, shuffle, seed, num_too_long);
  return shuffle ? data::shard_epoch(batches, seed, epoch, 0, 1) : batches;
}

std::string TaggingBatches::limit() const {
  return "data.batch.max_positions = " + std::to_string(spec_.max_positions);
}

Batch TaggingBatches::make(const data::Batch& sentences, int64_t epoch) const {
  std::vector<Rows> all(sentences.size());
  int64_t width = 0, longest = 0, targets = 0;
  Batch batch;
  for (size_t b = 0; b < sentences.size(); ++b) {
    make_rows(sentences[b], epoch, &all[b]);
    width = std::max<int64_t>(width, static_cast<int64_t>(all[b].ids.size()));
    longest = std::max<int64_t>(longest, static_cast<int64_t>(all[b].heads.size()));
    targets += static_cast<int64_t>(all[b].heads.size());
    batch.num_rows += static_cast<int64_t>(all[b].ids.size());
  }
  const int64_t size = static_cast<int64_t>(sentences.size());
  batch.num_sentences = size;
  batch.num_targets = targets;
  batch.epoch = epoch;
  batch.ids = filled({size, width}, torch::kInt64, text::kPad);
  batch.mask = filled({size, width}, torch::kBool, 0);
  batch.target_mask = filled({size, longest}, torch::kBool, 0);
  for (Tensor* tensor : {&batch.rows, &batch.inputs, &batch.targets, &batch.target_rows})
    *tensor = torch::empty({targets}, torch::kInt64);
  auto* ids = batch.ids.data_ptr<int64_t>();
  bool* mask = batch.mask.data_ptr<bool>();
  bool* target_mask = batch.target_mask.data_ptr<bool>();
  auto *rows = batch.rows.data_ptr<int64_t>(), *inputs = batch.inputs.data_ptr<int64_t>(),
       *golds = batch.targets.data_ptr<int64_t>(), *places = batch.target_rows.data_ptr<int64_t>();
  for (int64_t b = 0; b < size; ++b) {
    const Rows& of = all[static_cast<size_t>(b)];
    std::copy(of.ids.begin(), of.ids.end(), ids + b * width);
    std::fill_n(mask + b * width, of.ids.size(), true);
    std::fill_n(target_mask + b * longest, of.heads.size(), true);
    for (const int32_t head : of.heads) *rows++ = b * width + head;
    std::iota(places, places + of.heads.size(), b * longest);
    places += of.heads.size();
    inputs = std::copy(of.inputs.begin(), of.inputs.end(), inputs);
    golds = std::copy(of.sentence.target.begin(), of.sentence.target.end(), golds);
  }
  add_extras(all, &batch);
  return batch;
}

void TaggingBatches::add_extras(const std::vector<Rows>& all, Batch* batch) const {
  if (input_ == InputKind::kTokens) return;
  batch->syllables = torch::empty({batch->num_targets}, torch::kInt64);
  auto* syllables = batch->syllables.data_ptr<int64_t>();
  for (const Rows& of : all)
    syllables = std::copy(of.sentence.syllables.begin(), of.sentence.syllables.end(), syllables);
  if (input_ != InputKind::kKeys) return;
  const int64_t width = batch->ids.size(1);
  batch->key_rows = torch::empty({batch->num_rows}, torch::kInt64);
  batch->boundaries = torch::zeros({batch->num_rows}, torch::kFloat32);
  auto* key_rows = batch->key_rows.data_ptr<int64_t>();
  auto* boundaries = batch->boundaries.data_ptr<float>();
  for (size_t b = 0; b < all.size(); ++b) {
    for (const int32_t head : all[b].heads) boundaries[head] = 1;
    boundaries += all[b].ids.size();
    for (size_t t = 0; t < all[b].ids.size(); ++t)
      *key_rows++ = static_cast<int64_t>(b) * width + static_cast<int64_t>(t);
  }
}

}  // namespace litenat::train
