#include "decode/crf_viterbi.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace litenat::decode {
namespace {

struct RandomCrf {
  std::vector<float> e1, e2;
  std::vector<std::vector<int32_t>> ids;
  std::vector<std::vector<float>> scores;
  std::vector<CrfPosition> positions;
  LowRankTransitions transitions;

  RandomCrf(uint64_t seed, size_t length) {
    constexpr int32_t kVocabulary = 9;
    constexpr int32_t kRank = 3;
    SplitMix64 random(seed);
    const auto draw = [&] { return static_cast<float>(random.uniform() * 4 - 2); };
    for (int i = 0; i < kVocabulary * kRank; ++i) e1.push_back(draw()), e2.push_back(draw());
    for (size_t i = 0; i < length; ++i) {
      ids.emplace_back();
      scores.emplace_back();
      for (int32_t v = 0; v < kVocabulary; ++v) {
        if (v > 0 && random.uniform() < 0.6) continue;
        ids.back().push_back(v);
        scores.back().push_back(draw());
      }
    }
    for (size_t i = 0; i < length; ++i) positions.push_back({ids[i], scores[i]});
    transitions = {e1, e2, kRank};
  }

  // Every path: the best score and the log of the sum.
  void enumerate(size_t i, int32_t previous, double score, double* best, double* sum) const {
    if (i == positions.size()) {
      *best = std::max(*best, score);
      *sum += std::exp(score);
      return;
    }
    for (size_t c = 0; c < ids[i].size(); ++c) {
      double step = scores[i][c];
      for (int k = 0; i > 0 && k < 3; ++k)
        step += e1[static_cast<size_t>(previous * 3 + k)] * e2[static_cast<size_t>(ids[i][c] * 3 + k)];
      enumerate(i + 1, ids[i][c], score + step, best, sum);
    }
  }
};

TEST(CrfViterbi, EqualsBruteForce) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const RandomCrf crf(seed, 1 + seed % 6);
    double best = -1e30;
    double sum = 0;
    crf.enumerate(0, 0, 0, &best, &sum);
    const CrfPath path = crf_viterbi(crf.positions, crf.transitions);
    EXPECT_NEAR(path.score, best, 1e-4);
    EXPECT_NEAR(crf_log_partition(crf.positions, crf.transitions), std::log(sum), 1e-5);
    // The score of each position is what it adds: recomputed along the path.
    double total = 0;
    for (size_t i = 0; i < path.ids.size(); ++i) {
      const auto at =
          static_cast<size_t>(std::find(crf.ids[i].begin(), crf.ids[i].end(), path.ids[i]) - crf.ids[i].begin());
      ASSERT_LT(at, crf.ids[i].size());
      const float transition = i == 0 ? 0 : crf.transitions(path.ids[i - 1], path.ids[i]);
      EXPECT_NEAR(path.position_scores[i], crf.scores[i][at] + transition, 1e-5);
      total += path.position_scores[i];
    }
    EXPECT_NEAR(total, path.score, 1e-4);
  }
}

TEST(CrfViterbi, NothingToChoose) {
  const LowRankTransitions none;
  EXPECT_TRUE(crf_viterbi({}, none).ids.empty());
  EXPECT_EQ(crf_log_partition({}, none), 0);
  EXPECT_TRUE(crf_viterbi({CrfPosition{}}, none).ids.empty());
  EXPECT_TRUE(std::isinf(crf_log_partition({CrfPosition{}}, none)));
}

}  // namespace
}  // namespace litenat::decode
