// Hanzi to toneless pinyin: the longest phrase of a dictionary at each place, else the character's commonest reading.
#pragma once

#include <cstdint>
#include <vector>

#include "base/span.h"
#include "data/annotator_sources.h"
#include "text/syllables.h"

namespace litenat::data {

constexpr size_t kMaxPhraseLength = 8;

/// Immutable once built; shared between threads. A phrase with several readings has its commonest one. A small table of
/// our own (annotator_overrides.cc) goes before the sources.
class Annotator {
 public:
  /// `use_overrides` false leaves our own table out.
  explicit Annotator(const PronunciationSources& sources, bool use_overrides = true);

  /// Writes the syllable of each character to `syllables` (kNoSyllable where nothing is known) and true to `starts`
  /// where a phrase or single character begins. Both have as many elements as `characters`.
  void annotate(Span<const char32_t> characters, text::SyllableId* syllables, bool* starts) const;
  /// The commonest reading of one character, or kNoSyllable.
  text::SyllableId reading(char32_t character) const {
    return character < kCodePoints ? characters_[character].reading : text::kNoSyllable;
  }

 private:
  static constexpr char32_t kCodePoints = 0x323B0;  // the end of CJK extension H
  static constexpr uint32_t kNone = 0;              // the root is never a child

  struct Character {
    text::SyllableId reading = text::kNoSyllable;
    uint16_t id = 0;  // among the characters of phrases, from 1; 0: in none
  };
  struct Node {
    uint32_t phrase = 0;  // where its syllables begin in phrases_, plus 1; 0: no phrase ends here
  };

  void set_readings(const PronunciationSources& sources);
  void insert(const Pronunciation& phrase);
  uint32_t find_child(uint32_t node, uint16_t id) const;
  uint32_t add_child(uint32_t node, uint16_t id);
  void place(uint64_t slot);
  size_t longest_phrase(const char32_t* characters, size_t count, uint32_t* phrase) const;

  std::vector<Character> characters_;  // by code point
  std::vector<uint32_t> first_nodes_;  // by character id: the root's children
  std::vector<uint64_t> slots_;        // a hash table: parent node (24 bits), character id (16), child node (24)
  std::vector<Node> nodes_;
  std::vector<text::SyllableId> phrases_;
  uint16_t num_ids_ = 0;
};

/// Our own table: characters and phrases whose first choice in the sources is wrong in running text.
std::vector<Pronunciation> annotation_overrides();

}  // namespace litenat::data
