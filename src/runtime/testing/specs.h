// Small models that between them use every part of a tagger.
#pragma once

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "graph/model_spec.h"

namespace litenat::runtime::testing {

struct NamedSpec {
  std::string name;
  graph::ModelSpec spec;
};
inline void PrintTo(const NamedSpec& spec, std::ostream* out) { *out << spec.name; }

inline graph::ModelSpec base_spec() {
  graph::ModelSpec spec;
  spec.dim = 24;
  spec.source_vocabulary = 31;
  spec.target_vocabulary = 37;
  graph::BlockSpec block;
  block.ffn_dim = 40;
  block.conv.heads = 4;
  block.attention.heads = 3;
  spec.encoder.blocks = {block, block};
  spec.encoder.blocks[1].conv.kernel = 5;
  return spec;
}

template <typename Change>
NamedSpec changed(const std::string& name, const Change& change) {
  NamedSpec result{name, base_spec()};
  change(&result.spec);
  return result;
}

/// Applies `change` to every block.
template <typename Change>
NamedSpec blocks_changed(const std::string& name, const Change& change) {
  return changed(name, [&](graph::ModelSpec* spec) {
    for (graph::BlockSpec& block : spec->encoder.blocks) change(&block);
  });
}

inline std::vector<NamedSpec> block_specs() {
  using graph::BlockSpec;
  return {
      {"dynamic", base_spec()},
      blocks_changed("lightweight", [](BlockSpec* b) { b->conv.kind = graph::ConvKind::kLightweight; }),
      blocks_changed("depthwise", [](BlockSpec* b) { b->conv.kind = graph::ConvKind::kDepthwise; }),
      blocks_changed("ungated", [](BlockSpec* b) { b->conv.gated_input = false; }),
      blocks_changed("narrow", [](BlockSpec* b) { b->conv.dim = 12; }),
      blocks_changed("inner_linear", [](BlockSpec* b) { b->conv.inner_linear = true; }),
      blocks_changed("inner_glu", [](BlockSpec* b) { b->conv.inner_linear = b->conv.inner_glu = true; }),
      blocks_changed("causal", [](BlockSpec* b) { b->conv.look_ahead = 0; }),
      blocks_changed("look_ahead", [](BlockSpec* b) { b->conv.look_ahead = 2; }),
      blocks_changed("even_kernel", [](BlockSpec* b) { b->conv.kernel = 4; }),
      blocks_changed("wide_kernel", [](BlockSpec* b) { b->conv.kernel = 31; }),
      blocks_changed("attention", [](BlockSpec* b) { b->kind = graph::BlockKind::kAttention; }),
      blocks_changed("lsra", [](BlockSpec* b) { b->kind = graph::BlockKind::kLsra; }),
      blocks_changed("lsra_uneven",
                     [](BlockSpec* b) {
                       b->kind = graph::BlockKind::kLsra;
                       b->attention.dim = 9;
                       b->conv.kind = graph::ConvKind::kLightweight;
                       b->conv.heads = 5;
                       b->conv.gated_input = false;
                     }),
      blocks_changed("no_ffn", [](BlockSpec* b) { b->ffn_dim = 0; }),
      blocks_changed("gelu", [](BlockSpec* b) { b->activation = graph::Activation::kGelu; }),
  };
}

inline std::vector<NamedSpec> frame_specs() {
  using graph::ModelSpec;
  return {
      changed("pre_norm", [](ModelSpec* s) { s->encoder.pre_norm = true; }),
      changed("pre_norm_lsra",
              [](ModelSpec* s) {
                s->encoder.pre_norm = true;
                for (graph::BlockSpec& block : s->encoder.blocks) block.kind = graph::BlockKind::kLsra;
              }),
      changed("no_blocks", [](ModelSpec* s) { s->encoder.blocks.clear(); }),
      changed("factorised",
              [](ModelSpec* s) {
                s->embedding.dim = 7;
                s->head.dim = 10;
              }),
      changed("window",
              [](ModelSpec* s) {
                s->embedding.window_left = 2;
                s->embedding.window_right = 1;
              }),
      changed("scaled_learned",
              [](ModelSpec* s) {
                s->embedding.scale = true;
                s->embedding.positions = graph::Positions::kLearned;
                s->embedding.max_positions = 20;
              }),
      changed("sinusoidal", [](ModelSpec* s) { s->embedding.positions = graph::Positions::kSinusoidal; }),
      changed("boundary",
              [](ModelSpec* s) {
                s->head.boundary = true;
                s->head.bias = false;
              }),
      changed("crf",
              [](ModelSpec* s) {
                s->head.kind = graph::HeadKind::kCrf;
                s->head.crf_rank = 19;
              }),
      changed("one_unit",
              [](ModelSpec* s) {
                s->dim = 1;
                for (graph::BlockSpec& block : s->encoder.blocks) {
                  block.conv.heads = 1;
                  block.ffn_dim = 1;
                }
              }),
  };
}

inline std::vector<NamedSpec> all_specs() {
  std::vector<NamedSpec> specs = block_specs();
  for (NamedSpec& spec : frame_specs()) specs.push_back(std::move(spec));
  return specs;
}

}  // namespace litenat::runtime::testing
