#include "nn/tagger.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "graph/graph.h"

namespace litenat::nn {
namespace {

using graph::BlockKind;
using graph::ConvKind;
using graph::ModelSpec;
using torch::Tensor;

constexpr int64_t kPad = 1;

ModelSpec plain_spec() {
  ModelSpec spec;
  spec.dim = 16;
  spec.source_vocabulary = 30;
  spec.target_vocabulary = 40;
  spec.encoder.blocks.resize(2);
  for (auto& block : spec.encoder.blocks) {
    block.ffn_dim = 24;
    block.conv.heads = 4;
    block.attention.heads = 2;
  }
  spec.encoder.kernels = {3, 5};
  return spec;
}

struct NamedSpec {
  std::string name;
  ModelSpec spec;
};

NamedSpec dynamic_crf() {
  ModelSpec spec = plain_spec();
  spec.head.kind = graph::HeadKind::kCrf;
  spec.head.crf_rank = 6;
  return {"DynamicCrf", spec};
}

NamedSpec seed_blocks() {
  ModelSpec spec = plain_spec();
  spec.embedding.positions = graph::Positions::kLearned;
  spec.embedding.max_positions = 20;
  for (auto& block : spec.encoder.blocks) block.conv.inner_linear = block.conv.inner_glu = true;
  spec.encoder.blocks[1].conv.inner_glu = false;
  return {"InnerLinear", spec};
}

NamedSpec lightweight_pre_norm() {
  ModelSpec spec = plain_spec();
  spec.encoder.pre_norm = true;
  spec.embedding.dim = 8;
  spec.embedding.scale = true;
  for (auto& block : spec.encoder.blocks) {
    block.conv.kind = ConvKind::kLightweight;
    block.conv.gated_input = false;
    block.conv.dim = 12;
    block.activation = graph::Activation::kGelu;
  }
  spec.head.dim = 10;
  spec.head.bias = false;
  return {"LightweightPreNorm", spec};
}

NamedSpec attention_and_lsra() {
  ModelSpec spec = plain_spec();
  spec.encoder.blocks[0].kind = BlockKind::kAttention;
  spec.encoder.blocks[1].kind = BlockKind::kLsra;
  spec.encoder.blocks[1].attention.dim = 6;
  spec.encoder.blocks[1].conv.dim = 10;
  spec.encoder.blocks[1].conv.heads = 5;
  return {"AttentionAndLsra", spec};
}

NamedSpec keys() {
  ModelSpec spec = plain_spec();
  spec.input = graph::InputKind::kKeys;
  spec.embedding.dim = 4;
  spec.embedding.window_left = 3;
  spec.embedding.window_right = 7;
  spec.encoder.blocks[0].conv.kind = ConvKind::kDepthwise;
  spec.encoder.blocks[1].kind = BlockKind::kLsra;
  spec.encoder.blocks[1].conv.kind = ConvKind::kLightweight;
  spec.encoder.blocks[0].ffn_dim = 0;
  spec.head.boundary = true;
  spec.head.syllable = true;
  spec.syllable_vocabulary = 9;
  return {"KeysWithWindow", spec};
}

NamedSpec sinusoidal() {
  ModelSpec spec = plain_spec();
  spec.embedding.positions = graph::Positions::kSinusoidal;
  spec.embedding.max_positions = 16;
  return {"Sinusoidal", spec};
}

std::vector<NamedSpec> all_specs() {
  return {dynamic_crf(), seed_blocks(), lightweight_pre_norm(), attention_and_lsra(), keys(), sinusoidal()};
}

struct Batch {
  Tensor ids, mask;
};

/// Sentences of these lengths, padded to `rows`.
Batch make_batch(const std::vector<int64_t>& lengths, int64_t rows) {
  const Tensor mask = at::arange(rows).unsqueeze(0) < at::tensor(lengths, torch::kLong).unsqueeze(1);
  const Tensor ids = at::randint(4, 30, mask.sizes(), torch::kLong);
  return {ids.masked_fill(mask.logical_not(), kPad), mask};
}

class TaggerOf : public ::testing::TestWithParam<NamedSpec> {
 protected:
  void SetUp() override { torch::manual_seed(3); }
  std::shared_ptr<Tagger> make() const { return std::make_shared<Tagger>(GetParam().spec, DropoutSpec()); }
};

TEST_P(TaggerOf, ParametersAreTheGraphsWeights) {
  std::map<std::string, std::vector<int64_t>> ours, graphs;
  const auto tagger = make();
  for (const auto& p : tagger->named_parameters()) ours[p.key()] = p.value().sizes().vec();
  ours.erase("head.syllable.weight");
  ours.erase("head.syllable.bias");
  for (const auto& w : value_or_throw(graph::build_graph(GetParam().spec)).weights) graphs[w.name] = w.shape;
  if (tagger->crf_from().defined()) {
    // The CRF's tables belong to the decoder; a graph may or may not list them.
    graphs["crf_layer.E1.weight"] = tagger->crf_from().sizes().vec();
    graphs["crf_layer.E2.weight"] = tagger->crf_to().sizes().vec();
  }
  EXPECT_EQ(ours, graphs);
}

TEST_P(TaggerOf, RowsDependOnTheirSentenceAlone) {
  const auto tagger = make();
  tagger->eval();
  const torch::NoGradGuard no_grad;
  const Batch batch = make_batch({9, 4, 1, 6}, 12);
  const auto together = tagger->forward(batch.ids, batch.mask);
  for (int64_t b = 0; b < 4; ++b) {
    const int64_t length = batch.mask[b].sum().item<int64_t>();
    const Tensor ids = batch.ids.narrow(0, b, 1).narrow(1, 0, length);
    const auto alone = tagger->forward(ids, at::ones_like(ids, torch::kBool));
    const Tensor difference = together.emissions[b].narrow(0, 0, length) - alone.emissions[0];
    EXPECT_LT(difference.abs().max().item<double>(), 1e-5) << b;
    if (alone.boundary.defined()) {
      EXPECT_LT((together.boundary[b].narrow(0, 0, length) - alone.boundary[0]).abs().max().item<double>(), 1e-5);
    }
  }
}

TEST_P(TaggerOf, PaddingIdsDoNotMatter) {
  const auto tagger = make();
  tagger->eval();
  const torch::NoGradGuard no_grad;
  const Batch batch = make_batch({5, 3}, 8);
  const Tensor other_ids = batch.ids.masked_fill(batch.mask.logical_not(), 17);
  const Tensor a = tagger->forward(batch.ids, batch.mask).emissions.index({batch.mask});
  EXPECT_TRUE(at::equal(a, tagger->forward(other_ids, batch.mask).emissions.index({batch.mask})));
}

TEST_P(TaggerOf, DropoutActsInTrainingOnly) {
  const auto tagger = make();
  const torch::NoGradGuard no_grad;
  const Batch batch = make_batch({6, 6}, 6);
  tagger->eval();
  EXPECT_TRUE(at::equal(tagger->encode(batch.ids, batch.mask), tagger->encode(batch.ids, batch.mask)));
  tagger->train();
  EXPECT_FALSE(at::equal(tagger->encode(batch.ids, batch.mask), tagger->encode(batch.ids, batch.mask)));
}

TEST_P(TaggerOf, GradientsReachEveryParameter) {
  const auto tagger = make();
  const Batch batch = make_batch({9, 4}, 9);
  const auto output = tagger->forward(batch.ids, batch.mask);
  Tensor loss = at::log_softmax(output.emissions, -1).select(-1, 5).mean();
  if (output.boundary.defined()) loss = loss + output.boundary.square().mean();
  if (output.syllable.defined()) loss = loss + at::log_softmax(output.syllable, -1).select(-1, 2).mean();
  if (tagger->crf_from().defined()) loss = loss + (tagger->crf_from() * tagger->crf_to()).sum();
  loss.backward();
  for (const auto& p : tagger->named_parameters()) {
    ASSERT_TRUE(p.value().grad().defined()) << p.key();
    EXPECT_TRUE(at::isfinite(p.value().grad()).all().item<bool>()) << p.key();
    EXPECT_GT(p.value().grad().abs().max().item<double>(), 0.0) << p.key();
  }
}

TEST_P(TaggerOf, AutocastStaysClose) {
  const auto tagger = make();
  tagger->eval();
  const Batch batch = make_batch({9, 4}, 9);
  const Tensor full = tagger->forward(batch.ids, batch.mask).emissions.index({batch.mask});
  at::autocast::set_autocast_dtype(at::kCPU, torch::kBFloat16);
  at::autocast::set_autocast_enabled(at::kCPU, true);
  const Tensor half = tagger->forward(batch.ids, batch.mask).emissions.index({batch.mask});
  at::autocast::set_autocast_enabled(at::kCPU, false);
  at::autocast::clear_cache();
  EXPECT_EQ(half.scalar_type(), torch::kBFloat16);
  const Tensor error = (half.to(torch::kFloat) - full).norm() / full.norm();
  EXPECT_LT(error.item<double>(), 0.02);
  half.to(torch::kFloat).square().sum().backward();
  EXPECT_EQ(tagger->named_parameters()["encoder.embed_tokens.weight"].grad().scalar_type(), torch::kFloat);
}

INSTANTIATE_TEST_SUITE_P(Specs, TaggerOf, ::testing::ValuesIn(all_specs()),
                         [](const ::testing::TestParamInfo<NamedSpec>& entry) { return entry.param.name; });

TEST(Tagger, SelectedRowsGetTheSameEmissions) {
  Tagger tagger(lightweight_pre_norm().spec, DropoutSpec());
  tagger.eval();
  const Batch batch = make_batch({5, 2}, 5);
  const Tensor rows = tagger.encode(batch.ids, batch.mask).index({batch.mask});  // [7, D]
  const Tensor expected = tagger.forward(batch.ids, batch.mask).emissions.index({batch.mask});
  EXPECT_TRUE(at::allclose(tagger.emissions(rows), expected, 1e-5, 1e-6));
}

TEST(Tagger, SinusoidalPositionsHaveThePublishedValues) {
  const Tensor row = sinusoidal_table(4, 512, 1)[2];
  EXPECT_NEAR(row[0].item<double>(), 0.9092974, 1e-6);
  EXPECT_NEAR(row[1].item<double>(), 0.9365102, 1e-6);
  EXPECT_NEAR(row[256].item<double>(), -0.4161468, 1e-6);
  EXPECT_NEAR(row[511].item<double>(), 0.99999998, 1e-7);
  EXPECT_EQ(sinusoidal_table(4, 5, 1).select(1, 4).abs().max().item<double>(), 0.0);
}

TEST(Tagger, InitialisationFollowsThePublishedModels) {
  ModelSpec spec = plain_spec();
  spec.dim = 64;
  spec.source_vocabulary = 2000;
  const Tagger tagger(spec, DropoutSpec());
  const auto parameters = tagger.named_parameters();
  const Tensor table = parameters["encoder.embed_tokens.weight"];
  EXPECT_EQ(table[kPad].abs().max().item<double>(), 0.0);
  EXPECT_NEAR(table.std().item<double>(), 1.0 / 8, 0.002);
  const double bound = std::sqrt(6.0 / (64 + 128));
  EXPECT_NEAR(parameters["encoder.layers.0.linear1.weight"].abs().max().item<double>(), bound, bound / 100);
  EXPECT_EQ(parameters["encoder.layers.0.linear1.bias"].abs().max().item<double>(), 0.0);
}

TEST(Tagger, SentencesBeyondThePositionTableAreAnError) {
  Tagger tagger(seed_blocks().spec, DropoutSpec());
  const Batch batch = make_batch({21}, 21);
  EXPECT_THROW(tagger.encode(batch.ids, batch.mask), Error);
}

TEST(Tagger, UnsetVocabulariesAreAnError) {
  ModelSpec spec = plain_spec();
  spec.target_vocabulary = 0;
  EXPECT_THROW(Tagger(spec, DropoutSpec()), Error);
}

}  // namespace
}  // namespace litenat::nn
