#include "eval/accuracy.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "base/utf8.h"
#include "eval/statistics.h"

namespace litenat::eval {
namespace {

/// The textbook table, without a band.
int64_t full_table_distance(const std::vector<char32_t>& a, const std::vector<char32_t>& b) {
  std::vector<std::vector<int64_t>> d(a.size() + 1, std::vector<int64_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i)
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = static_cast<int64_t>(i + j);
        continue;
      }
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
    }
  return d[a.size()][b.size()];
}

TEST(EditDistance, KnownValues) {
  const auto distance = [](const char* a, const char* b) {
    return edit_distance(to_code_points(a), to_code_points(b));
  };
  EXPECT_EQ(distance("kitten", "sitting"), 3);
  EXPECT_EQ(distance("", "abc"), 3);
  EXPECT_EQ(distance("", ""), 0);
  EXPECT_EQ(distance("今天天气", "今天气"), 1);
}

TEST(EditDistance, BandedEqualsFullTable) {
  SplitMix64 random(7);
  for (int trial = 0; trial < 400; ++trial) {
    std::vector<char32_t> a(random.below(60));
    std::vector<char32_t> b(random.below(60));
    const uint64_t letters = 1 + random.below(5);
    for (char32_t& c : a) c = static_cast<char32_t>('a' + random.below(letters));
    for (char32_t& c : b) c = static_cast<char32_t>('a' + random.below(letters));
    ASSERT_EQ(edit_distance(a, b), full_table_distance(a, b)) << "trial " << trial;
  }
}

TEST(Accuracy, CountsByPositionWhereLengthsAgreeElseByDistance) {
  AccuracyCounts counts;
  counts.add("今天天气", {"今天天气"});      // 4 of 4
  counts.add("明天天起", {"今天天气"});      // by position: 2 of 4, 2 edits
  counts.add("天天气", {"今天天气"});        // by distance: 3 of 4, 1 edit
  counts.add("一二三四五六七八九", {"今"});  // 9 edits of 1 character: 0 correct
  EXPECT_EQ(counts.lines, 4);
  EXPECT_EQ(counts.exact, 1);
  EXPECT_EQ(counts.reference_characters, 13);
  EXPECT_EQ(counts.correct_characters, 9);
  EXPECT_EQ(counts.edits, 12);
  EXPECT_DOUBLE_EQ(counts.exact_accuracy(), 0.25);
  EXPECT_DOUBLE_EQ(counts.character_accuracy(), 9.0 / 13);
  EXPECT_DOUBLE_EQ(counts.character_error_rate(), 12.0 / 13);
}

TEST(Accuracy, PositionsCountEvenWhereAShiftWouldBeCheaper) {
  AccuracyCounts counts;
  counts.add("bcda", {"abcd"});
  EXPECT_EQ(counts.correct_characters, 0);
  EXPECT_EQ(counts.edits, 2);
}

TEST(Accuracy, TakesTheBestOfSeveralReferences) {
  AccuracyCounts counts;
  counts.add("他们", {"她们啊", "他们"});
  EXPECT_EQ(counts.exact, 1);
  EXPECT_EQ(counts.correct_characters, 2);
  EXPECT_EQ(counts.reference_characters, 2);
  counts.add_candidates({"错", "对"}, {"对"});
  counts.add_candidates({}, {"对"});
  EXPECT_EQ(counts.exact, 1);
  EXPECT_EQ(counts.top_exact, 2);
  EXPECT_DOUBLE_EQ(counts.top_accuracy(), 2.0 / 3);
}

TEST(Accuracy, MergesAndSurvivesNothing) {
  AccuracyCounts none;
  EXPECT_EQ(none.exact_accuracy(), 0);
  EXPECT_EQ(none.character_error_rate(), 0);
  AccuracyCounts some;
  some.add("a", {"a"});
  none.merge(some);
  none.merge(some);
  EXPECT_EQ(none.lines, 2);
  EXPECT_EQ(none.character_accuracy(), 1);
  AccuracyCounts empty_line;
  empty_line.add("", {""});
  EXPECT_EQ(empty_line.exact_accuracy(), 1);
}

TEST(Statistics, NearestRankPercentiles) {
  std::vector<double> samples;
  for (int i = 100; i >= 1; --i) samples.push_back(i);
  EXPECT_EQ(percentile(samples, 50), 50);
  EXPECT_EQ(percentile(samples, 95), 95);
  EXPECT_EQ(percentile(samples, 100), 100);
  EXPECT_EQ(percentile({3}, 95), 3);
  EXPECT_EQ(percentile({}, 95), 0);
  EXPECT_DOUBLE_EQ(mean(samples), 50.5);
}

}  // namespace
}  // namespace litenat::eval
