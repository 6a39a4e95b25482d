#include "train/tagging_dataset.h"

#include <algorithm>

#include "base/error.h"
#include "base/interrupt.h"

namespace litenat::train {
namespace {

bool has_special(const std::vector<int32_t>& tokens) {
  return std::any_of(tokens.begin(), tokens.end(), [](int32_t id) { return id < text::kNumSpecials; });
}

}  // namespace

TaggingDataset::TaggingDataset(const DataSpec& spec, const std::string& split, graph::InputKind input,
                               const Dictionaries& dictionaries, int64_t limit)
    : dictionaries_(&dictionaries),
      typed_(input != graph::InputKind::kTokens),
      sides_(DataSides::open(spec, split, dictionaries)) {
  select(spec.dir + "/" + split, limit);
}

void TaggingDataset::select(const std::string& where, int64_t limit) {
  Sentence sentence;
  for (int64_t number = 0; number < sides_.size(); ++number) {
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
    hash_.add(sentence.source);
    hash_.add(sentence.target);
  }
}

void TaggingDataset::read_file_sentence(int64_t number, Sentence* out) const {
  sides_.read(number, &out->source, &out->target);
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
  return std::to_string(sides_.size()) + " sentences, " + std::to_string(num_tokens_) + " tokens, " +
         std::to_string(dictionaries_->source.size()) + "+" + std::to_string(dictionaries_->target.size()) +
         " types, content " + hash_.text();
}

}  // namespace litenat::train
