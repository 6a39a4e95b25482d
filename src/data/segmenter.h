// Splits hanzi clauses into the words of a lexicon, the likeliest way by word frequencies.
#pragma once

#include <cstdint>
#include <vector>

#include "base/span.h"
#include "text/lexicon.h"

namespace litenat::data {

/// Immutable between set_weights calls; segment() may run on several threads.
class Segmenter {
 public:
  /// `weights`: relative frequency by word id. The lexicon is read here only.
  Segmenter(const text::Lexicon& lexicon, const std::vector<double>& weights);
  /// New frequencies, e.g. counts of a first segmentation; every word gets half a count more.
  void set_weights(const std::vector<double>& weights);

  /// Appends the words of the likeliest segmentation to *words. `characters` are target ids. With `syllables` (as many;
  /// else empty) a word of several characters counts only where it has that reading. A character that is no word of the
  /// lexicon becomes kNoWord. Returns ln P of the segmentation.
  double segment(Span<const int32_t> characters, Span<const text::SyllableId> syllables,
                 std::vector<text::WordId>* words) const;

 private:
  // A trie over (character, syllable) pairs, and over characters alone (kNoSyllable), in one hash table.
  struct Slot {
    uint64_t key = 0;  // 0: empty
    uint32_t node = 0;
  };
  struct Step {
    double score;
    uint32_t length;
    text::WordId word;
  };

  static uint64_t make_key(uint32_t node, int32_t character, text::SyllableId syllable);
  uint32_t find_child(uint64_t key) const;
  uint32_t add_child(uint64_t key);
  void grow();
  void add_word(text::WordId word, Span<const uint16_t> characters, const text::SyllableId* syllables);
  void add_readings(const text::Lexicon& lexicon, uint32_t trie_node, std::vector<text::SyllableId>* path);
  void extend(Span<const int32_t> characters, Span<const text::SyllableId> syllables, size_t begin,
              std::vector<Step>* best) const;

  std::vector<Slot> slots_;
  std::vector<text::WordId> node_words_;
  std::vector<double> log_weights_;            // by word
  std::vector<text::WordId> character_words_;  // by target id
  double log_unknown_ = 0;
};

}  // namespace litenat::data
