// A tagger as trained (libtorch modules, padded batches) and as deployed (inference graph, packed rows) are one model:
// the same parameter names and shapes, the same numbers.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "nn/tagger.h"
#include "runtime/executor.h"
#include "runtime/testing/random_model.h"
#include "runtime/testing/specs.h"

namespace litenat {
namespace {

namespace fixtures = runtime::testing;

const std::vector<int32_t> kLengths = {7, 1, 19, 4};
constexpr int64_t kPad = 1;

/// The modules' parameters, random, as the weights of a deployable model (taps normalised).
fixtures::RandomWeights randomise(nn::Tagger* tagger, const graph::Graph& graph) {
  torch::manual_seed(1);
  torch::NoGradGuard no_grad;
  fixtures::RandomWeights weights;
  for (const auto& item : tagger->named_parameters()) {
    torch::Tensor parameter = item.value();
    const bool gain = item.key().find("norm") != std::string::npos && fixtures::ends_with(item.key(), ".weight");
    parameter.uniform_(-0.4, 0.4).add_(gain ? 1.0 : 0.0);
    const torch::Tensor values = parameter.contiguous().flatten();
    weights[item.key()] = {parameter.sizes().vec(),
                           {values.data_ptr<float>(), values.data_ptr<float>() + values.numel()}};
  }
  for (const graph::Node& node : graph.nodes) {
    if (node.op != graph::Op::kLightConv) continue;
    fixtures::RandomTensor& taps = weights[graph.weights[static_cast<size_t>(node.weights[0])].name];
    const bool depthwise = node.attributes.heads == node.type.columns && !tagger->spec().encoder.blocks.empty() &&
                           tagger->spec().encoder.blocks[0].conv.kind == graph::ConvKind::kDepthwise;
    if (!depthwise) fixtures::normalise_taps(&taps);
  }
  return weights;
}

struct Batch {
  torch::Tensor ids;   // [B, T], padded
  torch::Tensor mask;  // [B, T]
  std::vector<int32_t> packed;
};

Batch make_batch(int64_t vocabulary) {
  SplitMix64 random(2);
  Batch batch;
  const int64_t rows = static_cast<int64_t>(kLengths.size());
  batch.ids = torch::full({rows, 19}, kPad, torch::kInt64);
  batch.mask = torch::zeros({rows, 19}, torch::kBool);
  for (int64_t b = 0; b < rows; ++b)
    for (int64_t t = 0; t < kLengths[static_cast<size_t>(b)]; ++t) {
      const int64_t id = 4 + static_cast<int64_t>(random.below(static_cast<uint64_t>(vocabulary) - 4));
      batch.packed.push_back(static_cast<int32_t>(id));
      batch.ids.index_put_({b, t}, id);
      batch.mask.index_put_({b, t}, true);
    }
  return batch;
}

/// Largest difference of packed rows [rows, columns] from those of a padded batch, relative to their norm.
double difference(Span<const float> found, const torch::Tensor& padded, const torch::Tensor& mask) {
  const torch::Tensor expected = padded.index({mask}).to(torch::kFloat64).contiguous();
  EXPECT_EQ(static_cast<int64_t>(found.size()), expected.numel());
  const double* values = expected.data_ptr<double>();
  double error = 0;
  double norm = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    error = std::max(error, std::abs(static_cast<double>(found[i]) - values[i]));
    norm += values[i] * values[i];
  }
  return error / std::sqrt(norm / static_cast<double>(found.size()));
}

class TaggerParity : public ::testing::TestWithParam<fixtures::NamedSpec> {};

TEST_P(TaggerParity, GraphAndModulesHaveTheSameWeights) {
  const graph::ModelSpec& spec = GetParam().spec;
  const graph::Graph graph = graph::build_graph(spec).value();
  nn::Tagger tagger(spec, nn::DropoutSpec());
  std::map<std::string, std::vector<int64_t>> trained;
  for (const auto& item : tagger.named_parameters()) trained[item.key()] = item.value().sizes().vec();
  std::map<std::string, std::vector<int64_t>> deployed;
  for (const graph::Weight& weight : graph.weights) deployed[weight.name] = weight.shape;
  if (spec.head.kind == graph::HeadKind::kCrf)
    for (const char* name : {"crf_layer.E1.weight", "crf_layer.E2.weight"})
      deployed[name] = {spec.target_vocabulary, spec.head.crf_rank};
  EXPECT_EQ(trained, deployed);
}

TEST_P(TaggerParity, GraphAndModulesComputeTheSame) {
  const graph::ModelSpec& spec = GetParam().spec;
  nn::Tagger tagger(spec, nn::DropoutSpec());
  tagger.eval();
  fixtures::RandomWeights weights = randomise(&tagger, graph::build_graph(spec).value());
  const auto model = fixtures::make_model(spec, fixtures::Precision::kF32, &weights);
  const auto executor = runtime::Executor::create(model).value();
  const Batch batch = make_batch(spec.source_vocabulary);
  const auto found = executor->run(batch.packed, kLengths);
  ASSERT_TRUE(found.ok()) << found.status().message();
  torch::NoGradGuard no_grad;
  const nn::Tagger::Output expected = tagger.forward(batch.ids, batch.mask);
  EXPECT_LT(difference(found->emissions, expected.emissions, batch.mask), 2e-5);
  ASSERT_EQ(expected.boundary.defined(), spec.head.boundary);
  if (spec.head.boundary) {
    EXPECT_LT(difference(found->boundary, expected.boundary, batch.mask), 2e-5);
  }
  if (spec.head.kind == graph::HeadKind::kCrf) {
    const torch::Tensor table = tagger.crf_from().matmul(tagger.crf_to().t());
    for (int32_t a = 0; a < 37; a += 5)
      for (int32_t b = 0; b < 37; b += 3)
        EXPECT_NEAR(executor->transition(a, b), table.index({a, b}).item<float>(), 1e-5);
  }
}

INSTANTIATE_TEST_SUITE_P(Specs, TaggerParity, ::testing::ValuesIn(fixtures::all_specs()),
                         [](const auto& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace litenat
