// Small models that between them use every part of an encoder with a decoder.
#pragma once

#include <vector>

#include "runtime/testing/specs.h"

namespace litenat::runtime::testing {

/// Autoregressive, attention only.
inline graph::ModelSpec base_sequence_spec() {
  graph::ModelSpec spec = base_spec();
  spec.family = graph::Family::kSequence;
  spec.source_vocabulary = spec.target_vocabulary = 37;
  spec.embedding.scale = true;
  spec.embedding.positions = graph::Positions::kSinusoidal;
  for (graph::BlockSpec& block : spec.encoder.blocks) block.kind = graph::BlockKind::kAttention;
  spec.decoder.embedding = spec.embedding;
  spec.decoder.stack = spec.encoder;
  spec.decoder.cross_heads = 4;
  spec.head.bias = false;
  return spec;
}

/// Learned positions, predicted lengths, a copied source.
inline graph::ModelSpec base_parallel_spec() {
  graph::ModelSpec spec = base_sequence_spec();
  spec.family = graph::Family::kNonAutoregressive;
  for (graph::EmbeddingSpec* embedding : {&spec.embedding, &spec.decoder.embedding}) {
    embedding->scale = false;
    embedding->positions = graph::Positions::kLearned;
    embedding->max_positions = 30;
  }
  spec.decoder.length_classes = 11;
  return spec;
}

template <typename Change>
NamedSpec sequence_changed(const std::string& name, const Change& change) {
  NamedSpec result{name, base_sequence_spec()};
  change(&result.spec);
  return result;
}

template <typename Change>
NamedSpec parallel_changed(const std::string& name, const Change& change) {
  NamedSpec result{name, base_parallel_spec()};
  change(&result.spec);
  return result;
}

/// Applies `change` to every block of both sides.
template <typename Change>
void change_blocks(graph::ModelSpec* spec, const Change& change) {
  for (graph::StackSpec* stack : {&spec->encoder, &spec->decoder.stack})
    for (graph::BlockSpec& block : stack->blocks) change(&block);
}

inline void use_conv(graph::ModelSpec* spec, graph::ConvKind kind) {
  change_blocks(spec, [&](graph::BlockSpec* block) {
    block->kind = graph::BlockKind::kConv;
    block->conv.kind = kind;
  });
}

inline std::vector<NamedSpec> autoregressive_specs() {
  using graph::BlockSpec;
  using graph::ModelSpec;
  return {
      {"attention", base_sequence_spec()},
      sequence_changed("lsra",
                       [](ModelSpec* s) {
                         change_blocks(s, [](BlockSpec* b) {
                           b->kind = graph::BlockKind::kLsra;
                           b->ffn_dim = 24;
                         });
                         s->decoder.stack.kernels = {3, 31};
                       }),
      sequence_changed("lsra_lightweight",
                       [](ModelSpec* s) {
                         change_blocks(s, [](BlockSpec* b) {
                           b->kind = graph::BlockKind::kLsra;
                           b->conv.kind = graph::ConvKind::kLightweight;
                           b->conv.gated_input = false;
                         });
                         s->decoder.share = graph::Sharing::kNone;
                         s->target_vocabulary = 41;
                       }),
      sequence_changed("dynamic", [](ModelSpec* s) { use_conv(s, graph::ConvKind::kDynamic); }),
      sequence_changed("lightweight",
                       [](ModelSpec* s) {
                         use_conv(s, graph::ConvKind::kLightweight);
                         s->decoder.stack.kernels = {4, 7};
                       }),
      sequence_changed("depthwise",
                       [](ModelSpec* s) {
                         use_conv(s, graph::ConvKind::kDepthwise);
                         change_blocks(s, [](BlockSpec* b) { b->conv.inner_linear = b->conv.inner_glu = true; });
                       }),
      sequence_changed("pre_norm",
                       [](ModelSpec* s) {
                         s->encoder.pre_norm = s->decoder.stack.pre_norm = true;
                         s->head.bias = true;
                       }),
      sequence_changed("factorised",
                       [](ModelSpec* s) {
                         s->embedding.dim = s->decoder.embedding.dim = 10;
                         change_blocks(s, [](BlockSpec* b) { b->activation = graph::Activation::kGelu; });
                       }),
      sequence_changed("two_dictionaries",
                       [](ModelSpec* s) {
                         s->source_vocabulary = 29;
                         s->target_vocabulary = 300;
                         s->decoder.share = graph::Sharing::kOutput;
                         s->decoder.embedding.positions = graph::Positions::kLearned;
                         s->decoder.embedding.max_positions = 25;
                         for (BlockSpec& block : s->decoder.stack.blocks) block.ffn_dim = 0;
                       }),
  };
}

inline std::vector<NamedSpec> parallel_specs() {
  using graph::ModelSpec;
  return {
      {"glat", base_parallel_spec()},
      parallel_changed("conv_crf",
                       [](ModelSpec* s) {
                         use_conv(s, graph::ConvKind::kDynamic);
                         for (graph::BlockSpec& block : s->decoder.stack.blocks) block.conv.look_ahead = 0;
                         s->head.kind = graph::HeadKind::kCrf;
                         s->head.crf_rank = 8;
                       }),
      parallel_changed("ctc",
                       [](ModelSpec* s) {
                         s->decoder.length = graph::LengthKind::kRatio;
                         s->decoder.source_copy = false;
                         s->decoder.layer_positions = false;
                         s->decoder.share = graph::Sharing::kNone;
                         s->source_vocabulary = 29;
                       }),
      parallel_changed("pre_norm_lsra",
                       [](ModelSpec* s) {
                         s->encoder.pre_norm = s->decoder.stack.pre_norm = true;
                         s->decoder.length_offset = true;
                         change_blocks(s, [](graph::BlockSpec* b) { b->kind = graph::BlockKind::kLsra; });
                       }),
      parallel_changed("factorised_copy", [](ModelSpec* s) { s->embedding.dim = s->decoder.embedding.dim = 9; }),
  };
}

inline std::vector<NamedSpec> all_sequence_specs() {
  std::vector<NamedSpec> specs = autoregressive_specs();
  for (NamedSpec& spec : parallel_specs()) specs.push_back(std::move(spec));
  return specs;
}

}  // namespace litenat::runtime::testing
