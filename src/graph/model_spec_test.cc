#include "graph/model_spec.h"

#include <gtest/gtest.h>

namespace litenat::graph {
namespace {

ModelSpec small_spec() {
  ModelSpec spec;
  spec.dim = 16;
  spec.source_vocabulary = 20;
  spec.target_vocabulary = 30;
  spec.encoder.blocks.resize(1);
  return spec;
}

std::string error_of(const ModelSpec& spec) { return resolve(spec).status().message(); }

TEST(ModelSpec, RepeatsAndVariesBlocks) {
  ModelSpec spec = small_spec();
  spec.encoder.repeat = 3;
  spec.encoder.kernels = {3, 5, 7};
  Result<ModelSpec> resolved = resolve(spec);
  ASSERT_TRUE(resolved.ok()) << resolved.status().message();
  const StackSpec& stack = resolved.value().encoder;
  ASSERT_EQ(stack.blocks.size(), 3u);
  EXPECT_EQ(stack.blocks[0].conv.kernel, 3);
  EXPECT_EQ(stack.blocks[2].conv.kernel, 7);
  EXPECT_EQ(stack.blocks[2].conv.dim, 16);
  EXPECT_EQ(stack.repeat, 0);
  EXPECT_TRUE(stack.kernels.empty());
  EXPECT_EQ(resolved.value().embedding.dim, 16);
  EXPECT_EQ(resolved.value().head.dim, 16);
  EXPECT_EQ(to_json(resolve(resolved.value()).value()), to_json(resolved.value()));
}

TEST(ModelSpec, SplitsTheChannelsOfLsra) {
  ModelSpec spec = small_spec();
  spec.encoder.blocks[0].kind = BlockKind::kLsra;
  spec.encoder.blocks[0].attention = {4, 0};
  spec.encoder.blocks[0].conv.heads = 4;
  EXPECT_EQ(resolve(spec).value().encoder.blocks[0].attention.dim, 8);
  spec.encoder.blocks[0].conv.dim = 4;
  EXPECT_EQ(resolve(spec).value().encoder.blocks[0].attention.dim, 12);
  spec.encoder.blocks[0].attention.dim = 8;
  EXPECT_EQ(error_of(spec), "encoder.blocks[0]: expected attention.dim + conv.dim = 16 with both above 0, found 8 + 4");
}

TEST(ModelSpec, DepthwiseHasOneHeadPerChannel) {
  ModelSpec spec = small_spec();
  spec.encoder.blocks[0].conv.kind = ConvKind::kDepthwise;
  spec.encoder.blocks[0].conv.heads = 3;
  EXPECT_EQ(resolve(spec).value().encoder.blocks[0].conv.heads, 16);
}

TEST(ModelSpec, ErrorsNameTheField) {
  ModelSpec spec = small_spec();
  spec.encoder.blocks[0].conv.heads = 3;
  EXPECT_EQ(error_of(spec), "encoder.blocks[0].conv.heads: expected a divisor of the 16 channels, found 3");
  spec = small_spec();
  spec.encoder.kernels = {3, 5};
  EXPECT_EQ(error_of(spec), "encoder.kernels: expected one kernel for each of the 1 blocks, found 2");
  spec.encoder.kernels = {0};
  EXPECT_EQ(error_of(spec), "encoder.kernels[0]: expected a value from 1 to 255, found 0");
  spec = small_spec();
  spec.encoder.repeat = 2;
  spec.encoder.blocks.clear();
  EXPECT_EQ(error_of(spec), "encoder.repeat: expected one entry in encoder.blocks to repeat, found 0");
  spec = small_spec();
  spec.encoder.blocks[0].conv.look_ahead = 3;
  EXPECT_EQ(error_of(spec), "encoder.blocks[0].conv.look_ahead: expected less than the kernel 3, found 3");
  spec = small_spec();
  spec.encoder.blocks[0].conv.inner_glu = true;
  EXPECT_EQ(error_of(spec), "encoder.blocks[0].conv.inner_glu: expected inner_linear to be on too, found it off");
  spec = small_spec();
  spec.dim = 0;
  EXPECT_EQ(error_of(spec), "dim: expected a value from 1 to 65536, found 0");
  spec = small_spec();
  spec.encoder.blocks[0].kind = BlockKind::kAttention;
  spec.encoder.blocks[0].attention.dim = 8;
  EXPECT_EQ(error_of(spec), "encoder.blocks[0].attention.dim: expected the model's width 16, found 8");
}

TEST(ModelSpec, JsonRoundTrip) {
  ModelSpec spec = small_spec();
  spec.input = InputKind::kUnits;
  spec.head.kind = HeadKind::kCrf;
  spec.encoder.blocks[0].activation = Activation::kGelu;
  Result<ModelSpec> back = model_spec_from_json(to_json(spec));
  ASSERT_TRUE(back.ok()) << back.status().message();
  EXPECT_EQ(to_json(back.value()), to_json(spec));
  EXPECT_EQ(back.value().head.kind, HeadKind::kCrf);
}

TEST(ModelSpec, JsonErrorsNameThePath) {
  EXPECT_EQ(model_spec_from_json("{\"encoder\":{\"blocks\":[{\"conv\":{\"kernal\":3}}]}}").status().message(),
            "encoder.blocks[0].conv.kernal: unknown key; did you mean 'encoder.blocks[0].conv.kernel'?");
  EXPECT_EQ(model_spec_from_json("{\"family\":\"x\"}").status().message(),
            "family: expected one of: tagger, sequence, non_autoregressive, found \"x\"");
  EXPECT_FALSE(model_spec_from_json("{").ok());
}

}  // namespace
}  // namespace litenat::graph
