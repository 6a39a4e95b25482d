#include "data/annotator.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/utf8.h"

namespace litenat::data {
namespace {

using text::SyllableId;

constexpr int kNodeBits = 24;
constexpr uint32_t kMaxNodes = (1u << kNodeBits) - 1;
// A count below this says little about which reading is commoner: Unicode's choice decides.
constexpr double kTrustedWeight = 60;

uint64_t pack(uint32_t node, uint16_t id, uint32_t child) {
  return uint64_t{node} << 40 | uint64_t{id} << kNodeBits | child;
}
size_t home(uint64_t key, size_t slots) {
  return static_cast<size_t>(((key >> kNodeBits) * 0x9E3779B97F4A7C15ull) >> 32) & (slots - 1);
}

// The commonest reading of every word, in the order of the words.
std::map<std::string, const Pronunciation*> commonest(const std::vector<Pronunciation>& words) {
  std::map<std::string, const Pronunciation*> best;
  for (const Pronunciation& word : words) {
    const Pronunciation*& chosen = best[word.word];
    if (chosen == nullptr || word.weight > chosen->weight) chosen = &word;
  }
  return best;
}

}  // namespace

Annotator::Annotator(const PronunciationSources& sources, bool use_overrides)
    : characters_(kCodePoints), first_nodes_(1, kNone), slots_(1 << 10), nodes_(1) {
  set_readings(sources);
  const std::vector<Pronunciation> overrides = use_overrides ? annotation_overrides() : std::vector<Pronunciation>{};
  for (const Pronunciation& entry : overrides) {
    if (entry.syllables.size() > 1) {
      insert(entry);
    } else {
      characters_[to_code_points(entry.word)[0]].reading = entry.syllables[0];
    }
  }
  for (const auto& [word, entry] : commonest(sources.words))
    if (entry->syllables.size() <= kMaxPhraseLength) insert(*entry);
}

void Annotator::set_readings(const PronunciationSources& sources) {
  for (const auto& [code, syllables] : sources.readings)
    if (code < kCodePoints && !syllables.empty()) characters_[code].reading = syllables[0];
  for (const auto& [word, entry] : commonest(sources.characters)) {
    const char32_t code = to_code_points(word)[0];
    if (code >= kCodePoints) continue;
    SyllableId& chosen = characters_[code].reading;
    if (entry->weight >= kTrustedWeight || chosen == text::kNoSyllable) chosen = entry->syllables[0];
  }
}

uint32_t Annotator::find_child(uint32_t node, uint16_t id) const {
  const uint64_t key = pack(node, id, 0);
  for (size_t i = home(key, slots_.size());; i = (i + 1) & (slots_.size() - 1)) {
    if (slots_[i] == 0) return kNone;
    if ((slots_[i] ^ key) >> kNodeBits == 0) return static_cast<uint32_t>(slots_[i] & kMaxNodes);
  }
}

void Annotator::place(uint64_t slot) {
  size_t i = home(slot, slots_.size());
  while (slots_[i] != 0) i = (i + 1) & (slots_.size() - 1);
  slots_[i] = slot;
}

uint32_t Annotator::add_child(uint32_t node, uint16_t id) {
  const uint32_t found = node == 0 ? first_nodes_[id] : find_child(node, id);
  if (found != kNone) return found;
  if (nodes_.size() >= kMaxNodes) throw Error("the phrase dictionary has more than 2^24 prefixes; give fewer files");
  const auto child = static_cast<uint32_t>(nodes_.size());
  nodes_.emplace_back();
  if (node == 0) {
    first_nodes_[id] = child;
    return child;
  }
  if (nodes_.size() * 2 > slots_.size()) {
    std::vector<uint64_t> old(slots_.size() * 2);
    old.swap(slots_);
    for (const uint64_t slot : old)
      if (slot != 0) place(slot);
  }
  place(pack(node, id, child));
  return child;
}

// The first reading that is inserted for a phrase stays.
void Annotator::insert(const Pronunciation& phrase) {
  uint32_t node = 0;
  for (const char32_t c : to_code_points(phrase.word)) {
    Character& character = characters_[c];
    if (character.id == 0) {
      if (num_ids_ == UINT16_MAX) throw Error("the phrase dictionary has more than 65,535 different characters");
      character.id = ++num_ids_;
      first_nodes_.push_back(kNone);
    }
    node = add_child(node, character.id);
  }
  if (nodes_[node].phrase != 0) return;
  nodes_[node].phrase = static_cast<uint32_t>(phrases_.size()) + 1;
  phrases_.insert(phrases_.end(), phrase.syllables.begin(), phrase.syllables.end());
}

// The length of the longest phrase that `characters` begin with, 0 when there is none.
size_t Annotator::longest_phrase(const char32_t* characters, size_t count, uint32_t* phrase) const {
  const uint16_t first = characters[0] < kCodePoints ? characters_[characters[0]].id : 0;
  uint32_t node = first == 0 ? kNone : first_nodes_[first];
  size_t longest = 0;
  for (size_t i = 1; node != kNone && i < count; ++i) {
    const uint16_t id = characters[i] < kCodePoints ? characters_[characters[i]].id : 0;
    node = id == 0 ? kNone : find_child(node, id);
    if (node == kNone || nodes_[node].phrase == 0) continue;
    longest = i + 1;
    *phrase = nodes_[node].phrase - 1;
  }
  return longest;
}

void Annotator::annotate(Span<const char32_t> characters, SyllableId* syllables, bool* starts) const {
  for (size_t i = 0; i < characters.size();) {
    uint32_t phrase = 0;
    const size_t left = std::min(characters.size() - i, kMaxPhraseLength);
    const size_t length = longest_phrase(characters.data() + i, left, &phrase);
    starts[i] = true;
    if (length == 0) {
      syllables[i] = reading(characters[i]);
      ++i;
      continue;
    }
    for (size_t j = 0; j < length; ++j) {
      syllables[i + j] = phrases_[phrase + j];
      if (j > 0) starts[i + j] = false;
    }
    i += length;
  }
}

}  // namespace litenat::data
