// The training path on a GPU against the CPU: outputs, losses and gradients of every kind of block. Skipped, and said
// so, on machines without one.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "nn/candidate_loss.h"
#include "nn/crf.h"
#include "nn/tagger.h"
#include "runtime/testing/specs.h"
#include "train/device.h"

namespace litenat {
namespace {

namespace fixtures = runtime::testing;
using torch::Tensor;

/// Why no GPU can be used here; empty when one can.
std::string missing_gpu() {
  const std::string& problem = train::load_cuda();
  if (!problem.empty()) return problem;
  return at::globalContext().hasCUDA() ? "" : "no NVIDIA GPU on this machine";
}

struct Batch {
  Tensor ids, mask, targets;
  Batch to(const torch::Device& device) const { return {ids.to(device), mask.to(device), targets.to(device)}; }
};

Batch random_batch(const graph::ModelSpec& spec) {
  const Tensor lengths = torch::tensor({9, 4, 1, 7}, torch::kInt64);
  Batch batch;
  batch.mask = torch::arange(9).unsqueeze(0).lt(lengths.unsqueeze(1));
  batch.ids = torch::randint(4, spec.source_vocabulary, {4, 9}, torch::kInt64).masked_fill(batch.mask.logical_not(), 1);
  batch.targets = torch::randint(4, spec.target_vocabulary, {4, 9}, torch::kInt64);
  return batch;
}

struct Step {
  Tensor loss;
  std::map<std::string, Tensor> gradients;
};

/// The loss of one batch on `device` and its gradients, brought back to the CPU.
Step run_on(nn::Tagger* tagger, const Batch& cpu_batch, const torch::Device& device) {
  tagger->to(device);
  tagger->zero_grad();
  const Batch batch = cpu_batch.to(device);
  const nn::Tagger::Output out = tagger->forward(batch.ids, batch.mask);
  Tensor loss;
  if (tagger->crf_from().defined()) {
    loss = -nn::crf_log_likelihood(out.emissions, batch.targets, batch.mask, tagger->crf_from(), tagger->crf_to(), 8)
                .sum();
  } else {
    const Tensor log_p = torch::log_softmax(out.emissions, -1).gather(-1, batch.targets.unsqueeze(-1)).squeeze(-1);
    loss = -log_p.masked_select(batch.mask).sum();
  }
  if (out.boundary.defined()) loss = loss + out.boundary.masked_select(batch.mask).square().sum();
  loss.backward();
  Step run;
  run.loss = loss.detach().cpu();
  for (const auto& item : tagger->named_parameters())
    if (item.value().grad().defined()) run.gradients[item.key()] = item.value().grad().cpu().clone();
  return run;
}

double relative_error(const Tensor& found, const Tensor& expected, double floor = 1e-6) {
  return ((found - expected).norm() / (expected.norm() + floor)).item<double>();
}

/// Norm of all gradients together. A part whose true gradient is zero (the bias of attention's keys) holds nothing but
/// rounding: errors are measured against at least a thousandth of the whole.
double total_norm(const Step& step) {
  double sum = 0;
  for (const auto& [name, gradient] : step.gradients) sum += gradient.square().sum().item<double>();
  return std::sqrt(sum);
}

class TaggerOnGpu : public testing::TestWithParam<fixtures::NamedSpec> {};

TEST_P(TaggerOnGpu, LossAndGradientsEqualTheCpus) {
  if (const std::string reason = missing_gpu(); !reason.empty()) GTEST_SKIP() << reason;
  torch::manual_seed(3);
  nn::DropoutSpec none;
  none.dropout = 0;
  nn::Tagger tagger(GetParam().spec, none);
  const Batch batch = random_batch(tagger.spec());
  const Step cpu = run_on(&tagger, batch, torch::kCPU);
  const Step gpu = run_on(&tagger, batch, torch::kCUDA);
  EXPECT_LT(relative_error(gpu.loss, cpu.loss), 1e-5);
  ASSERT_EQ(gpu.gradients.size(), cpu.gradients.size());
  ASSERT_GE(cpu.gradients.size(), 3u);
  const double floor = 1e-3 * total_norm(cpu);
  for (const auto& [name, gradient] : cpu.gradients)
    EXPECT_LT(relative_error(gpu.gradients.at(name), gradient, floor), 2e-4) << name;
}

INSTANTIATE_TEST_SUITE_P(Specs, TaggerOnGpu, testing::ValuesIn(fixtures::all_specs()),
                         [](const auto& test) { return test.param.name; });

TEST(CandidateLossOnGpu, EqualsTheGroupedFormOfTheCpu) {
  if (const std::string reason = missing_gpu(); !reason.empty()) GTEST_SKIP() << reason;
  torch::manual_seed(4);
  const nn::CandidateSets sets({{1, 2, 9}, {0, 5, 6}, {4, 6}, {}}, 10);
  const Tensor states = torch::randn({64, 12}), weight = torch::randn({10, 12}), bias = torch::randn({10});
  const Tensor inputs = torch::randint(0, 4, {64}, torch::kInt64), targets = torch::randint(0, 10, {64}, torch::kInt64);
  const auto kind = nn::SmoothingKind::kUniform;
  const auto cpu = nn::candidate_cross_entropy(states, weight, bias, inputs, targets, sets, 0.1, kind);
  const auto gpu = nn::candidate_cross_entropy(states.cuda(), weight.cuda(), bias.cuda(), inputs.cuda(), targets.cuda(),
                                               sets, 0.1, kind);
  EXPECT_LT(relative_error(gpu.loss.cpu(), cpu.loss), 1e-5);
  EXPECT_EQ(gpu.correct.item<int64_t>(), cpu.correct.item<int64_t>());
}

}  // namespace
}  // namespace litenat
