// What a user types for a sequence of syllables, in each key mode; drawn from a seed.
#pragma once

#include <string>
#include <vector>

#include "base/fields.h"
#include "base/random.h"
#include "base/span.h"
#include "text/syllables.h"
#include "text/units.h"

namespace litenat::data {

/// full: nihao. mixed: each syllable cut to its initial with probability `cut` (nih). initials: nh.
/// nine_key: 64426. nine_key_initials: 64. nine_key_mixed: digits of mixed.
enum class KeyMode { kFull, kMixed, kInitials, kNineKey, kNineKeyInitials, kNineKeyMixed };
inline const EnumNames<KeyMode> kKeyModeNames{{{KeyMode::kFull, "full"},
                                               {KeyMode::kMixed, "mixed"},
                                               {KeyMode::kInitials, "initials"},
                                               {KeyMode::kNineKey, "9key"},
                                               {KeyMode::kNineKeyInitials, "9key_initials"},
                                               {KeyMode::kNineKeyMixed, "9key_mixed"}}};

/// How zh, ch and sh are abbreviated: as two letters, as one, or drawn for each syllable.
enum class RetroflexStyle { kTwoLetters, kOneLetter, kRandom };
inline const EnumNames<RetroflexStyle> kRetroflexStyleNames{
    {{RetroflexStyle::kTwoLetters, "two"}, {RetroflexStyle::kOneLetter, "one"}, {RetroflexStyle::kRandom, "random"}}};

/// The units typed for `syllables` in `mode`: as many as syllables. The same generator state gives the same units.
std::vector<text::UnitId> sample_units(Span<const text::SyllableId> syllables, KeyMode mode, double cut,
                                       RetroflexStyle style, SplitMix64* random);
/// The keys of units typed one after the other, without separators (what a user types: "nihao").
std::string join_keys(Span<const text::UnitId> units);

/// The mixture of modes that training draws from.
struct KeyMixture {
  double full = 0.4;
  double mixed = 0.25;
  double initials = 0.12;
  double nine_key = 0.15;
  double nine_key_initials = 0.08;
  double cut_low = 0.05;  // cut rate of a mixed clause: uniform in [cut_low, cut_high]
  double cut_high = 0.65;

  template <class V>
  void visit(V& v) {
    v("full", full, "share of clauses typed in full pinyin", between(0, 1));
    v("mixed", mixed, "share typed with some syllables cut to their initial", between(0, 1));
    v("initials", initials, "share typed in initials", between(0, 1));
    v("nine_key", nine_key, "share typed on nine keys", between(0, 1));
    v("nine_key_initials", nine_key_initials, "share typed as initials on nine keys", between(0, 1));
    v("cut_low", cut_low, "smallest cut rate of a mixed clause", between(0, 1));
    v("cut_high", cut_high, "largest cut rate of a mixed clause", between(0, 1));
  }
};
/// Draws the mode, cut rate and style of one clause and samples its units.
std::vector<text::UnitId> sample_mixture(Span<const text::SyllableId> syllables, const KeyMixture& mixture,
                                         SplitMix64* random);

}  // namespace litenat::data
