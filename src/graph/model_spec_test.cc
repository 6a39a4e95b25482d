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

ModelSpec small_sequence() {
  ModelSpec spec = small_spec();
  spec.family = Family::kSequence;
  spec.source_vocabulary = spec.target_vocabulary;
  spec.decoder.stack.blocks.resize(1);
  return spec;
}

ModelSpec small_parallel() {
  ModelSpec spec = small_sequence();
  spec.family = Family::kNonAutoregressive;
  spec.embedding.positions = spec.decoder.embedding.positions = Positions::kLearned;
  return spec;
}

TEST(ModelSpec, FillsTheDecoder) {
  ModelSpec spec = small_sequence();
  spec.decoder.stack.repeat = 2;
  spec.decoder.stack.kernels = {3, 5};
  const DecoderSpec decoder = resolve(spec).value().decoder;
  EXPECT_EQ(decoder.embedding.dim, 16);
  ASSERT_EQ(decoder.stack.blocks.size(), 2u);
  EXPECT_EQ(decoder.stack.blocks[1].conv.kernel, 5);
  EXPECT_EQ(decoder.stack.blocks[1].conv.dim, 16);
  EXPECT_EQ(decoder.stack.blocks[1].conv.look_ahead, 0);
  EXPECT_EQ(resolve(small_parallel()).value().decoder.stack.blocks[0].conv.look_ahead, -1);
}

TEST(ModelSpec, ASharedOutputIsAsWideAsItsTable) {
  ModelSpec spec = small_sequence();
  spec.embedding.dim = spec.decoder.embedding.dim = 6;
  EXPECT_EQ(resolve(spec).value().head.dim, 6);
  spec.decoder.share = Sharing::kNone;
  EXPECT_EQ(resolve(spec).value().head.dim, 16);
  spec.decoder.share = Sharing::kOutput;
  spec.head.dim = 16;
  EXPECT_EQ(error_of(spec), "head.dim: expected the width of the target embedding that it shares, 6, found 16");
  spec.decoder.share = Sharing::kAll;
  spec.head.dim = 0;
  spec.embedding.dim = 0;
  EXPECT_EQ(error_of(spec),
            "decoder.embedding.dim: expected the width of the source embedding that it shares, 16, found 6");
}

TEST(ModelSpec, SidesThatShareEverythingHaveOneDictionary) {
  ModelSpec spec = small_sequence();
  spec.source_vocabulary = 20;
  EXPECT_EQ(error_of(spec),
            "decoder.share: \"all\" needs one dictionary for both sides, found 20 source and 30 target tokens");
  spec.decoder.share = Sharing::kOutput;
  EXPECT_TRUE(resolve(spec).ok());
}

TEST(ModelSpec, DecoderErrorsNameTheField) {
  ModelSpec spec = small_sequence();
  spec.decoder.cross_heads = 3;
  EXPECT_EQ(error_of(spec), "decoder.cross_heads: expected a divisor of the 16 channels, found 3");
  spec = small_sequence();
  spec.decoder.stack.blocks[0].conv.look_ahead = 1;
  EXPECT_EQ(error_of(spec), "decoder.stack.blocks[0].conv.look_ahead: expected 0 for family = \"sequence\", found 1");
  spec = small_sequence();
  spec.decoder.embedding.window_right = 1;
  EXPECT_EQ(error_of(spec), "decoder.embedding.window: expected no window in a decoder, found one");
  spec = small_sequence();
  spec.decoder.stack.blocks.clear();
  EXPECT_EQ(error_of(spec), "decoder.stack.blocks: expected at least one, found none");
  spec = small_sequence();
  spec.head.kind = HeadKind::kCrf;
  EXPECT_EQ(error_of(spec), "head.kind: expected softmax for family = \"sequence\", found crf");
  spec = small_parallel();
  spec.head.kind = HeadKind::kCrf;
  EXPECT_TRUE(resolve(spec).ok());
  spec.head.boundary = true;
  EXPECT_EQ(error_of(spec), "head.boundary: expected false for family = \"non_autoregressive\", found true");
}

TEST(ModelSpec, CopyingAndRepeatingPositionsNeedThem) {
  ModelSpec spec = small_parallel();
  spec.embedding.positions = Positions::kNone;
  EXPECT_EQ(error_of(spec), "decoder.source_copy: expected position embeddings on both sides, found none");
  spec.decoder.source_copy = false;
  EXPECT_TRUE(resolve(spec).ok());
  spec.decoder.embedding.positions = Positions::kNone;
  EXPECT_EQ(error_of(spec), "decoder.layer_positions: expected decoder.embedding.positions, found none");
  spec.decoder.layer_positions = false;
  EXPECT_TRUE(resolve(spec).ok());
  EXPECT_TRUE(resolve(small_sequence()).ok()) << "an autoregressive decoder neither copies nor repeats";
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
