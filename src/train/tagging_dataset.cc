#include "train/tagging_dataset.h"

#include <algorithm>

#include "base/error.h"
#include "base/interrupt.h"

namespace litenat::train {
namespace {

text::Dictionary load_dictionary(const DataSpec& spec, const std::string& side) {
  return value_or_throw(text::Dictionary::load(spec.dir + "/dict." + side + ".txt"));
}

std::shared_ptr<const data::IndexedDataset> open_side(const DataSpec& spec, const std::string& split,
                                                      const std::string& side, int32_t vocabulary) {
  const std::string prefix = spec.dir + "/" + split + "." + spec.source + "-" + spec.target + "." + side;
  auto dataset = value_or_throw(data::IndexedDataset::open(prefix));
  throw_if_error(dataset->check_ids(vocabulary).with_context(prefix));
  return dataset;
}

void drop_end(std::vector<int32_t>* tokens) {
  if (!tokens->empty() && tokens->back() == text::kEos) tokens->pop_back();
}

bool has_special(const std::vector<int32_t>& tokens) {
  return std::any_of(tokens.begin(), tokens.end(), [](int32_t id) { return id < text::kNumSpecials; });
}

}  // namespace

Dictionaries Dictionaries::load(const DataSpec& spec) {
  if (spec.dir.empty()) throw Error("data.dir: expected the folder that `litenat preprocess` wrote, found nothing");
  Dictionaries result{load_dictionary(spec, spec.source), load_dictionary(spec, spec.target), {}};
  for (int32_t id = 0; id < result.source.size(); ++id)
    result.syllables.push_back(id < text::kNumSpecials ? text::kNoSyllable
                                                       : text::find_syllable(result.source.token(id)));
  return result;
}

TaggingDataset::TaggingDataset(const DataSpec& spec, const std::string& split, graph::InputKind input,
                               const Dictionaries& dictionaries, int64_t limit)
    : dictionaries_(&dictionaries), typed_(input != graph::InputKind::kTokens) {
  source_ = open_side(spec, split, spec.source, dictionaries.source.size());
  target_ = open_side(spec, split, spec.target, dictionaries.target.size());
  const std::string where = spec.dir + "/" + split;
  if (source_->size() != target_->size())
    throw Error(where + ": expected as many sentences on both sides, found " + std::to_string(source_->size()) +
                " of " + spec.source + " and " + std::to_string(target_->size()) + " of " + spec.target);
  select(where, limit);
}

void TaggingDataset::select(const std::string& where, int64_t limit) {
  Sentence sentence;
  for (int64_t number = 0; number < source_->size(); ++number) {
    if ((number & 0xFFF) == 0) throw_if_interrupted();
    if (limit > 0 && size() == limit) break;
    read_file_sentence(number, &sentence);
    if (sentence.source.size() != sentence.target.size())
      throw Error(where + ", sentence " + std::to_string(number + 1) +
                  ": expected as many source as target tokens, found " + std::to_string(sentence.source.size()) +
                  " and " + std::to_string(sentence.target.size()));
    if (!is_usable(sentence)) {
      ++num_left_out_;
      continue;
    }
    indices_.push_back(number);
    lengths_.push_back(static_cast<int32_t>(sentence.target.size()));
    num_tokens_ += lengths_.back();
  }
}

void TaggingDataset::read_file_sentence(int64_t number, Sentence* out) const {
  source_->read(number, &out->source);
  target_->read(number, &out->target);
  drop_end(&out->source);
  drop_end(&out->target);
  out->syllables.clear();
  if (!typed_) return;
  for (const int32_t id : out->source) out->syllables.push_back(dictionaries_->syllables[static_cast<size_t>(id)]);
}

bool TaggingDataset::is_usable(const Sentence& sentence) const {
  if (sentence.source.empty() || has_special(sentence.source) || has_special(sentence.target)) return false;
  return std::find(sentence.syllables.begin(), sentence.syllables.end(), text::kNoSyllable) == sentence.syllables.end();
}

void TaggingDataset::read(int64_t i, Sentence* out) const { read_file_sentence(number(i), out); }

std::string TaggingDataset::fingerprint() const {
  return std::to_string(source_->size()) + " sentences, " + std::to_string(source_->num_tokens()) + "+" +
         std::to_string(target_->num_tokens()) + " tokens, " + std::to_string(dictionaries_->source.size()) + "+" +
         std::to_string(dictionaries_->target.size()) + " types";
}

}  // namespace litenat::train
