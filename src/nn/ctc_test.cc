#include "nn/ctc.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace litenat::nn {
namespace {

using torch::Tensor;

constexpr int64_t kBlank = 3, kVocabulary = 5;

std::vector<int64_t> collapsed(const std::vector<int64_t>& path) {
  std::vector<int64_t> said;
  for (size_t t = 0; t < path.size(); ++t)
    if (path[t] != kBlank && (t == 0 || path[t] != path[t - 1])) said.push_back(path[t]);
  return said;
}

struct Enumerated {
  double log_sum = -std::numeric_limits<double>::infinity();
  double best = -std::numeric_limits<double>::infinity();
  std::vector<int64_t> path;  // the best one
};

/// All of V^T paths, one by one. log_probs [T, V] fp64.
Enumerated enumerate(const Tensor& log_probs, const std::vector<int64_t>& target) {
  const auto rows = static_cast<size_t>(log_probs.size(0));
  const auto p = log_probs.accessor<double, 2>();
  std::vector<int64_t> path(rows, 0);
  Enumerated result;
  double sum = 0;
  while (true) {
    double score = 0;
    for (size_t t = 0; t < rows; ++t) score += p[static_cast<int64_t>(t)][path[t]];
    if (collapsed(path) == target) {
      sum += std::exp(score);
      if (score > result.best) {
        result.best = score;
        result.path = path;
      }
    }
    size_t t = 0;
    while (t < rows && ++path[t] == kVocabulary) path[t++] = 0;
    if (t == rows) break;
  }
  result.log_sum = std::log(sum);
  return result;
}

/// Sentences of different lengths: empty, repeated, tight and impossible targets; padding full of other tokens.
struct Sentences {
  std::vector<std::vector<int64_t>> targets = {{4, 0}, {2, 2}, {}, {1, 4, 1}, {0, 0, 0}, {4}};
  std::vector<int64_t> lengths = {5, 3, 4, 3, 4, 1};
  CtcBatch batch;

  explicit Sentences(int64_t seed) {
    torch::manual_seed(static_cast<uint64_t>(seed));
    const auto count = static_cast<int64_t>(targets.size());
    batch.log_probs = at::log_softmax(2 * at::randn({count, 5, kVocabulary}, torch::kDouble), -1);
    batch.lengths = at::tensor(lengths, torch::kLong);
    batch.targets = at::randint(kVocabulary, {count, 3}, torch::kLong);
    std::vector<int64_t> target_lengths;
    for (size_t b = 0; b < targets.size(); ++b) {
      for (size_t i = 0; i < targets[b].size(); ++i)
        batch.targets[static_cast<int64_t>(b)][static_cast<int64_t>(i)] = targets[b][i];
      target_lengths.push_back(static_cast<int64_t>(targets[b].size()));
    }
    batch.target_lengths = at::tensor(target_lengths, torch::kLong);
    batch.blank = kBlank;
  }

  Enumerated enumerated(size_t b) const {
    return enumerate(batch.log_probs[static_cast<int64_t>(b)].narrow(0, 0, lengths[b]).contiguous(), targets[b]);
  }
};

TEST(Ctc, LossAndBestPathAreThoseOfEnumeration) {
  for (const int64_t seed : {1, 2, 3}) {
    const Sentences sentences(seed);
    const Tensor loss = ctc_loss(sentences.batch);
    const CtcPath path = ctc_best_path(sentences.batch);
    for (size_t b = 0; b < sentences.targets.size(); ++b) {
      const Enumerated expected = sentences.enumerated(b);
      const auto row = static_cast<int64_t>(b);
      if (expected.path.empty()) {
        EXPECT_EQ(loss[row].item<double>(), 0.0) << b;
        EXPECT_EQ(path.score[row].item<double>(), -std::numeric_limits<double>::infinity()) << b;
        EXPECT_TRUE(path.tokens[row].narrow(0, 0, sentences.lengths[b]).eq(kBlank).all().item<bool>()) << b;
        continue;
      }
      EXPECT_NEAR(loss[row].item<double>(), -expected.log_sum, 1e-10) << b;
      EXPECT_NEAR(path.score[row].item<double>(), expected.best, 1e-10) << b;
      for (int64_t t = 0; t < 5; ++t) {
        const int64_t wanted = t < sentences.lengths[b] ? expected.path[static_cast<size_t>(t)] : 1;
        EXPECT_EQ(path.tokens[row][t].item<int64_t>(), wanted) << b << " " << t;
      }
    }
  }
}

TEST(Ctc, GradientIsThatOfFiniteDifferences) {
  const Sentences sentences(4);
  const Tensor logits = at::randn({6, 5, kVocabulary}, torch::kDouble);
  const auto loss_of = [&](const Tensor& x) {
    CtcBatch batch = sentences.batch;
    batch.log_probs = at::log_softmax(x, -1);
    return ctc_loss(batch).sum();
  };
  const Tensor x = logits.clone().requires_grad_();
  loss_of(x).backward();
  constexpr double kStep = 1e-6;
  for (int64_t i = 0; i < logits.numel(); i += 7) {
    Tensor up = logits.clone(), down = logits.clone();
    up.view(-1)[i] += kStep;
    down.view(-1)[i] -= kStep;
    const double expected = (loss_of(up) - loss_of(down)).item<double>() / (2 * kStep);
    EXPECT_NEAR(x.grad().view(-1)[i].item<double>(), expected, 1e-7) << i;
  }
}

TEST(Ctc, SinglePrecisionStaysClose) {
  Sentences sentences(5);
  const Tensor expected = ctc_loss(sentences.batch);
  sentences.batch.log_probs = sentences.batch.log_probs.to(torch::kFloat);
  EXPECT_TRUE(at::allclose(ctc_loss(sentences.batch).to(torch::kDouble), expected, 1e-5, 1e-6));
}

TEST(Ctc, WrongShapesAreErrors) {
  Sentences sentences(6);
  sentences.batch.lengths = sentences.batch.lengths.narrow(0, 0, 3);
  EXPECT_THROW(ctc_best_path(sentences.batch), c10::Error);
  Sentences half(6);
  half.batch.log_probs = half.batch.log_probs.to(torch::kBFloat16);
  EXPECT_THROW(ctc_loss(half.batch), c10::Error);
}

}  // namespace
}  // namespace litenat::nn
