// The lexicon of an input method: which hanzi and words a sequence of units may stand for.
// Built by tools into one blob (a section of the model file) that the runtime uses in place.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/span.h"
#include "base/status.h"
#include "text/dictionary.h"
#include "text/syllables.h"
#include "text/units.h"

namespace litenat::text {

using WordId = uint32_t;
constexpr WordId kNoWord = UINT32_MAX;

/// One pronunciation of a word of one or more characters.
struct LexiconEntry {
  std::string word;                   // UTF-8; every character is in the target dictionary
  std::vector<SyllableId> syllables;  // as many as characters
  double weight = 1;                  // relative frequency of this reading
};

/// Builds the blob. Word ids are given by descending total weight (ties: code points ascending); a word with
/// several readings has one id. Entries with a character outside `targets` are left out and counted.
/// Hanzi of `targets` without any reading are reported in `unreadable`.
struct LexiconBuild {
  std::vector<uint8_t> blob;
  std::vector<std::string> words;  // by word id
  int64_t skipped_entries = 0;
  std::vector<std::string> unreadable;
};
/// Errors (kInvalidArgument): an entry whose syllables are not as many as its characters, a negative or infinite
/// weight, an unknown syllable; (kUnsupported) more than 65,535 targets or 2^24 words.
Result<LexiconBuild> build_lexicon(const std::vector<LexiconEntry>& entries, const Dictionary& targets);

/// Ascending offsets in 2.25 bytes each: a 32-bit base for every 16 entries and a 16-bit difference from it.
class CompactOffsets {
 public:
  CompactOffsets() = default;
  CompactOffsets(Span<const uint32_t> bases, Span<const uint16_t> differences)
      : bases_(bases), differences_(differences) {}
  static constexpr size_t kBlock = 16;
  /// Number of bases for `count` offsets.
  static size_t num_bases(size_t count) { return (count + kBlock - 1) / kBlock; }

  size_t size() const { return differences_.size(); }
  uint32_t operator[](size_t i) const { return bases_[i / kBlock] + differences_[i]; }

 private:
  Span<const uint32_t> bases_;
  Span<const uint16_t> differences_;
};

/// A read-only view of a blob, which must outlive it (copies share their tables). parse() checks every offset and
/// id; after that no query can leave the blob.
class Lexicon {
 public:
  static Result<Lexicon> parse(Span<const uint8_t> blob, const std::string& name);

  WordId num_words() const { return num_words_; }
  /// Size of the target dictionary that the blob was built for; the owner of both compares them.
  int32_t num_targets() const { return num_targets_; }
  /// Characters of the longest word.
  int max_word_length() const { return max_word_length_; }
  /// Target ids of the word's characters.
  Span<const uint16_t> word_characters(WordId word) const;
  /// The id of the one-character word of a target id, or kNoWord.
  WordId character_word(int32_t target) const;
  /// Target ids that have a reading which `unit` allows, ascending: the candidate set of a position.
  Span<const int32_t> candidates(UnitId unit) const;

  /// A trie over syllables, breadth first: node 0 is the root, and the children of a node are numbered in a row.
  struct Children {
    Span<const SyllableId> syllables;  // ascending
    uint32_t first_node;               // of syllables[0]; that of syllables[i] is first_node + i
  };
  Children children(uint32_t node) const;

  struct Ending {
    WordId word;
    float log_weight;  // ln P(this reading | word), in steps of 1/16
  };
  /// Words whose reading ends at a node, the most frequent first.
  class Endings {
   public:
    Endings(const uint8_t* words, const uint8_t* weights, size_t size)
        : words_(words), weights_(weights), size_(size) {}
    size_t size() const { return size_; }
    WordId word(size_t i) const {
      const uint8_t* w = words_ + 3 * i;
      return w[0] | static_cast<uint32_t>(w[1]) << 8 | static_cast<uint32_t>(w[2]) << 16;
    }
    Ending operator[](size_t i) const { return {word(i), -static_cast<float>(weights_[i]) / kWeightSteps}; }

   private:
    const uint8_t* words_;
    const uint8_t* weights_;
    size_t size_;
  };
  Endings endings(uint32_t node) const;
  static constexpr float kWeightSteps = 16;

 private:
  struct Tables;  // derived at load: one-character words and candidate sets
  struct Loader;
  uint32_t num_words_ = 0;
  int32_t num_targets_ = 0;
  int max_word_length_ = 0;
  CompactOffsets word_offsets_;  // num_words + 1, into characters
  Span<const uint16_t> characters_;
  CompactOffsets child_offsets_;  // num_nodes + 1, into syllables; edge i leads to node i + 1
  Span<const SyllableId> syllables_;
  CompactOffsets ending_offsets_;  // num_nodes + 1, into the endings
  Span<const uint8_t> ending_words_;
  Span<const uint8_t> ending_weights_;
  std::shared_ptr<const Tables> tables_;
};

}  // namespace litenat::text
