#include "decode/key_lattice.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace litenat::decode {
namespace {

std::string spell(const Parse& parse) {
  std::string result;
  for (const UnitSpan& span : parse.units) {
    result += (result.empty() ? "" : " ") + std::string(text::unit_name(span.unit));
  }
  return result;
}

std::vector<std::string> readings(const std::string& keys, int count = 8) {
  ParseOptions options;
  options.num_parses = count;
  std::vector<std::string> result;
  for (const Parse& parse : best_parses(keys, nullptr, options)) result.push_back(spell(parse));
  return result;
}

bool contains(const std::vector<std::string>& list, const std::string& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

TEST(KeyLattice, KnowsKeys) {
  EXPECT_TRUE(is_key('a') && is_key('z') && is_key('2') && is_key('9') && is_key('\''));
  EXPECT_FALSE(is_key('1') || is_key('0') || is_key('A') || is_key(' ') || is_key('\xE4'));
}

TEST(KeyLattice, BestReadingHasTheFewestCompleteSyllables) {
  EXPECT_EQ(readings("nihao")[0], "ni hao");
  EXPECT_EQ(readings("zhongguo")[0], "zhong guo");
  EXPECT_EQ(readings("zhongg")[0], "zhong g");
  EXPECT_EQ(readings("nihaom")[0], "ni hao m");
  EXPECT_EQ(readings("nh")[0], "n h");
  const auto units = best_parses("nihaom", nullptr, {})[0].units;
  EXPECT_EQ(text::unit_kind(units[2].unit), text::UnitKind::kInitial);
  EXPECT_EQ(readings("qinlue")[0], readings("qinlve")[0]);
  EXPECT_EQ(readings("64426")[0], "64 426");
}

TEST(KeyLattice, AmbiguousKeysGiveEveryReading) {
  const auto found = readings("xian");
  EXPECT_EQ(found[0], "xian");
  EXPECT_TRUE(contains(found, "xi an"));
  EXPECT_TRUE(contains(readings("fangan"), "fan gan"));
  EXPECT_TRUE(contains(readings("fangan"), "fang an"));
}

TEST(KeyLattice, SeparatorsSplitAndAreSkipped) {
  EXPECT_EQ(readings("xi'an")[0], "xi an");
  EXPECT_FALSE(contains(readings("xi'an"), "xian"));
  EXPECT_EQ(readings("''ni''hao'")[0], "ni hao");
  for (const UnitSpan& span : all_unit_spans("xi'an")) EXPECT_FALSE(span.begin <= 2 && span.end > 2);
}

TEST(KeyLattice, UnreadableRunsHaveNoParse) {
  for (const char* keys : {"iv", "'", "''''", "", "u", "nihaoi", "ni6v"}) {
    EXPECT_TRUE(best_parses(keys, nullptr, {}).empty()) << keys;
  }
}

TEST(KeyLattice, SpansAreUnitsInOrder) {
  const std::string keys = "xianguo94";
  const auto spans = all_unit_spans(keys);
  for (size_t i = 0; i < spans.size(); ++i) {
    const auto units = text::find_units(
        keys.substr(static_cast<size_t>(spans[i].begin), static_cast<size_t>(spans[i].end - spans[i].begin)));
    EXPECT_NE(std::find(units.begin(), units.end(), spans[i].unit), units.end());
    if (i == 0) continue;
    EXPECT_LE(std::make_pair(spans[i - 1].begin, spans[i - 1].end), std::make_pair(spans[i].begin, spans[i].end));
  }
}

// Enumerates every reading.
void enumerate(const std::string& keys, size_t place, double score, std::vector<double>* out) {
  if (place == keys.size()) {
    out->push_back(score);
    return;
  }
  for (const UnitSpan& span : all_unit_spans(keys)) {
    if (static_cast<size_t>(span.begin) != place) continue;
    const std::string name(text::unit_name(span.unit));
    double cost = name.size() == 1 ? 1.5 : 1.0;
    if (text::unit_kind(span.unit) == text::UnitKind::kInitial) cost = 2.5;
    if (name.find_first_of("aeiouv") == std::string::npos && cost < 2) cost = 3;  // an interjection
    enumerate(keys, static_cast<size_t>(span.end), score - cost, out);
  }
}

TEST(KeyLattice, ParsesEqualBruteForce) {
  for (const std::string keys : {"xiangangan", "zhonga", "nanahaoa"}) {
    std::vector<double> all;
    enumerate(keys, 0, 0, &all);
    std::sort(all.rbegin(), all.rend());
    ParseOptions options;
    options.num_parses = 1000000;
    const auto parses = best_parses(keys, nullptr, options);
    ASSERT_EQ(parses.size(), all.size());
    for (size_t i = 0; i < all.size(); ++i) EXPECT_NEAR(parses[i].score, all[i], 1e-5);
  }
}

TEST(KeyLattice, LongRunsTakeLinearTime) {
  std::string keys;
  while (keys.size() < 10000) keys += "xianzaishijian";
  const auto begin = std::chrono::steady_clock::now();
  const auto parses = best_parses(keys, nullptr, {});
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  ASSERT_EQ(parses.size(), 4u);
  EXPECT_LT(seconds.count(), 5.0);
}

}  // namespace
}  // namespace litenat::decode
