#include "runtime/candidates.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/random.h"

namespace litenat::runtime {
namespace {

class CandidatesTest : public ::testing::Test {
 protected:
  CandidatesTest() : kernels_(*kernels::kernels().value()), threads_(std::move(ThreadPool::create(3)).value()) {}

  /// Few different values, so that many tokens tie.
  static std::vector<float> random_logits(size_t count, uint64_t values, uint64_t seed) {
    SplitMix64 random(seed);
    std::vector<float> logits(count);
    const float step = 10.0f / static_cast<float>(values);
    for (float& logit : logits) logit = static_cast<float>(random.below(values)) * step - 3.0f;
    return logits;
  }

  void expect_sorted_prefix(const std::vector<float>& logits, int64_t vocabulary, int32_t k) {
    const int64_t rows = static_cast<int64_t>(logits.size()) / vocabulary;
    Candidates candidates;
    ASSERT_TRUE(candidates.begin(rows, k, {}).ok());
    ASSERT_TRUE(candidates.add(kernels_, threads_.get(), logits.data(), 0, rows, vocabulary));
    const decode::RowCandidates found = candidates.results();
    ASSERT_EQ(found.per_row, k);
    ASSERT_EQ(found.tokens.size(), static_cast<size_t>(rows * k));
    for (int64_t row = 0; row < rows; ++row) {
      const float* line = logits.data() + row * vocabulary;
      std::vector<int32_t> order(static_cast<size_t>(vocabulary));
      for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int32_t>(i);
      std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return line[a] > line[b]; });
      double sum = 0;
      for (int64_t i = 0; i < vocabulary; ++i) sum += std::exp(static_cast<double>(line[i]));
      EXPECT_NEAR(found.log_sum[static_cast<size_t>(row)], std::log(sum), 1e-5);
      for (int64_t i = 0; i < k; ++i) {
        const size_t at = static_cast<size_t>(row * k + i);
        ASSERT_EQ(found.tokens[at], order[static_cast<size_t>(i)]) << "row " << row << " place " << i;
        ASSERT_EQ(found.logits[at], line[order[static_cast<size_t>(i)]]);
      }
    }
  }

  bool add(const std::vector<float>& logits, int32_t k, Span<const int32_t> wanted = {}) {
    Candidates candidates;
    EXPECT_TRUE(candidates.begin(1, k, wanted).ok());
    return candidates.add(kernels_, threads_.get(), logits.data(), 0, 1, static_cast<int64_t>(logits.size()));
  }

  const kernels::Kernels& kernels_;
  std::unique_ptr<ThreadPool> threads_;
};

TEST_F(CandidatesTest, EqualASort) {
  for (const int64_t vocabulary : {1, 5, 63, 64, 65, 200, 1000})
    for (const int32_t k : {0, 1, 2, 7, 32, 1000})
      for (const uint64_t values : {uint64_t{3}, uint64_t{1000000}})
        if (k <= vocabulary)
          expect_sorted_prefix(random_logits(static_cast<size_t>(3 * vocabulary), values, 1), vocabulary, k);
}

TEST_F(CandidatesTest, ThreadsShareTheRows) {
  expect_sorted_prefix(random_logits(50 * 4000, 1000, 2), 4000, 9);  // enough to be shared
}

TEST_F(CandidatesTest, RowsComeInBlocksAndWithWantedTokens) {
  const std::vector<float> logits = random_logits(5 * 100, 1000, 3);
  const std::vector<int32_t> wanted = {0, 99, 5, 5, 31};
  Candidates candidates;
  ASSERT_TRUE(candidates.begin(5, 1, wanted).ok());
  ASSERT_TRUE(candidates.add(kernels_, threads_.get(), logits.data(), 0, 2, 100));
  ASSERT_TRUE(candidates.add(kernels_, threads_.get(), logits.data() + 200, 2, 3, 100));
  const decode::RowCandidates found = candidates.results();
  ASSERT_EQ(found.wanted.size(), 5u);
  for (size_t row = 0; row < 5; ++row) {
    const auto line = logits.begin() + static_cast<int64_t>(row * 100);
    EXPECT_EQ(found.wanted[row], line[wanted[row]]);
    EXPECT_EQ(found.logits[row], *std::max_element(line, line + 100));
  }
}

TEST_F(CandidatesTest, ValuesThatAreNotFiniteAreFound) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (size_t place = 0; place < 150; place += 7) {
    std::vector<float> logits(150, 1.0f);
    logits[place] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_FALSE(add(logits, 3)) << place;
    logits[place] = infinity;
    EXPECT_FALSE(add(logits, 0)) << place;
    logits[place] = -infinity;
    EXPECT_TRUE(add(logits, 149)) << "nothing that is handed out is infinite";
    EXPECT_FALSE(add(logits, 150));
    const std::vector<int32_t> wanted = {static_cast<int32_t>(place)};
    EXPECT_FALSE(add(logits, 1, wanted));
  }
}

}  // namespace
}  // namespace litenat::runtime
