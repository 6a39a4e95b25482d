#include "data/segmenter.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace litenat::data {
namespace {

using text::kNoSyllable;
using text::kNoWord;

constexpr uint32_t kNoNode = 0;  // the root is nobody's child

}  // namespace

Segmenter::Segmenter(const text::Lexicon& lexicon, const std::vector<double>& weights)
    : slots_(1024), node_words_(1, kNoWord) {
  for (int32_t target = 0; target < lexicon.num_targets(); ++target) {
    character_words_.push_back(lexicon.character_word(target));
  }
  for (text::WordId word = 0; word < lexicon.num_words(); ++word)
    add_word(word, lexicon.word_characters(word), nullptr);
  std::vector<text::SyllableId> path;
  add_readings(lexicon, 0, &path);
  set_weights(weights);
}

void Segmenter::set_weights(const std::vector<double>& weights) {
  double total = 0;
  for (const double weight : weights) total += weight + 0.5;
  log_weights_.clear();
  for (const double weight : weights) log_weights_.push_back(std::log((weight + 0.5) / total));
  log_unknown_ = std::log(0.1 / (total + 1));
}

// Nodes are below 2^31, characters and syllables below 2^16; the highest bit keeps keys from 0.
uint64_t Segmenter::make_key(uint32_t node, int32_t character, text::SyllableId syllable) {
  return uint64_t{1} << 63 | uint64_t{node} << 32 | static_cast<uint64_t>(character & 0xFFFF) << 16 | syllable;
}

namespace {

size_t hash(uint64_t key) { return static_cast<size_t>((key * 0x9E3779B97F4A7C15ull) >> 24); }

}  // namespace

uint32_t Segmenter::find_child(uint64_t key) const {
  for (size_t at = hash(key) & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].key == key) return slots_[at].node;
    if (slots_[at].key == 0) return kNoNode;
  }
}

uint32_t Segmenter::add_child(uint64_t key) {
  if (const uint32_t node = find_child(key); node != kNoNode) return node;
  if (2 * node_words_.size() >= slots_.size()) grow();
  size_t at = hash(key) & (slots_.size() - 1);
  while (slots_[at].key != 0) at = (at + 1) & (slots_.size() - 1);
  slots_[at] = {key, static_cast<uint32_t>(node_words_.size())};
  node_words_.push_back(kNoWord);
  return slots_[at].node;
}

void Segmenter::grow() {
  std::vector<Slot> old(2 * slots_.size());
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.key == 0) continue;
    size_t at = hash(slot.key) & (slots_.size() - 1);
    while (slots_[at].key != 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = slot;
  }
}

void Segmenter::add_word(text::WordId word, Span<const uint16_t> characters, const text::SyllableId* syllables) {
  uint32_t node = 0;
  for (size_t i = 0; i < characters.size(); ++i) {
    node = add_child(make_key(node, characters[i], syllables == nullptr ? kNoSyllable : syllables[i]));
  }
  node_words_[node] = word;
}

void Segmenter::add_readings(const text::Lexicon& lexicon, uint32_t trie_node, std::vector<text::SyllableId>* path) {
  const auto endings = lexicon.endings(trie_node);
  for (size_t i = 0; i < endings.size(); ++i) {
    add_word(endings[i].word, lexicon.word_characters(endings[i].word), path->data());
  }
  const auto children = lexicon.children(trie_node);
  for (size_t i = 0; i < children.syllables.size(); ++i) {
    path->push_back(children.syllables[i]);
    add_readings(lexicon, children.first_node + static_cast<uint32_t>(i), path);
    path->pop_back();
  }
}

double Segmenter::segment(Span<const int32_t> characters, Span<const text::SyllableId> syllables,
                          std::vector<text::WordId>* words) const {
  std::vector<Step> best(characters.size() + 1, {-std::numeric_limits<double>::infinity(), 0, kNoWord});
  best[0].score = 0;
  for (size_t begin = 0; begin < characters.size(); ++begin) extend(characters, syllables, begin, &best);
  const size_t first = words->size();
  for (size_t end = characters.size(); end > 0; end -= best[end].length) words->push_back(best[end].word);
  std::reverse(words->begin() + static_cast<std::ptrdiff_t>(first), words->end());
  return best.back().score;
}

void Segmenter::extend(Span<const int32_t> characters, Span<const text::SyllableId> syllables, size_t begin,
                       std::vector<Step>* best) const {
  const auto offer = [&](size_t length, text::WordId word, double log_weight) {
    Step& target = (*best)[begin + length];
    const double score = (*best)[begin].score + log_weight;
    if (score > target.score) target = {score, static_cast<uint32_t>(length), word};
  };
  const auto character = static_cast<size_t>(characters[begin]);
  const text::WordId alone = character < character_words_.size() ? character_words_[character] : kNoWord;
  offer(1, alone, alone == kNoWord ? log_unknown_ : log_weights_[alone]);
  uint32_t node = 0;
  for (size_t i = begin; i < characters.size(); ++i) {
    node = find_child(make_key(node, characters[i], syllables.empty() ? kNoSyllable : syllables[i]));
    if (node == kNoNode) return;
    const text::WordId word = node_words_[node];
    if (i > begin && word != kNoWord) offer(i - begin + 1, word, log_weights_[word]);
  }
}

}  // namespace litenat::data
