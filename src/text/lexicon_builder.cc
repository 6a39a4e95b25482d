// build_lexicon: entries to the blob.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "base/utf8.h"
#include "text/lexicon.h"
#include "text/lexicon_format.h"

namespace litenat::text {
namespace {

struct Reading {
  std::vector<SyllableId> syllables;
  double weight = 0;
  WordId word = 0;
  double share = 1;  // of the word's weight
};

struct Word {
  std::string text;
  std::vector<uint16_t> characters;
  std::vector<Reading> readings;
  double weight = 0;
};

class Builder {
 public:
  explicit Builder(const Dictionary& targets) : targets_(targets) {}

  Status add(const LexiconEntry& entry) {
    const auto characters = split_characters(entry.word);
    if (characters.empty() || characters.size() != entry.syllables.size() || characters.size() > kMaxWordLength) {
      return invalid_argument("lexicon entry \"" + entry.word + "\": " + std::to_string(characters.size()) +
                              " characters, " + std::to_string(entry.syllables.size()) + " syllables");
    }
    if (!(entry.weight >= 0) || std::isinf(entry.weight)) {
      return invalid_argument("lexicon entry \"" + entry.word + "\": its weight is not a finite number from 0");
    }
    for (const SyllableId syllable : entry.syllables) {
      if (syllable >= num_syllables())
        return invalid_argument("lexicon entry \"" + entry.word + "\": no such syllable");
    }
    std::vector<uint16_t> ids;
    for (const std::string_view character : characters) {
      const int32_t id = targets_.find(character);
      if (id >= kNumSpecials) ids.push_back(static_cast<uint16_t>(id));
    }
    if (ids.size() != characters.size()) {
      ++skipped_;
      return {};
    }
    add_reading(entry, std::move(ids));
    return {};
  }

  Result<LexiconBuild> finish() {
    sort_words();
    if (words_.size() >= kMaxWords) return unsupported("the lexicon has more than 2^24 words");
    LexiconBuild build;
    build.skipped_entries = skipped_;
    build.unreadable = unreadable();
    for (const Word& word : words_) build.words.push_back(word.text);
    lay_out_trie();
    if (!fits_blocks(child_offsets_) || !fits_blocks(ending_offsets_)) {
      return unsupported("the lexicon has more than 65,535 words of one reading");
    }
    write(&build.blob);
    return build;
  }

 private:
  void add_reading(const LexiconEntry& entry, std::vector<uint16_t> ids) {
    const auto [found, is_new] = index_.emplace(entry.word, words_.size());
    if (is_new) words_.push_back({entry.word, std::move(ids), {}, 0});
    Word& word = words_[found->second];
    word.weight += entry.weight;
    for (Reading& reading : word.readings) {
      if (reading.syllables == entry.syllables) {
        reading.weight += entry.weight;
        return;
      }
    }
    word.readings.push_back({entry.syllables, entry.weight, 0, 1});
  }

  // UTF-8 orders as code points do, so the tie-break may compare bytes.
  void sort_words() {
    std::sort(words_.begin(), words_.end(), [](const Word& a, const Word& b) {
      return a.weight != b.weight ? a.weight > b.weight : a.text < b.text;
    });
    for (size_t i = 0; i < words_.size(); ++i) {
      for (Reading& reading : words_[i].readings) {
        reading.word = static_cast<WordId>(i);
        const double count = static_cast<double>(words_[i].readings.size());
        reading.share = words_[i].weight > 0 ? reading.weight / words_[i].weight : 1 / count;
        readings_.push_back(&reading);
      }
    }
  }

  std::vector<std::string> unreadable() const {
    std::vector<bool> readable(static_cast<size_t>(targets_.size()));
    for (const Word& word : words_) {
      if (word.characters.size() == 1) readable[word.characters[0]] = true;
    }
    std::vector<std::string> result;
    for (int32_t id = kNumSpecials; id < targets_.size(); ++id) {
      const auto points = to_code_points(targets_.token(id));
      if (points.size() == 1 && is_hanzi(points[0]) && !readable[static_cast<size_t>(id)]) {
        result.push_back(targets_.token(id));
      }
    }
    return result;
  }

  // With the readings sorted, every trie node is a range of them; ranges are cut level by level.
  void lay_out_trie() {
    std::sort(readings_.begin(), readings_.end(), [](const Reading* a, const Reading* b) {
      if (a->syllables != b->syllables) return a->syllables < b->syllables;
      return a->weight != b->weight ? a->weight > b->weight : a->word < b->word;
    });
    struct Node {
      size_t begin, end, depth;
    };
    std::vector<Node> nodes = {{0, readings_.size(), 0}};
    for (size_t n = 0; n < nodes.size(); ++n) {
      auto [i, end, depth] = nodes[n];
      child_offsets_.push_back(static_cast<uint32_t>(syllables_.size()));
      ending_offsets_.push_back(static_cast<uint32_t>(endings_.size()));
      for (; i < end && readings_[i]->syllables.size() == depth; ++i) endings_.push_back(readings_[i]);
      while (i < end) {
        const size_t begin = i;
        const SyllableId syllable = readings_[i]->syllables[depth];
        while (i < end && readings_[i]->syllables[depth] == syllable) ++i;
        syllables_.push_back(syllable);
        nodes.push_back({begin, i, depth + 1});
      }
    }
    child_offsets_.push_back(static_cast<uint32_t>(syllables_.size()));
    ending_offsets_.push_back(static_cast<uint32_t>(endings_.size()));
  }

  template <typename T>
  static void append(const std::vector<T>& values, std::vector<uint8_t>* blob) {
    const size_t begin = blob->size();
    blob->resize(begin + padded_size(values.size() * sizeof(T)));
    if (!values.empty()) std::memcpy(blob->data() + begin, values.data(), values.size() * sizeof(T));
  }

  // The differences of a block must fit 16 bits.
  static bool fits_blocks(const std::vector<uint32_t>& offsets) {
    for (size_t i = 0; i < offsets.size(); ++i) {
      if (offsets[i] - offsets[i - i % CompactOffsets::kBlock] > UINT16_MAX) return false;
    }
    return true;
  }

  static void append_offsets(const std::vector<uint32_t>& offsets, std::vector<uint8_t>* blob) {
    std::vector<uint32_t> bases;
    std::vector<uint16_t> differences;
    for (size_t i = 0; i < offsets.size(); ++i) {
      if (i % CompactOffsets::kBlock == 0) bases.push_back(offsets[i]);
      differences.push_back(static_cast<uint16_t>(offsets[i] - bases.back()));
    }
    append(bases, blob);
    append(differences, blob);
  }

  void write(std::vector<uint8_t>* blob) const {
    std::vector<uint32_t> word_offsets = {0};
    std::vector<uint16_t> characters;
    for (const Word& word : words_) {
      characters.insert(characters.end(), word.characters.begin(), word.characters.end());
      word_offsets.push_back(static_cast<uint32_t>(characters.size()));
    }
    write_header(characters.size(), blob);
    append_offsets(word_offsets, blob);
    append(characters, blob);
    append_offsets(child_offsets_, blob);
    append(syllables_, blob);
    append_offsets(ending_offsets_, blob);
    write_endings(blob);
  }

  void write_header(size_t num_characters, std::vector<uint8_t>* blob) const {
    LexiconHeader header{};
    std::memcpy(header.magic, kLexiconMagic, sizeof(header.magic));
    header.version = kLexiconVersion;
    header.num_syllables = static_cast<uint32_t>(num_syllables());
    header.num_targets = static_cast<uint32_t>(targets_.size());
    header.num_words = static_cast<uint32_t>(words_.size());
    header.num_characters = static_cast<uint32_t>(num_characters);
    header.num_nodes = static_cast<uint32_t>(syllables_.size() + 1);
    header.num_endings = static_cast<uint32_t>(endings_.size());
    blob->assign(kLexiconAlignment, 0);
    std::memcpy(blob->data(), &header, sizeof(header));
  }

  void write_endings(std::vector<uint8_t>* blob) const {
    std::vector<uint8_t> words;
    std::vector<uint8_t> weights;
    for (const Reading* reading : endings_) {
      for (int shift = 0; shift < 24; shift += 8) words.push_back(static_cast<uint8_t>(reading->word >> shift));
      const double steps = reading->share > 0 ? -std::log(reading->share) * Lexicon::kWeightSteps : 255.0;
      weights.push_back(static_cast<uint8_t>(std::lround(std::min(255.0, std::max(0.0, steps)))));
    }
    append(words, blob);
    append(weights, blob);
  }

  const Dictionary& targets_;
  int64_t skipped_ = 0;
  std::map<std::string, size_t> index_;  // into words_, until they are sorted
  std::vector<Word> words_;
  std::vector<Reading*> readings_;
  std::vector<uint32_t> child_offsets_;
  std::vector<SyllableId> syllables_;
  std::vector<uint32_t> ending_offsets_;
  std::vector<const Reading*> endings_;
};

}  // namespace

Result<LexiconBuild> build_lexicon(const std::vector<LexiconEntry>& entries, const Dictionary& targets) {
  if (static_cast<uint32_t>(targets.size()) > kMaxTargets) {
    return unsupported("the target dictionary has " + std::to_string(targets.size()) + " entries, a lexicon takes " +
                       std::to_string(kMaxTargets));
  }
  Builder builder(targets);
  for (const LexiconEntry& entry : entries) LITENAT_RETURN_IF_ERROR(builder.add(entry));
  return builder.finish();
}

}  // namespace litenat::text
