#include "nn/crf.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace litenat::nn {
namespace {

using torch::Tensor;

constexpr int64_t kVocabulary = 4, kRank = 3;

struct Sample {
  Tensor emissions, targets, mask, from, to;
};

Sample make_sample(const std::vector<int64_t>& lengths, int64_t rows) {
  torch::manual_seed(11);
  const auto batch = static_cast<int64_t>(lengths.size());
  const auto options = at::device(at::kCPU).dtype(torch::kDouble);
  const Tensor mask = at::arange(rows).unsqueeze(0) < at::tensor(lengths, torch::kLong).unsqueeze(1);
  return {at::randn({batch, rows, kVocabulary}, options), at::randint(kVocabulary, {batch, rows}, torch::kLong), mask,
          at::randn({kVocabulary, kRank}, options), at::randn({kVocabulary, kRank}, options)};
}

double score_of(const Sample& s, int64_t b, const std::vector<int64_t>& path) {
  double score = 0;
  for (size_t t = 0; t < path.size(); ++t) {
    score += s.emissions[b][static_cast<int64_t>(t)][path[t]].item<double>();
    if (t > 0) score += (s.from[path[t - 1]] * s.to[path[t]]).sum().item<double>();
  }
  return score;
}

struct Enumeration {
  double log_sum = -std::numeric_limits<double>::infinity();
  double best_score = -std::numeric_limits<double>::infinity();
  std::vector<int64_t> best;
  std::vector<std::vector<double>> marginals;  // [T][V]
};

/// Scores every path of sentence b.
Enumeration enumerate(const Sample& s, int64_t b) {
  const auto rows = static_cast<size_t>(s.mask[b].sum().item<int64_t>());
  std::vector<std::vector<int64_t>> paths{{}};
  for (size_t t = 0; t < rows; ++t) {
    std::vector<std::vector<int64_t>> longer;
    for (const auto& path : paths)
      for (int64_t v = 0; v < kVocabulary; ++v) {
        longer.push_back(path);
        longer.back().push_back(v);
      }
    paths = longer;
  }
  Enumeration result;
  std::vector<double> scores;
  double sum = 0;
  for (const auto& path : paths) {
    scores.push_back(score_of(s, b, path));
    sum += std::exp(scores.back());
    if (scores.back() > result.best_score) result.best_score = scores.back(), result.best = path;
  }
  result.log_sum = std::log(sum);
  result.marginals.assign(rows, std::vector<double>(kVocabulary, 0.0));
  for (size_t i = 0; i < paths.size(); ++i)
    for (size_t t = 0; t < rows; ++t)
      result.marginals[t][static_cast<size_t>(paths[i][t])] += std::exp(scores[i] - result.log_sum);
  return result;
}

std::vector<int64_t> target_of(const Sample& s, int64_t b) {
  std::vector<int64_t> path;
  for (int64_t t = 0; t < s.mask[b].sum().item<int64_t>(); ++t) path.push_back(s.targets[b][t].item<int64_t>());
  return path;
}

Tensor log_likelihood(const Sample& s, int64_t beam, const Tensor& candidates = {}) {
  return crf_log_likelihood(s.emissions, s.targets, s.mask, s.from, s.to, beam, candidates);
}

Tensor log_partition(const Sample& s) {
  const CrfBeam beam = select_beam(s.emissions, kVocabulary);
  return crf_log_partition(beam.scores, crf_transitions(beam.tokens, s.from, s.to), s.mask.sum(1));
}

TEST(Crf, PartitionAndLikelihoodAreThoseOfAllPaths) {
  const Sample s = make_sample({5, 3, 1, 0}, 5);
  const Tensor partition = log_partition(s), likelihood = log_likelihood(s, kVocabulary);
  for (int64_t b = 0; b < 3; ++b) {
    const Enumeration all = enumerate(s, b);
    EXPECT_NEAR(partition[b].item<double>(), all.log_sum, 1e-10);
    EXPECT_NEAR(likelihood[b].item<double>(), score_of(s, b, target_of(s, b)) - all.log_sum, 1e-10);
  }
  EXPECT_EQ(partition[3].item<double>(), 0.0);
  EXPECT_EQ(likelihood[3].item<double>(), 0.0);
}

TEST(Crf, GradientsOfThePartitionAreTheMarginals) {
  Sample s = make_sample({4, 2, 0}, 4);
  s.emissions.requires_grad_();
  const Tensor grad = torch::autograd::grad({log_partition(s).sum()}, {s.emissions})[0];
  for (int64_t b = 0; b < 3; ++b) {
    const Enumeration all = enumerate(s, b);
    for (int64_t t = 0; t < 4; ++t)
      for (int64_t v = 0; v < kVocabulary; ++v) {
        const bool inside = t < s.mask[b].sum().item<int64_t>();
        const double expected = inside ? all.marginals[static_cast<size_t>(t)][static_cast<size_t>(v)] : 0.0;
        ASSERT_NEAR(grad[b][t][v].item<double>(), expected, 1e-10) << b << ' ' << t << ' ' << v;
      }
  }
}

TEST(Crf, GradientsOfTheLikelihoodAreFiniteDifferences) {
  Sample s = make_sample({4, 2}, 4);
  std::vector<Tensor> variables = {s.emissions, s.from, s.to};
  for (auto& v : variables) v.requires_grad_();
  const Tensor weight = at::tensor(std::vector<double>{0.3, 1.7}, torch::kDouble);
  const auto grads = torch::autograd::grad({(log_likelihood(s, kVocabulary) * weight).sum()}, variables);
  const torch::NoGradGuard no_grad;
  constexpr double kStep = 1e-5;
  for (size_t i = 0; i < variables.size(); ++i) {
    double* values = variables[i].data_ptr<double>();
    for (int64_t j = 0; j < variables[i].numel(); ++j) {
      const double kept = values[j];
      values[j] = kept + kStep;
      const double up = (log_likelihood(s, kVocabulary) * weight).sum().item<double>();
      values[j] = kept - kStep;
      const double down = (log_likelihood(s, kVocabulary) * weight).sum().item<double>();
      values[j] = kept;
      ASSERT_NEAR(grads[i].flatten()[j].item<double>(), (up - down) / (2 * kStep), 1e-8) << i << ' ' << j;
    }
  }
}

TEST(Crf, ViterbiFindsTheBestOfAllPaths) {
  const Sample s = make_sample({5, 3, 1, 0, 4, 5}, 5);
  const CrfPath path = crf_viterbi(select_beam(s.emissions, kVocabulary), s.mask, s.from, s.to);
  for (int64_t b : {0, 1, 2, 4, 5}) {
    const Enumeration all = enumerate(s, b);
    EXPECT_NEAR(path.score[b].item<double>(), all.best_score, 1e-10);
    for (int64_t t = 0; t < 5; ++t) {
      const bool inside = t < static_cast<int64_t>(all.best.size());
      EXPECT_EQ(path.tokens[b][t].item<int64_t>(), inside ? all.best[static_cast<size_t>(t)] : 1);
    }
  }
  EXPECT_EQ(path.score[3].item<double>(), 0.0);
}

TEST(Crf, PaddingChangesNothing) {
  Sample s = make_sample({4, 2}, 4);
  Sample padded = s;
  padded.emissions = at::constant_pad_nd(s.emissions, {0, 0, 0, 3}, 1e4);
  padded.targets = at::constant_pad_nd(s.targets, {0, 3}, -1);
  padded.mask = at::constant_pad_nd(s.mask, {0, 3}, 0);
  EXPECT_TRUE(at::equal(log_likelihood(s, 3), log_likelihood(padded, 3)));
  s.emissions.requires_grad_();
  padded.emissions.requires_grad_();
  const Tensor grad = torch::autograd::grad({log_likelihood(s, 3).sum()}, {s.emissions})[0];
  const Tensor grad_padded = torch::autograd::grad({log_likelihood(padded, 3).sum()}, {padded.emissions})[0];
  EXPECT_TRUE(at::equal(grad_padded.narrow(1, 0, 4), grad));
  EXPECT_EQ(grad_padded.narrow(1, 4, 3).abs().max().item<double>(), 0.0);
  const CrfPath path = crf_viterbi(select_beam(s.emissions, 3), s.mask, s.from, s.to);
  const CrfPath path_padded = crf_viterbi(select_beam(padded.emissions, 3), padded.mask, s.from, s.to);
  EXPECT_TRUE(at::equal(path_padded.tokens.narrow(1, 0, 4), path.tokens));
  EXPECT_TRUE(at::equal(path_padded.score, path.score));
}

TEST(Crf, GoldIsForcedIntoTheBeam) {
  Sample s = make_sample({4, 4}, 4);
  s.targets = s.emissions.argmin(-1);  // what no beam of 2 would hold
  const CrfBeam beam = select_beam(s.emissions, 2, s.targets);
  EXPECT_TRUE(at::equal(beam.tokens.gather(-1, beam.gold.unsqueeze(-1)).squeeze(-1), s.targets));
  const Tensor narrow = log_likelihood(s, 2), all = log_likelihood(s, kVocabulary);
  EXPECT_TRUE(at::isfinite(narrow).all().item<bool>());
  EXPECT_LE(narrow.max().item<double>(), 0.0);
  EXPECT_TRUE((narrow > all).all().item<bool>());  // a narrower beam sums fewer paths
}

TEST(Crf, CandidatesRestrictThePaths) {
  Sample s = make_sample({4, 3}, 4);
  // Token 2 is not allowed anywhere unless it is gold: as if its emission were -inf.
  Tensor candidates = at::ones({2, 4, kVocabulary}, torch::kBool);
  candidates.select(-1, 2).fill_(false);
  Sample cut = s;
  cut.targets = s.targets.masked_fill(s.targets == 2, 0);
  Sample reference = cut;
  reference.emissions = s.emissions.clone();
  reference.emissions.select(-1, 2).fill_(-1e5);
  EXPECT_TRUE(
      at::allclose(log_likelihood(cut, kVocabulary, candidates), log_likelihood(reference, kVocabulary), 0, 1e-9));
  cut.emissions.requires_grad_();
  const Tensor grad = torch::autograd::grad({log_likelihood(cut, kVocabulary, candidates).sum()}, {cut.emissions})[0];
  EXPECT_TRUE(at::isfinite(grad).all().item<bool>());
  EXPECT_EQ(grad.select(-1, 2).abs().max().item<double>(), 0.0);
  const CrfPath path = crf_viterbi(select_beam(s.emissions, kVocabulary, {}, candidates), s.mask, s.from, s.to);
  EXPECT_FALSE(((path.tokens == 2) & s.mask).any().item<bool>());
}

TEST(Crf, PackedRowsGiveTheSame) {
  const Sample s = make_sample({4, 0, 2}, 4);
  const CrfBeam rows = select_beam(s.emissions.index({s.mask}), 3, s.targets.index({s.mask}));
  const Tensor packed =
      crf_log_likelihood(unpack_beam(rows, s.mask.flatten().nonzero().squeeze(1), s.mask), s.mask, s.from, s.to);
  EXPECT_TRUE(at::allclose(packed, log_likelihood(s, 3), 0, 1e-12));
}

TEST(Crf, SumsInFp32UnderAutocast) {
  const Sample s = make_sample({4, 3}, 4);
  Sample single{s.emissions.to(torch::kFloat), s.targets, s.mask, s.from.to(torch::kFloat), s.to.to(torch::kFloat)};
  const Tensor plain = log_likelihood(single, kVocabulary);
  at::autocast::set_autocast_dtype(at::kCPU, torch::kBFloat16);
  at::autocast::set_autocast_enabled(at::kCPU, true);
  const Tensor under_autocast = log_likelihood(single, kVocabulary);
  at::autocast::set_autocast_enabled(at::kCPU, false);
  at::autocast::clear_cache();
  EXPECT_TRUE(at::equal(under_autocast, plain));
  EXPECT_TRUE(at::allclose(plain.to(torch::kDouble), log_likelihood(s, kVocabulary), 0, 1e-5));
}

}  // namespace
}  // namespace litenat::nn
