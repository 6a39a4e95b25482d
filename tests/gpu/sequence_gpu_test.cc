// Sequence models on a GPU against the CPU: losses and gradients, whole and step by step, convolutions and CTC.
// Skipped, and said so, on machines without one.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "nn/light_conv.h"
#include "nn/sequence_testing.h"
#include "train/ctc.h"
#include "train/device.h"

namespace litenat {
namespace {

using nn::testing::NamedSpec;
using nn::testing::Rows;
using torch::Tensor;

/// Why no GPU can be used here; empty when one can.
std::string missing_gpu() {
  const std::string& problem = train::load_cuda();
  if (!problem.empty()) return problem;
  return at::globalContext().hasCUDA() ? "" : "no NVIDIA GPU on this machine";
}

double relative_error(const Tensor& found, const Tensor& expected, double floor = 1e-6) {
  return ((found.cpu() - expected.cpu()).norm() / (expected.cpu().norm() + floor)).item<double>();
}

class SequenceOnGpu : public testing::TestWithParam<NamedSpec> {
 protected:
  void SetUp() override {
    if (const std::string reason = missing_gpu(); !reason.empty()) GTEST_SKIP() << reason;
    torch::manual_seed(3);
    model_ = std::make_unique<nn::SequenceModel>(GetParam().spec, nn::DropoutSpec());
    model_->eval();
    source_ = nn::testing::random_rows({9, 4, 1, 7}, 9);
    input_ = nn::testing::random_rows({5, 8, 3, 1}, 8);
  }

  nn::Encoded encode(const torch::Device& device) const {
    return model_->encode(source_.ids.to(device), source_.mask.to(device));
  }

  struct Run {
    Tensor loss;
    std::map<std::string, Tensor> gradients;
  };
  Run run(const torch::Device& device) {
    model_->to(device);
    model_->zero_grad();
    const nn::Encoded encoded = encode(device);
    const Tensor mask = input_.mask.to(device);
    const Tensor logits = model_->logits(model_->decode(input_.ids.to(device), mask, encoded).index({mask}));
    const Tensor gold = at::arange(logits.size(0), torch::TensorOptions(torch::kLong).device(device)) % 11;
    Run result{at::cross_entropy_loss(logits, gold), {}};
    const Tensor length = model_->length_logits(encoded);
    if (length.defined()) result.loss = result.loss + at::log_softmax(length, -1).square().mean();
    result.loss.backward();
    for (const auto& p : model_->named_parameters())
      if (p.value().grad().defined()) result.gradients[p.key()] = p.value().grad().cpu().clone();
    return result;
  }

  std::unique_ptr<nn::SequenceModel> model_;
  Rows source_, input_;
};

TEST_P(SequenceOnGpu, LossAndGradientsEqualTheCpus) {
  const Run cpu = run(torch::kCPU), gpu = run(torch::kCUDA);
  EXPECT_LT(relative_error(gpu.loss.detach(), cpu.loss.detach()), 1e-5);
  ASSERT_EQ(gpu.gradients.size(), cpu.gradients.size());
  double squares = 0;
  for (const auto& [name, gradient] : cpu.gradients) squares += gradient.square().sum().item<double>();
  for (const auto& [name, gradient] : cpu.gradients)
    EXPECT_LT(relative_error(gpu.gradients.at(name), gradient, 1e-3 * std::sqrt(squares)), 2e-4) << name;
}

TEST_P(SequenceOnGpu, AutocastStaysClose) {
  model_->to(torch::kCUDA);
  const Tensor mask = input_.mask.cuda();
  const auto logits = [&] {
    return model_->logits(model_->decode(input_.ids.cuda(), mask, encode(torch::kCUDA))).index({mask});
  };
  const Tensor full = logits();
  Tensor half;
  {
    const train::Autocast autocast(train::Precision::kBf16);
    half = logits();
  }
  EXPECT_EQ(half.scalar_type(), torch::kBFloat16);
  EXPECT_LT(relative_error(half.detach().to(torch::kFloat), full.detach()), 0.03);
  half.to(torch::kFloat).square().sum().backward();
  for (const auto& p : model_->named_parameters())
    if (p.value().grad().defined()) {
      EXPECT_TRUE(at::isfinite(p.value().grad()).all().item<bool>()) << p.key();
    }
}

class SequenceStepsOnGpu : public SequenceOnGpu {};

TEST_P(SequenceStepsOnGpu, EqualTheWholePass) {
  const torch::NoGradGuard no_grad;
  model_->to(torch::kCUDA);
  const nn::Encoded encoded = encode(torch::kCUDA);
  const Tensor ids = at::randint(3, 11, {4, 6}, torch::kLong).cuda();
  const Tensor expected = model_->decode(ids, at::ones_like(ids, torch::kBool), encoded);
  const auto state = model_->begin(encoded);
  for (int64_t t = 0; t < 6; ++t)
    EXPECT_LT(nn::testing::largest(model_->step(ids.select(1, t), state.get()) - expected.select(1, t)), 1e-4) << t;
}

INSTANTIATE_TEST_SUITE_P(Specs, SequenceOnGpu, testing::ValuesIn(nn::testing::all_specs()),
                         [](const auto& test) { return test.param.name; });
INSTANTIATE_TEST_SUITE_P(Specs, SequenceStepsOnGpu, testing::ValuesIn(nn::testing::autoregressive_specs()),
                         [](const auto& test) { return test.param.name; });

/// 600 rows are beyond the products with band matrices.
TEST(ConvolutionOnGpu, EqualsTheCpus) {
  if (const std::string reason = missing_gpu(); !reason.empty()) GTEST_SKIP() << reason;
  torch::manual_seed(5);
  for (const int64_t rows : {1, 5, 33, 600})
    for (const bool dynamic : {false, true}) {
      const Tensor lengths = at::tensor({rows, rows / 2}, torch::kLong);
      const Tensor x = at::randn({2, rows, 12}, at::TensorOptions().requires_grad(true));
      const Tensor logits = dynamic ? at::randn({2, rows, 3, 7}) : at::randn({3, 7});
      const Tensor taps = at::softmax(logits, -1).requires_grad_();
      const auto run = [&](const Tensor& input, const Tensor& weights) {
        const Tensor lengths_there = lengths.to(input.device());
        const Tensor y = dynamic ? nn::dynamic_conv(input, weights, 3, lengths_there)
                                 : nn::light_conv(input, weights, 3, lengths_there);
        return torch::autograd::grad({y.sin().sum()}, {x, taps});
      };
      const auto cpu = run(x, taps), gpu = run(x.cuda(), taps.cuda());
      EXPECT_LT(relative_error(gpu[0], cpu[0]), 1e-5) << rows << dynamic;
      EXPECT_LT(relative_error(gpu[1], cpu[1]), 1e-5) << rows << dynamic;
    }
}

TEST(CtcOnGpu, EqualsTheCpus) {
  if (const std::string reason = missing_gpu(); !reason.empty()) GTEST_SKIP() << reason;
  torch::manual_seed(6);
  const std::vector<int64_t> rows = {12, 7, 3, 9}, lengths = {5, 3, 1, 0};
  const Tensor log_p = at::log_softmax(at::randn({4, 12, 9}), -1), targets = at::randint(4, 9, {4, 5}, torch::kLong);
  const auto mask_of = [](const std::vector<int64_t>& sizes, int64_t longest) {
    return at::arange(longest).unsqueeze(0) < at::tensor(sizes, torch::kLong).unsqueeze(1);
  };
  const Tensor row_mask = mask_of(rows, 12), target_mask = mask_of(lengths, 5);
  EXPECT_LT(relative_error(train::ctc_loss(log_p.cuda(), targets.cuda(), rows, lengths),
                           train::ctc_loss(log_p, targets, rows, lengths)),
            1e-5);
  const Tensor there = train::best_alignment(log_p.cuda(), targets.cuda(), row_mask.cuda(), target_mask.cuda());
  EXPECT_TRUE(at::equal(there.cpu(), train::best_alignment(log_p, targets, row_mask, target_mask)));
}

}  // namespace
}  // namespace litenat
