// The closed list of toneless Mandarin syllables and what a user may type for each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace litenat::text {

using SyllableId = uint16_t;
constexpr SyllableId kNoSyllable = 0xFFFF;

/// Number of syllables in the list; ids are 0 .. count - 1 in alphabetical order of the canonical
/// spelling (u-umlaut as v: "lv", "lve", "nv", "nve"). The list is frozen: ids stand in files.
int num_syllables();
std::string_view syllable_name(SyllableId id);
/// Accepts the canonical spelling and the aliases "lue", "nue" (and U+00FC for v); kNoSyllable otherwise.
SyllableId find_syllable(std::string_view spelling);
/// The initial as typed in abbreviated input: "zh", "b", ... or the first letter of a syllable that has none ("a").
std::string_view syllable_initial(SyllableId id);
/// '2'..'9' of a letter a-z on a phone's nine keys; 0 for anything else.
char nine_key_digit(char letter);

}  // namespace litenat::text
