#include "data/key_sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace litenat::data {
namespace {

using text::SyllableId;
using text::UnitId;
using text::UnitKind;

std::vector<SyllableId> syllables(const std::vector<std::string>& names) {
  std::vector<SyllableId> ids;
  for (const std::string& name : names) ids.push_back(text::find_syllable(name));
  return ids;
}

std::string keys_of(const std::vector<std::string>& names, KeyMode mode, double cut, RetroflexStyle style) {
  SplitMix64 random(1);
  return join_keys(sample_units(syllables(names), mode, cut, style, &random));
}

TEST(KeySampler, FixedModes) {
  const std::vector<std::string> names = {"zhong", "guo", "an", "nv"};
  const auto two = RetroflexStyle::kTwoLetters, one = RetroflexStyle::kOneLetter;
  EXPECT_EQ(keys_of(names, KeyMode::kFull, 0.5, two), "zhongguoannv");
  EXPECT_EQ(keys_of(names, KeyMode::kInitials, 0, two), "zhgan");
  EXPECT_EQ(keys_of(names, KeyMode::kInitials, 0, one), "zgan");
  EXPECT_EQ(keys_of(names, KeyMode::kNineKey, 0.5, two), "946644862668");
  EXPECT_EQ(keys_of(names, KeyMode::kNineKeyInitials, 0, two), "94426");
  EXPECT_EQ(keys_of(names, KeyMode::kNineKeyInitials, 0, one), "9426");
  EXPECT_EQ(keys_of(names, KeyMode::kMixed, 0, two), "zhongguoannv");
  EXPECT_EQ(keys_of(names, KeyMode::kMixed, 1, one), "zgan");
  EXPECT_EQ(keys_of(names, KeyMode::kNineKeyMixed, 1, two), "94426");
}

TEST(KeySampler, KindsOfUnits) {
  SplitMix64 random(3);
  const auto ids = syllables({"a", "e"});
  const auto kind = [&](KeyMode mode) {
    return text::unit_kind(sample_units(ids, mode, 1, RetroflexStyle::kRandom, &random)[0]);
  };
  EXPECT_EQ(kind(KeyMode::kFull), UnitKind::kFull);
  EXPECT_EQ(kind(KeyMode::kMixed), UnitKind::kInitial);
  EXPECT_EQ(kind(KeyMode::kInitials), UnitKind::kInitial);
  EXPECT_EQ(kind(KeyMode::kNineKey), UnitKind::kDigitsFull);
  EXPECT_EQ(kind(KeyMode::kNineKeyInitials), UnitKind::kDigitsInitial);
  EXPECT_EQ(kind(KeyMode::kNineKeyMixed), UnitKind::kDigitsInitial);
}

TEST(KeySampler, CutRateAndRandomStyle) {
  const std::vector<SyllableId> ids(100000, text::find_syllable("shang"));
  SplitMix64 random(7);
  std::map<std::string_view, int> counts;
  for (const UnitId unit : sample_units(ids, KeyMode::kMixed, 0.3, RetroflexStyle::kRandom, &random))
    ++counts[text::unit_name(unit)];
  EXPECT_EQ(counts.size(), 3u);
  EXPECT_NEAR(counts["shang"], 70000, 900);  // six standard deviations
  EXPECT_NEAR(counts["sh"], 15000, 700);
  EXPECT_NEAR(counts["s"], 15000, 700);
}

TEST(KeySampler, SameSeedSameUnits) {
  const std::vector<SyllableId> ids(50, text::find_syllable("zhuang"));
  SplitMix64 first(5, 1), second(5, 1), other(5, 2);
  const KeyMixture mixture;
  const auto units = sample_mixture(ids, mixture, &first);
  EXPECT_EQ(units.size(), ids.size());
  EXPECT_EQ(sample_mixture(ids, mixture, &second), units);
  EXPECT_EQ(first.next(), second.next());
  EXPECT_NE(first.next(), other.next());
}

TEST(KeySampler, EveryUnitMayStandForItsSyllable) {
  std::vector<SyllableId> ids;
  for (int i = 0; i < text::num_syllables(); ++i) ids.push_back(static_cast<SyllableId>(i));
  SplitMix64 random(9);
  for (const auto& [mode, name] : kKeyModeNames.values) {
    const auto units = sample_units(ids, mode, 0.5, RetroflexStyle::kRandom, &random);
    for (size_t i = 0; i < ids.size(); ++i) {
      const auto allowed = text::unit_syllables(units[i]);
      EXPECT_EQ(std::count(allowed.begin(), allowed.end(), ids[i]), 1) << name << " " << text::syllable_name(ids[i]);
    }
  }
}

TEST(KeySampler, MixtureShares) {
  KeyMixture mixture;
  mixture.full = 0.5;
  mixture.mixed = 0;
  mixture.initials = 0.25;
  mixture.nine_key = 0.25;
  mixture.nine_key_initials = 0;
  const auto ids = syllables({"bang"});
  std::map<std::string, int> counts;
  SplitMix64 random(11);
  for (int i = 0; i < 40000; ++i) ++counts[join_keys(sample_mixture(ids, mixture, &random))];
  EXPECT_EQ(counts.size(), 3u);
  EXPECT_NEAR(counts["bang"], 20000, 600);
  EXPECT_NEAR(counts["b"], 10000, 520);
  EXPECT_NEAR(counts["2264"], 10000, 520);
}

TEST(KeySampler, NoShareAtAllIsFull) {
  const KeyMixture none{0, 0, 0, 0, 0, 0, 0};
  SplitMix64 random(1);
  EXPECT_EQ(join_keys(sample_mixture(syllables({"ni", "hao"}), none, &random)), "nihao");
  EXPECT_TRUE(sample_mixture({}, none, &random).empty());
}

}  // namespace
}  // namespace litenat::data
