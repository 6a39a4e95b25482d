#include "train/pair_batches.h"

#include <algorithm>
#include <cmath>

#include "base/random.h"

namespace litenat::train {
namespace {

using graph::Family;
using graph::LengthKind;
using torch::Tensor;

/// Sentences of different lengths, right-padded with `padding`: ids [B, L] and their mask.
struct Padded {
  Tensor ids, mask;
};

Padded pad(const std::vector<std::vector<int32_t>>& sentences) {
  size_t width = 0;
  for (const auto& sentence : sentences) width = std::max(width, sentence.size());
  const auto rows = static_cast<int64_t>(sentences.size()), columns = static_cast<int64_t>(width);
  Padded padded{torch::full({rows, columns}, int64_t{text::kPad}, torch::kInt64),
                torch::zeros({rows, columns}, torch::kBool)};
  auto* ids = padded.ids.data_ptr<int64_t>();
  bool* mask = padded.mask.data_ptr<bool>();
  for (const auto& sentence : sentences) {
    std::copy(sentence.begin(), sentence.end(), ids);
    std::fill_n(mask, sentence.size(), true);
    ids += columns;
    mask += columns;
  }
  return padded;
}

std::vector<int64_t> lengths_of(const std::vector<std::vector<int32_t>>& sentences) {
  std::vector<int64_t> lengths;
  for (const auto& sentence : sentences) lengths.push_back(static_cast<int64_t>(sentence.size()));
  return lengths;
}

}  // namespace

int32_t ratio_rows(double ratio, int32_t source_length) {
  return std::max(2, static_cast<int32_t>(std::floor(ratio * source_length)));
}

int64_t position_limit(const graph::EmbeddingSpec& embedding, int64_t otherwise) {
  return embedding.positions == graph::Positions::kLearned ? embedding.max_positions : otherwise;
}

PairBatches::PairBatches(const PairDataset* dataset, const graph::ModelSpec& model, const data::BatchSpec& spec,
                         bool with_noise, uint64_t seed)
    : dataset_(dataset),
      family_(model.family),
      decoder_(model.decoder),
      spec_(spec),
      max_source_(std::min<int64_t>(spec.max_positions, position_limit(model.embedding, spec.max_positions))),
      max_target_(std::min<int64_t>(spec.max_positions, position_limit(model.decoder.embedding, spec.max_positions))),
      with_noise_(with_noise),
      seed_(seed) {}

int32_t PairBatches::decoder_rows(int64_t i) const {
  const size_t k = static_cast<size_t>(i);
  if (family_ == Family::kNonAutoregressive && decoder_.length == LengthKind::kRatio)
    return ratio_rows(decoder_.length_ratio, dataset_->source_lengths()[k]);
  return dataset_->target_lengths()[k];
}

bool PairBatches::fits(int64_t i) const {
  const size_t k = static_cast<size_t>(i);
  return dataset_->source_lengths()[k] <= max_source_ && dataset_->target_lengths()[k] <= spec_.max_positions &&
         decoder_rows(i) <= max_target_;
}

std::vector<data::Batch> PairBatches::plan(int64_t epoch, bool shuffle, int64_t* num_too_long) const {
  std::vector<int64_t> numbers;
  std::vector<int32_t> sources, targets;
  for (int64_t i = 0; i < dataset_->size(); ++i) {
    if (!fits(i)) continue;
    numbers.push_back(i);
    sources.push_back(dataset_->source_lengths()[static_cast<size_t>(i)]);
    targets.push_back(std::max(decoder_rows(i), dataset_->target_lengths()[static_cast<size_t>(i)]));
  }
  if (num_too_long != nullptr) *num_too_long = dataset_->size() - static_cast<int64_t>(numbers.size());
  const auto seed = static_cast<uint32_t>(SplitMix64(seed_, static_cast<uint64_t>(epoch)).next());
  std::vector<data::Batch> batches = data::make_batches(sources, targets, spec_, shuffle, seed, nullptr);
  for (data::Batch& batch : batches)
    for (int64_t& i : batch) i = numbers[static_cast<size_t>(i)];
  return shuffle ? data::shard_epoch(batches, seed, epoch, 0, 1) : batches;
}

std::string PairBatches::limit() const {
  return "data.batch.max_positions = " + std::to_string(spec_.max_positions) + " and the model's position tables (" +
         std::to_string(max_source_) + " source, " + std::to_string(max_target_) + " target rows)";
}

std::vector<int32_t> PairBatches::decoder_input(const Pair& pair) const {
  std::vector<int32_t> input;
  if (family_ == Family::kSequence) {
    input.push_back(text::kEos);
    input.insert(input.end(), pair.target.begin(), pair.target.end() - 1);
    return input;
  }
  const size_t rows =
      decoder_.length == LengthKind::kRatio
          ? static_cast<size_t>(ratio_rows(decoder_.length_ratio, static_cast<int32_t>(pair.source.size())))
          : pair.target.size();
  input.assign(rows, text::kUnk);
  input.front() = text::kBos;
  input.back() = text::kEos;
  return input;
}

int64_t PairBatches::length_class(const Pair& pair) const {
  auto length = static_cast<int64_t>(pair.target.size());
  if (decoder_.length_offset) length += decoder_.length_classes / 2 - static_cast<int64_t>(pair.source.size());
  return std::clamp<int64_t>(length, 0, decoder_.length_classes - 1);
}

Batch PairBatches::make(const data::Batch& sentences, int64_t epoch) const {
  std::vector<Pair> pairs(sentences.size());
  for (size_t b = 0; b < sentences.size(); ++b) dataset_->read(sentences[b], &pairs[b]);
  Batch batch;
  batch.epoch = epoch;
  batch.num_sentences = static_cast<int64_t>(sentences.size());
  fill(pairs, &batch);
  if (with_noise_) draw_noise(sentences, epoch, &batch);
  return batch;
}

void PairBatches::fill(const std::vector<Pair>& pairs, Batch* batch) const {
  const bool parallel = family_ == Family::kNonAutoregressive;
  const bool ratio = parallel && decoder_.length == LengthKind::kRatio;
  std::vector<std::vector<int32_t>> sources, inputs, targets;
  std::vector<int64_t> classes;
  for (const Pair& pair : pairs) {
    sources.push_back(pair.source);
    inputs.push_back(decoder_input(pair));
    targets.push_back(pair.target);
    if (ratio)
      targets.back().erase(std::remove(targets.back().begin(), targets.back().end(), text::kUnk), targets.back().end());
    classes.push_back(length_class(pair));
  }
  const Padded source = pad(sources), input = pad(inputs), target = pad(targets);
  batch->ids = source.ids;
  batch->mask = source.mask;
  batch->decoder_ids = input.ids;
  batch->decoder_mask = input.mask;
  batch->golds = target.ids;
  batch->target_mask = target.mask;
  batch->row_lengths = lengths_of(inputs);
  batch->target_lengths = lengths_of(targets);
  batch->rows = input.mask.flatten().nonzero().squeeze(1);
  if (!ratio) batch->target_rows = batch->rows;  // a row of the decoder for each target
  batch->targets = target.ids.masked_select(target.mask);
  batch->num_rows = batch->rows.numel();
  batch->num_targets = batch->targets.numel();
  if (parallel && !ratio) batch->length_classes = torch::tensor(classes, torch::kInt64);
}

void PairBatches::draw_noise(const data::Batch& sentences, int64_t epoch, Batch* batch) const {
  batch->noise = torch::zeros(batch->decoder_ids.sizes(), torch::kFloat32);
  auto* noise = batch->noise.data_ptr<float>();
  const uint64_t epoch_seed = SplitMix64(seed_ ^ 0x676C616E63696E67ull, static_cast<uint64_t>(epoch)).next();
  for (size_t b = 0; b < sentences.size(); ++b) {
    SplitMix64 random(epoch_seed, static_cast<uint64_t>(dataset_->number(sentences[b])));
    float* row = noise + static_cast<int64_t>(b) * batch->noise.size(1);
    // 24 bits: a float in [0, 1) that rounding never makes 1.
    for (int64_t t = 0; t < batch->row_lengths[b]; ++t) row[t] = static_cast<float>(random.next() >> 40) * 0x1.0p-24f;
  }
}

}  // namespace litenat::train
