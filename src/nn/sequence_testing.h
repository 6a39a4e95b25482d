// Small models with an encoder and a decoder, and batches for them, for tests.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "nn/sequence_model.h"

namespace litenat::nn::testing {

constexpr int64_t kPad = 1, kEnd = 2, kUnknown = 3;

struct NamedSpec {
  std::string name;
  graph::ModelSpec spec;
};

inline graph::BlockSpec attention_block(int ffn_dim = 12) {
  graph::BlockSpec block;
  block.kind = graph::BlockKind::kAttention;
  block.attention.heads = 2;
  block.ffn_dim = ffn_dim;
  return block;
}

inline graph::BlockSpec conv_block(graph::ConvKind kind, int kernel, int ffn_dim = 12) {
  graph::BlockSpec block;
  block.conv.kind = kind;
  block.conv.kernel = kernel;
  block.conv.heads = 2;
  block.ffn_dim = ffn_dim;
  return block;
}

/// Half of the channels each; the light convolution comes without GLU, as in the Lite Transformer's configurations.
inline graph::BlockSpec lsra_block(graph::ConvKind kind, int kernel) {
  graph::BlockSpec block = conv_block(kind, kernel);
  block.kind = graph::BlockKind::kLsra;
  block.attention.heads = 2;
  block.conv.gated_input = kind == graph::ConvKind::kDynamic;
  return block;
}

/// Width 8, 11 tokens a side, tables shared with the output, no bias there.
inline graph::ModelSpec base_spec(graph::Family family, graph::Positions positions) {
  graph::ModelSpec spec;
  spec.family = family;
  spec.dim = 8;
  spec.source_vocabulary = spec.target_vocabulary = 11;
  spec.head.bias = false;
  for (graph::EmbeddingSpec* embedding : {&spec.embedding, &spec.decoder.embedding}) {
    embedding->positions = positions;
    embedding->max_positions = 12;
    embedding->scale = positions == graph::Positions::kSinusoidal;
  }
  spec.decoder.cross_heads = 2;
  spec.decoder.length_classes = 9;
  return spec;
}

inline graph::ModelSpec transformer_spec() {
  graph::ModelSpec spec = base_spec(graph::Family::kSequence, graph::Positions::kSinusoidal);
  spec.encoder.blocks.assign(2, attention_block());
  spec.decoder.stack.blocks.assign(2, attention_block());
  return spec;
}

/// Nothing shared, factorised target embedding and output, GELU.
inline graph::ModelSpec pre_norm_spec() {
  graph::ModelSpec spec = base_spec(graph::Family::kSequence, graph::Positions::kLearned);
  spec.encoder.blocks = {attention_block()};
  spec.decoder.stack.blocks.assign(2, attention_block());
  for (graph::StackSpec* stack : {&spec.encoder, &spec.decoder.stack}) {
    stack->pre_norm = true;
    for (graph::BlockSpec& block : stack->blocks) block.activation = graph::Activation::kGelu;
  }
  spec.decoder.share = graph::Sharing::kNone;
  spec.decoder.embedding.dim = 6;
  spec.head.dim = 5;
  spec.head.bias = true;
  return spec;
}

inline graph::ModelSpec lite_spec() {
  graph::ModelSpec spec = base_spec(graph::Family::kSequence, graph::Positions::kSinusoidal);
  spec.encoder.blocks = {lsra_block(graph::ConvKind::kDynamic, 3), lsra_block(graph::ConvKind::kLightweight, 5)};
  spec.decoder.stack.blocks = spec.encoder.blocks;
  spec.decoder.share = graph::Sharing::kOutput;
  return spec;
}

/// Convolutions alone in an autoregressive model; factorised shared tables.
inline graph::ModelSpec conv_sequence_spec() {
  graph::ModelSpec spec = base_spec(graph::Family::kSequence, graph::Positions::kLearned);
  spec.encoder.blocks = {conv_block(graph::ConvKind::kDynamic, 3)};
  spec.decoder.stack.blocks = {conv_block(graph::ConvKind::kDynamic, 5), conv_block(graph::ConvKind::kLightweight, 3),
                               conv_block(graph::ConvKind::kDepthwise, 1, 0)};
  spec.decoder.stack.blocks[0].conv.inner_linear = spec.decoder.stack.blocks[0].conv.inner_glu = true;
  spec.embedding.dim = spec.decoder.embedding.dim = 4;
  spec.head.bias = true;
  return spec;
}

/// The published conv + CRF model's parts: two GLUs, causal convolutions in the decoder; and one attention there.
inline graph::ModelSpec parallel_spec() {
  graph::ModelSpec spec = base_spec(graph::Family::kNonAutoregressive, graph::Positions::kLearned);
  spec.encoder.blocks = {conv_block(graph::ConvKind::kDynamic, 3), conv_block(graph::ConvKind::kDynamic, 5)};
  spec.decoder.stack.blocks = {conv_block(graph::ConvKind::kDynamic, 3), attention_block()};
  spec.decoder.stack.blocks[0].conv.look_ahead = 0;
  for (graph::StackSpec* stack : {&spec.encoder, &spec.decoder.stack})
    for (graph::BlockSpec& block : stack->blocks)
      if (block.kind == graph::BlockKind::kConv) block.conv.inner_linear = block.conv.inner_glu = true;
  spec.decoder.share = graph::Sharing::kOutput;
  return spec;
}

/// CRF, convolutions that look ahead, no copying, positions once.
inline graph::ModelSpec crf_spec() {
  graph::ModelSpec spec = base_spec(graph::Family::kNonAutoregressive, graph::Positions::kLearned);
  spec.encoder.blocks = {lsra_block(graph::ConvKind::kLightweight, 3)};
  spec.decoder.stack.blocks = {conv_block(graph::ConvKind::kLightweight, 3), lsra_block(graph::ConvKind::kDynamic, 5)};
  spec.head.kind = graph::HeadKind::kCrf;
  spec.head.crf_rank = 3;
  spec.decoder.source_copy = spec.decoder.layer_positions = false;
  spec.decoder.length = graph::LengthKind::kRatio;
  spec.init = graph::Init::kBert;
  return spec;
}

inline std::vector<NamedSpec> autoregressive_specs() {
  return {{"Transformer", transformer_spec()},
          {"PreNorm", pre_norm_spec()},
          {"LiteTransformer", lite_spec()},
          {"Convolutions", conv_sequence_spec()}};
}

inline std::vector<NamedSpec> all_specs() {
  std::vector<NamedSpec> specs = autoregressive_specs();
  specs.push_back({"Parallel", parallel_spec()});
  specs.push_back({"Crf", crf_spec()});
  return specs;
}

struct Rows {
  torch::Tensor ids, mask;  // [B, T]
};

/// Right-padded.
inline Rows pad(const std::vector<std::vector<int64_t>>& sentences, int64_t rows) {
  const auto count = static_cast<int64_t>(sentences.size());
  Rows result{at::full({count, rows}, kPad, torch::kLong), at::zeros({count, rows}, torch::kBool)};
  for (int64_t b = 0; b < count; ++b) {
    const std::vector<int64_t>& sentence = sentences[static_cast<size_t>(b)];
    const auto length = static_cast<int64_t>(sentence.size());
    result.ids[b].narrow(0, 0, length).copy_(at::tensor(sentence, torch::kLong));
    result.mask[b].narrow(0, 0, length).fill_(true);
  }
  return result;
}

/// Random tokens, <unk> among them.
inline Rows random_rows(const std::vector<int64_t>& lengths, int64_t rows) {
  const torch::Tensor mask = at::arange(rows).unsqueeze(0) < at::tensor(lengths, torch::kLong).unsqueeze(1);
  const torch::Tensor ids = at::randint(kUnknown, 11, mask.sizes(), torch::kLong);
  return {ids.masked_fill(mask.logical_not(), kPad), mask};
}

inline double largest(const torch::Tensor& x) { return x.abs().max().item<double>(); }

}  // namespace litenat::nn::testing
