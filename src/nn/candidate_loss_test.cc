#include "nn/candidate_loss.h"

#include <gtest/gtest.h>

#include "nn/torch.h"

namespace litenat::nn {
namespace {

using torch::Tensor;

struct Problem {
  Tensor states = torch::randn({9, 5}, torch::kFloat64).requires_grad_();
  Tensor weight = torch::randn({7, 5}, torch::kFloat64).requires_grad_();
  Tensor bias = torch::randn({7}, torch::kFloat64).requires_grad_();
  Tensor inputs = torch::tensor({2, 0, 1, 1, 2, 0, 3, 2, 1}, torch::kInt64);
  Tensor targets = torch::tensor({4, 1, 0, 5, 6, 3, 2, 0, 5}, torch::kInt64);  // rows 5 and 7: not in their sets
  CandidateSets sets{{{1, 2}, {0, 5, 6}, {4, 6}, {}}, 7};

  Tensor allowed() const { return sets.mask(torch::kCPU).index_select(0, inputs); }
  CandidateLoss grouped(double smoothing, SmoothingKind kind) const {
    return candidate_cross_entropy(states, weight, bias, inputs, targets, sets, smoothing, kind);
  }
  CandidateLoss dense(double smoothing, SmoothingKind kind) const {
    const Tensor logits = torch::matmul(states, weight.t()) + bias;
    return masked_cross_entropy(logits, allowed(), targets, smoothing, kind);
  }
};

class CandidateLossTest : public testing::TestWithParam<std::tuple<double, SmoothingKind>> {};

// The grouped form's loss and hand-written gradients against autograd through the dense form.
TEST_P(CandidateLossTest, GroupedEqualsDense) {
  torch::manual_seed(1);
  const auto [smoothing, kind] = GetParam();
  const Problem p;
  const CandidateLoss a = p.grouped(smoothing, kind), b = p.dense(smoothing, kind);
  EXPECT_NEAR(a.loss.item<double>(), b.loss.item<double>(), 1e-10);
  EXPECT_NEAR(a.nll.item<double>(), b.nll.item<double>(), 1e-10);
  EXPECT_EQ(a.correct.item<int64_t>(), b.correct.item<int64_t>());
  const auto parameters = std::vector<Tensor>{p.states, p.weight, p.bias};
  const auto ga = torch::autograd::grad({a.loss * 3}, parameters), gb = torch::autograd::grad({b.loss * 3}, parameters);
  for (size_t i = 0; i < ga.size(); ++i) EXPECT_LT((ga[i] - gb[i]).abs().max().item<double>(), 1e-10) << i;
}

// The dense form against its definition, row by row in plain loops.
TEST_P(CandidateLossTest, DenseEqualsItsDefinition) {
  torch::manual_seed(2);
  const auto [smoothing, kind] = GetParam();
  const Problem p;
  const Tensor logits = torch::matmul(p.states, p.weight.t()) + p.bias;
  double expected = 0;
  for (int64_t row = 0; row < 9; ++row) {
    const int64_t target = p.targets[row].item<int64_t>();
    std::vector<double> values;
    double z = 0;
    for (int64_t v = 0; v < 7; ++v) {
      if (v != target && !p.allowed()[row][v].item<bool>()) continue;
      values.push_back(logits[row][v].item<double>());
      z += std::exp(values.back());
    }
    const double n = static_cast<double>(values.size());
    const double nll = std::log(z) - logits[row][target].item<double>();
    double all = 0;
    for (const double value : values) all += std::log(z) - value;
    const double each = kind == SmoothingKind::kUniform ? smoothing / n : smoothing / (n - 1);
    expected += (kind == SmoothingKind::kUniform ? 1 - smoothing : 1 - smoothing - each) * nll + each * all;
  }
  EXPECT_NEAR(p.dense(smoothing, kind).loss.item<double>(), expected, 1e-10);
}

INSTANTIATE_TEST_SUITE_P(All, CandidateLossTest,
                         testing::Combine(testing::Values(0.0, 0.1),
                                          testing::Values(SmoothingKind::kUniform, SmoothingKind::kExcludingTarget)));

TEST(CandidateLoss, BiasMayBeAbsent) {
  const Problem p;
  const auto kind = SmoothingKind::kUniform;
  const CandidateLoss a = candidate_cross_entropy(p.states, p.weight, {}, p.inputs, p.targets, p.sets, 0.1, kind);
  const CandidateLoss b =
      masked_cross_entropy(torch::matmul(p.states, p.weight.t()), p.allowed(), p.targets, 0.1, kind);
  EXPECT_NEAR(a.loss.item<double>(), b.loss.item<double>(), 1e-10);
  const auto ga = torch::autograd::grad({a.loss}, {p.weight}), gb = torch::autograd::grad({b.loss}, {p.weight});
  EXPECT_LT((ga[0] - gb[0]).abs().max().item<double>(), 1e-10);
}

TEST(CandidateLoss, RefusesAnIdWithoutASet) {
  const CandidateSets sets({{0, 1}}, 2);
  const Tensor states = torch::zeros({1, 3}), weight = torch::zeros({2, 3});
  const Tensor id = torch::tensor({1}, torch::kInt64);
  EXPECT_ANY_THROW(
      candidate_cross_entropy(states, weight, {}, id, torch::zeros_like(id), sets, 0, SmoothingKind::kUniform));
  EXPECT_ANY_THROW(CandidateSets({{0, 2}}, 2));
}

}  // namespace
}  // namespace litenat::nn
