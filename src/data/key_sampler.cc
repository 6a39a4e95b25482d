#include "data/key_sampler.h"

#include <array>

namespace litenat::data {
namespace {

using text::SyllableId;
using text::UnitId;
using text::UnitKind;

/// What may be typed for one syllable. `one_letter` and `initial` differ for zh, ch and sh only.
struct Typed {
  UnitId full, initial, one_letter;
};

UnitId find(std::string_view letters, bool digits, UnitKind kind) {
  std::string keys(letters);
  if (digits)
    for (char& key : keys) key = text::nine_key_digit(key);
  return text::find_unit(keys, kind);
}

std::vector<Typed> make_table(bool digits) {
  const UnitKind full = digits ? UnitKind::kDigitsFull : UnitKind::kFull;
  const UnitKind initial = digits ? UnitKind::kDigitsInitial : UnitKind::kInitial;
  std::vector<Typed> table;
  for (int i = 0; i < text::num_syllables(); ++i) {
    const auto id = static_cast<SyllableId>(i);
    const std::string_view letters = text::syllable_initial(id);
    table.push_back({find(text::syllable_name(id), digits, full), find(letters, digits, initial),
                     find(letters.substr(0, 1), digits, initial)});
  }
  return table;
}

const std::vector<Typed>& typed_table(bool digits) {
  static const std::vector<Typed> tables[] = {make_table(false), make_table(true)};
  return tables[digits ? 1 : 0];
}

bool on_nine_keys(KeyMode mode) {
  return mode == KeyMode::kNineKey || mode == KeyMode::kNineKeyInitials || mode == KeyMode::kNineKeyMixed;
}

/// The probability that a syllable is cut to its initial.
double cut_rate(KeyMode mode, double cut) {
  if (mode == KeyMode::kInitials || mode == KeyMode::kNineKeyInitials) return 1;
  return mode == KeyMode::kMixed || mode == KeyMode::kNineKeyMixed ? cut : 0;
}

UnitId sample_initial(const Typed& typed, RetroflexStyle style, SplitMix64* random) {
  if (typed.initial == typed.one_letter || style == RetroflexStyle::kTwoLetters) return typed.initial;
  if (style == RetroflexStyle::kOneLetter) return typed.one_letter;
  return (random->next() >> 63) != 0 ? typed.one_letter : typed.initial;
}

}  // namespace

std::vector<UnitId> sample_units(Span<const SyllableId> syllables, KeyMode mode, double cut, RetroflexStyle style,
                                 SplitMix64* random) {
  const std::vector<Typed>& table = typed_table(on_nine_keys(mode));
  const double rate = cut_rate(mode, cut);
  const bool draws = rate > 0 && rate < 1;
  std::vector<UnitId> units;
  units.reserve(syllables.size());
  for (const SyllableId syllable : syllables) {
    const bool cuts = draws ? random->uniform() < rate : rate >= 1;
    units.push_back(cuts ? sample_initial(table[syllable], style, random) : table[syllable].full);
  }
  return units;
}

std::string join_keys(Span<const UnitId> units) {
  std::string keys;
  for (const UnitId unit : units) keys += text::unit_name(unit);
  return keys;
}

std::vector<UnitId> sample_mixture(Span<const SyllableId> syllables, const KeyMixture& mixture, SplitMix64* random) {
  const std::array<std::pair<KeyMode, double>, 5> shares{{{KeyMode::kFull, mixture.full},
                                                          {KeyMode::kMixed, mixture.mixed},
                                                          {KeyMode::kInitials, mixture.initials},
                                                          {KeyMode::kNineKey, mixture.nine_key},
                                                          {KeyMode::kNineKeyInitials, mixture.nine_key_initials}}};
  double total = 0;
  for (const auto& [mode, share] : shares) total += share;
  double left = random->uniform() * total;
  KeyMode drawn = KeyMode::kFull;  // also when every share is 0
  for (const auto& [mode, share] : shares) {
    if (share <= 0) continue;
    drawn = mode;
    left -= share;
    if (left < 0) break;
  }
  const double cut = mixture.cut_low + random->uniform() * (mixture.cut_high - mixture.cut_low);
  const auto style = static_cast<RetroflexStyle>(random->below(3));
  return sample_units(syllables, drawn, cut, style, random);
}

}  // namespace litenat::data
