// TER against properties that hold whatever its heuristics do, and an exhaustive search on short lines.
#include "eval/ter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/random.h"

namespace litenat::eval {
namespace {

using Words = std::vector<int32_t>;

int64_t word_distance(const Words& a, const Words& b) {
  std::vector<int64_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<int64_t>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    int64_t diagonal = row[0];
    row[0] = static_cast<int64_t>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const int64_t up = row[j];
      row[j] = std::min({diagonal + (a[i - 1] == b[j - 1] ? 0 : 1), up + 1, row[j - 1] + 1});
      diagonal = up;
    }
  }
  return row[b.size()];
}

/// The true minimum of shifts plus edits, trying every sequence of shifts that could still pay.
int64_t least_edits(const Words& hypothesis, const Words& reference) {
  int64_t best = word_distance(hypothesis, reference);
  std::set<Words> seen = {hypothesis};
  std::set<Words> frontier = seen;
  for (int64_t shifts = 1; shifts < best; ++shifts) {
    std::set<Words> next;
    for (const Words& words : frontier)
      for (size_t a = 0; a < words.size(); ++a)
        for (size_t b = a + 1; b < words.size(); ++b)
          for (size_t c = b + 1; c <= words.size(); ++c) {  // swapping neighbours [a, b) and [b, c) is any shift
            Words shifted = words;
            std::rotate(shifted.begin() + static_cast<std::ptrdiff_t>(a),
                        shifted.begin() + static_cast<std::ptrdiff_t>(b),
                        shifted.begin() + static_cast<std::ptrdiff_t>(c));
            if (!seen.insert(shifted).second) continue;
            best = std::min(best, shifts + word_distance(shifted, reference));
            next.insert(std::move(shifted));
          }
    frontier = std::move(next);
  }
  return best;
}

Words random_words(SplitMix64* random, uint64_t max_length, uint64_t kinds) {
  Words words(random->below(max_length + 1));
  for (int32_t& word : words) word = static_cast<int32_t>(random->below(kinds));
  return words;
}

TEST(TranslationEdits, LieBetweenTheTrueMinimumAndTheEditDistance) {
  SplitMix64 random(3);
  int shifted = 0;
  for (int trial = 0; trial < 400; ++trial) {
    const Words hypothesis = random_words(&random, 6, 5);
    Words reference = hypothesis;
    if (trial % 2 == 0 && reference.size() > 2) {
      std::rotate(reference.begin(), reference.begin() + 1 + static_cast<std::ptrdiff_t>(random.below(2)),
                  reference.end());
    } else {
      reference = random_words(&random, 6, 5);
    }
    const int64_t edits = translation_edits(hypothesis, reference);
    const int64_t distance = word_distance(hypothesis, reference);
    EXPECT_LE(edits, distance);
    const int64_t least = reference.empty() ? edits : least_edits(hypothesis, reference);
    EXPECT_GE(edits, least);
    shifted += edits < distance ? 1 : 0;
  }
  EXPECT_GT(shifted, 100);  // shifts do happen
}

TEST(TranslationEdits, OneMovedBlockIsOneEdit) {
  Words reference;
  for (int32_t i = 0; i < 40; ++i) reference.push_back(i);
  Words hypothesis = reference;
  std::rotate(hypothesis.begin() + 3, hypothesis.begin() + 11, hypothesis.begin() + 30);  // 8 words, 19 places
  EXPECT_EQ(translation_edits(hypothesis, reference), 1);
  EXPECT_EQ(translation_edits(reference, reference), 0);
  EXPECT_EQ(translation_edits({}, reference), 40);
  EXPECT_EQ(translation_edits(reference, {}), 40);
  EXPECT_EQ(translation_edits({}, {}), 0);
}

TEST(TranslationEdits, UnequalLengthsStayInsideTheTable) {
  SplitMix64 random(9);
  for (const auto& [a, b] : std::vector<std::pair<size_t, size_t>>{{1, 400}, {400, 1}, {3, 151}, {7, 350}, {350, 7}}) {
    Words hypothesis(a);
    Words reference(b);
    for (int32_t& word : hypothesis) word = static_cast<int32_t>(random.below(3));
    for (int32_t& word : reference) word = static_cast<int32_t>(random.below(3));
    const auto difference = static_cast<int64_t>(std::max(a, b) - std::min(a, b));
    EXPECT_GE(translation_edits(hypothesis, reference), difference);
    EXPECT_LE(translation_edits(hypothesis, reference), static_cast<int64_t>(std::max(a, b)));
  }
}

TEST(TercomTokenize, FollowsItsOptions) {
  TerOptions options;
  EXPECT_EQ(tercom_tokenize("  A \t B. ", options), "a b.");
  options.case_sensitive = true;
  EXPECT_EQ(tercom_tokenize("A B.", options), "A B.");
  options.normalized = true;
  EXPECT_EQ(tercom_tokenize("Don't say &quot;3.5&quot;, it's 4-5.", options), "Don't say \" 3.5 \" , it 's 4 - 5 .");
  options.no_punct = true;
  EXPECT_EQ(tercom_tokenize("a, b! (c)。", options), "a b c 。");
  options.asian_support = true;
  EXPECT_EQ(tercom_tokenize("中文 a。", options), "中 文 a");
}

}  // namespace
}  // namespace litenat::eval
