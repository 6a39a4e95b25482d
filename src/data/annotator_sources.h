// Where pronunciations come from: phrase dictionaries and character readings in their published text formats.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/syllables.h"

namespace litenat::data {

/// A word of one or more hanzi with one of its readings (as many syllables as characters) and how often the source saw
/// it (1 where it does not say).
struct Pronunciation {
  std::string word;  // UTF-8
  std::vector<text::SyllableId> syllables;
  double weight = 1;
};

/// The readings of each hanzi, commonest first.
using CharacterReadings = std::unordered_map<char32_t, std::vector<text::SyllableId>>;

struct PronunciationSources {
  std::vector<Pronunciation> words;  // two characters or more
  std::vector<Pronunciation> characters;
  /// Of files that give no counts (Unihan); they serve hanzi that `characters` lacks or hardly knows.
  CharacterReadings readings;
  int64_t skipped = 0;  // entries that are no hanzi with as many known syllables
};

/// Debian's rime-data-pinyin-simp (Apache-2.0) and unicode-data; both are free to ship with what is made from them.
extern const char* const kDefaultPhrases;
extern const char* const kDefaultReadings;

/// The syllable written `marked`: tone marks or digits dropped, u-umlaut as v; kNoSyllable when unknown.
text::SyllableId parse_syllable(std::string_view marked);

/// Adds a phrase file, its format told by its content: a rime dictionary ("...", then word TAB syllables TAB count),
/// lines "word: syllables" with tone marks (commas between alternatives: the first counts), or "word syllable'syllable
/// [log10 probability]". May be compressed. Throws Error when it cannot be read or no line of it is an entry.
void add_phrases(const std::string& path, PronunciationSources* sources);
/// Adds a file of character readings: Unihan_Readings (kHanyuPinlu, then kMandarin) or lines "U+4E2D: zhōng,zhòng".
void add_readings(const std::string& path, PronunciationSources* sources);
/// All of both; an empty list stands for the default file.
PronunciationSources load_pronunciations(const std::vector<std::string>& phrases,
                                         const std::vector<std::string>& readings);

}  // namespace litenat::data
