// The lexicon of an input method: which hanzi and words a sequence of units may stand for.
// Built by tools into one blob (a section of the model file) that the runtime uses in place.
#pragma once

#include <cstdint>
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

/// One pronunciation of a word of one or more characters.
struct LexiconEntry {
  std::string word;                   // UTF-8; every character is in the target dictionary
  std::vector<SyllableId> syllables;  // as many as characters
  double weight = 1;                  // relative frequency of this reading
};

/// Builds the blob. Word ids are given by descending total weight (ties: code points ascending); a word with
/// several readings has one id. Entries with a character outside `targets` are left out and counted.
/// Characters of `targets` without any reading are reported in `unreadable`.
struct LexiconBuild {
  std::vector<uint8_t> blob;
  std::vector<std::string> words;  // by word id
  int64_t skipped_entries = 0;
  std::vector<std::string> unreadable;
};
Result<LexiconBuild> build_lexicon(const std::vector<LexiconEntry>& entries, const Dictionary& targets);

/// A read-only view of a blob, which must outlive it. parse() checks every offset and id; after that no query
/// can leave the blob.
class Lexicon {
 public:
  static Result<Lexicon> parse(Span<const uint8_t> blob, const std::string& name);

  WordId num_words() const;
  /// Target ids of the word's characters.
  Span<const int32_t> word_characters(WordId word) const;
  /// The id of the one-character word of a target id, or UINT32_MAX.
  WordId character_word(int32_t target) const;
  /// Target ids that have a reading which `unit` allows, ascending: the candidate set of a position.
  Span<const int32_t> candidates(UnitId unit) const;

  /// A trie over syllables. Node 0 is the root.
  struct Child {
    SyllableId syllable;
    uint32_t node;
  };
  Span<const Child> children(uint32_t node) const;  // ascending by syllable
  struct Ending {
    WordId word;
    float log_weight;  // ln P(this reading | word)
  };
  Span<const Ending> endings(uint32_t node) const;  // words whose reading ends here, most frequent first

 private:
  struct View {
    Span<const uint32_t> word_offsets;       // num_words + 1, into characters
    Span<const int32_t> characters;
    Span<const uint32_t> character_words;    // by target id
    Span<const uint32_t> candidate_offsets;  // num_units + 1
    Span<const int32_t> candidates;
    Span<const uint32_t> child_offsets;      // num_nodes + 1
    Span<const Child> children;
    Span<const uint32_t> ending_offsets;     // num_nodes + 1
    Span<const Ending> endings;
  } view_;
};

}  // namespace litenat::text
