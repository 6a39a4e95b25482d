// Units: what can be typed for one syllable, as one input token of the tagger.
//
// The frozen list, ids from kFirstUnit: every full syllable; every initial ("b", "zh", "z", "a", ...: one letter,
// or zh / ch / sh); every digit string of a full syllable ("64426"); every digit string of an initial ("9", "94").
// The model's source dictionary for `input = "units"` is this list after the four specials.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/span.h"
#include "text/syllables.h"

namespace litenat::text {

using UnitId = int32_t;
constexpr UnitId kFirstUnit = 4;  // after <s> <pad> </s> <unk>
constexpr UnitId kNoUnit = -1;

enum class UnitKind { kFull, kInitial, kDigitsFull, kDigitsInitial };

int num_units();  // without the specials; ids are kFirstUnit .. kFirstUnit + num_units() - 1
/// The keys of a unit: not unique ("a" is a syllable and an initial).
std::string_view unit_name(UnitId id);
/// A spelling that no other unit has, for token files and dictionaries: the keys, followed by '-' for an initial
/// (of letters or digits) that is typed like a full syllable ("a-", "n-", "6-").
std::string_view unit_token(UnitId id);
/// The unit whose unit_token is `token`, or kNoUnit.
UnitId find_unit_token(std::string_view token);
UnitKind unit_kind(UnitId id);
/// The unit typed as `keys` (letters or digits; aliases of syllables accepted), or kNoUnit. Of several
/// with the same spelling ("a": syllable and initial) the full syllable is found first; find_units gives all.
UnitId find_unit(std::string_view keys);
std::vector<UnitId> find_units(std::string_view keys);
UnitId find_unit(std::string_view keys, UnitKind kind);
/// The syllables that `unit` may stand for, ascending.
Span<const SyllableId> unit_syllables(UnitId unit);

/// Keys as tokens for `input = "keys"`: 'a'..'z' -> 4.., '2'..'9' after them, '\'' last. -1: not a key.
int32_t key_token(char key);
int num_key_tokens();  // specials included

}  // namespace litenat::text
