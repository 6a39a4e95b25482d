// Sequence models against PyTorch's own layers and fairseq's convolutions (sequence_golden.h), finite differences and
// the published numbers of parameters.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "nn/sequence_golden.h"
#include "nn/sequence_testing.h"

namespace litenat::nn {
namespace {

using graph::ModelSpec;
using testing::Rows;
using torch::Tensor;
using Sentences = std::vector<std::vector<int64_t>>;

/// value_of of tests/compat/make_golden_sequence.py.
Tensor value_of(const std::string& name, at::IntArrayRef shape) {
  int64_t sum = 0;
  for (const char c : name) sum += c;
  const Tensor index = at::arange(c10::multiply_integers(shape), torch::kDouble);
  Tensor values = 0.3 * at::sin(0.37 * index * index + 0.1 * static_cast<double>(sum % 63));
  const bool is_gain = name.find("norm") != std::string::npos && name.rfind("weight") == name.size() - 6;
  if (is_gain) values = values + 1;
  return values.view(shape);
}

/// A golden case: the model, its data as the script has them, what comes out.
struct Case {
  std::string name;
  ModelSpec spec;
  Sentences sources, inputs, targets;
  const Golden* golden;
};

Case autoregressive(const std::string& name, const ModelSpec& spec, const Golden& golden) {
  return {name,
          spec,
          {{4, 9, 5, 7, 2}, {8, 4, 2}},
          {{2, 5, 10, 6}, {2, 9, 9, 4, 7, 6}},
          {{5, 10, 6, 2}, {9, 9, 4, 7, 6, 2}},
          &golden};
}

std::vector<Case> all_cases() {
  return {autoregressive("Transformer", testing::transformer_spec(), kTransformer),
          autoregressive("PreNorm", testing::pre_norm_spec(), kPreNorm),
          autoregressive("LiteTransformer", testing::lite_spec(), kLiteTransformer),
          {"Parallel",
           testing::parallel_spec(),
           {{0, 4, 9, 5, 7, 2}, {0, 8, 4, 2}},
           {{0, 3, 10, 3, 2}, {0, 3, 3, 3, 7, 3, 2}},
           {{0, 5, 10, 6, 2}, {0, 9, 9, 4, 7, 6, 2}},
           &kParallel}};
}

class GoldenCase : public ::testing::TestWithParam<Case> {
 protected:
  void make(torch::ScalarType type) {
    model_ = std::make_unique<SequenceModel>(GetParam().spec, DropoutSpec());
    model_->eval();
    model_->to(type);
    const torch::NoGradGuard no_grad;
    for (auto& p : model_->named_parameters()) p.value().copy_(value_of(p.key(), p.value().sizes()));
  }

  struct Result {
    Tensor logits, loss;
  };
  /// In one padded batch.
  Result run() const {
    const Rows source = testing::pad(GetParam().sources, 7), input = testing::pad(GetParam().inputs, 8);
    const Encoded encoded = model_->encode(source.ids, source.mask);
    Result result;
    result.logits = model_->logits(model_->decode(input.ids, input.mask, encoded).index({input.mask}));
    const Tensor gold = testing::pad(GetParam().targets, 8).ids.index({input.mask});
    result.loss = at::cross_entropy_loss(result.logits, gold, {}, at::Reduction::Sum);
    const Tensor length = model_->length_logits(encoded);
    if (length.defined())
      result.loss = result.loss + at::cross_entropy_loss(length, input.mask.sum(1), {}, at::Reduction::Sum);
    return result;
  }

  std::unique_ptr<SequenceModel> model_;
};

TEST_P(GoldenCase, LogitsLossAndGradientsAreTheReferences) {
  make(torch::kDouble);
  const Result result = run();
  const Golden& golden = *GetParam().golden;
  const Tensor expected = at::tensor(golden.logits, torch::kDouble).view_as(result.logits);
  EXPECT_LT(testing::largest(result.logits - expected), 1e-6 * testing::largest(expected));
  EXPECT_NEAR(result.loss.item<double>(), golden.loss, 1e-6 * golden.loss);
  result.loss.backward();
  std::map<std::string, double> gradients;
  for (const auto& p : model_->named_parameters())
    gradients[p.key()] = (p.value().grad() * value_of("direction " + p.key(), p.value().sizes())).sum().item<double>();
  ASSERT_EQ(gradients.size(), golden.gradients.size());
  for (const auto& [name, wanted] : golden.gradients)
    EXPECT_NEAR(gradients.at(name), wanted, 1e-6 * std::max(1.0, std::abs(wanted))) << name;
}

TEST_P(GoldenCase, SinglePrecisionIsWithinRounding) {
  make(torch::kFloat);
  const Tensor logits = run().logits.to(torch::kDouble);
  const Tensor expected = at::tensor(GetParam().golden->logits, torch::kDouble).view_as(logits);
  EXPECT_LT(((logits - expected).norm() / expected.norm()).item<double>(), 1e-5);
}

TEST_P(GoldenCase, GradientsAreThoseOfFiniteDifferences) {
  make(torch::kDouble);
  run().loss.backward();
  const torch::NoGradGuard no_grad;
  constexpr double kStep = 1e-6;
  for (auto& p : model_->named_parameters()) {
    Tensor direction = at::randn_like(p.value());
    if (p.key().find("embed_positions") != std::string::npos) direction.narrow(0, 0, 2).zero_();
    p.value().add_(kStep * direction);
    const double up = run().loss.item<double>();
    p.value().sub_(2 * kStep * direction);
    const double down = run().loss.item<double>();
    p.value().add_(kStep * direction);
    EXPECT_NEAR((p.value().grad() * direction).sum().item<double>(), (up - down) / (2 * kStep), 2e-6) << p.key();
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, GoldenCase, ::testing::ValuesIn(all_cases()),
                         [](const ::testing::TestParamInfo<Case>& entry) { return entry.param.name; });

// ---- numbers of parameters -------------------------------------------------------------------------------------

int64_t count(const SequenceModel& model, const std::string& prefix, const std::string& without = "?") {
  int64_t sum = 0;
  for (const auto& p : model.named_parameters())
    if (p.key().rfind(prefix, 0) == 0 && p.key().find(without) == std::string::npos) sum += p.value().numel();
  return sum;
}

ModelSpec published_conv_crf() {
  ModelSpec spec;
  spec.family = graph::Family::kNonAutoregressive;
  spec.dim = 512;
  spec.source_vocabulary = spec.target_vocabulary = 32768;
  graph::BlockSpec block = testing::conv_block(graph::ConvKind::kDynamic, 3, 2048);
  block.conv.heads = 8;
  block.conv.inner_linear = block.conv.inner_glu = true;
  for (graph::StackSpec* stack : {&spec.encoder, &spec.decoder.stack}) {
    stack->blocks = {block};
    stack->repeat = 6;
    stack->kernels = {3, 5, 5, 7, 15, 15};
  }
  for (graph::EmbeddingSpec* embedding : {&spec.embedding, &spec.decoder.embedding}) {
    embedding->positions = graph::Positions::kLearned;
    embedding->max_positions = 254;
  }
  spec.decoder.share = graph::Sharing::kNone;
  spec.head.bias = false;
  spec.head.kind = graph::HeadKind::kCrf;
  return spec;
}

TEST(SequenceModelSize, ConvCrfIsThePublishedOne) {
  const SequenceModel model(published_conv_crf(), DropoutSpec());
  EXPECT_EQ(count(model, ""), 103'936'000);
  EXPECT_EQ(count(model, "encoder.layers"), 22'270'976);
  EXPECT_EQ(count(model, "decoder.layers"), 28'580'864);
}

struct LiteSize {
  int width;
  int64_t encoder, decoder;
};

class LiteTransformerSize : public ::testing::TestWithParam<LiteSize> {};

TEST_P(LiteTransformerSize, IsThePublishedOne) {
  const auto [width, encoder, decoder] = GetParam();
  ModelSpec spec = testing::base_spec(graph::Family::kSequence, graph::Positions::kSinusoidal);
  spec.dim = width;
  spec.decoder.cross_heads = 8;
  graph::BlockSpec block = testing::lsra_block(graph::ConvKind::kDynamic, 3);
  block.attention.heads = block.conv.heads = 4;
  block.ffn_dim = width;
  for (graph::StackSpec* stack : {&spec.encoder, &spec.decoder.stack}) {
    stack->blocks = {block};
    stack->repeat = 6;
    stack->kernels = {3, 7, 15, 31, 31, 31};
  }
  const SequenceModel model(spec, DropoutSpec());
  EXPECT_EQ(count(model, "encoder.", "embed"), encoder);
  EXPECT_EQ(count(model, "decoder."), decoder);
  EXPECT_EQ(count(model, ""), encoder + decoder + int64_t{11} * width);
}

INSTANTIATE_TEST_SUITE_P(Widths, LiteTransformerSize,
                         ::testing::Values(LiteSize{200, 958'600, 1'925'800}, LiteSize{408, 3'864'984, 7'874'808},
                                           LiteSize{496, 5'680'688, 11'602'928}, LiteSize{512, 6'048'256, 12'358'144}));

}  // namespace
}  // namespace litenat::nn
