// A model with an encoder and a decoder written straight from its description.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runtime/testing/naive_layers.h"

namespace litenat::runtime::testing {

class NaiveSequence : private NaiveLayers {
 public:
  /// `spec` is resolved.
  NaiveSequence(graph::ModelSpec spec, const RandomWeights& weights) : NaiveLayers(weights), spec_(std::move(spec)) {}

  /// Logits of the target's length.
  Row length(const std::vector<int32_t>& source) const {
    const Matrix states = source_states(source);
    Row mean(states[0].size());
    for (const Row& row : states)
      for (size_t c = 0; c < mean.size(); ++c) mean[c] += row[c] / static_cast<double>(states.size());
    return linear("decoder.embed_length", {mean})[0];
  }

  /// Logits of every row of a decoder input.
  Matrix emissions(const std::vector<int32_t>& source, const std::vector<int32_t>& target) const {
    Matrix x = decode(source_states(source), source, target);
    if (spec_.head.dim != spec_.dim) x = linear("head.project", x);
    if (spec_.decoder.share == graph::Sharing::kNone) return linear("head.output", x);
    return tied_output(spec_.decoder.share == graph::Sharing::kAll ? kSourceTable : kTargetTable, x);
  }

 private:
  static constexpr const char* kSourceTable = "encoder.embed_tokens.weight";
  static constexpr const char* kTargetTable = "decoder.embed_tokens.weight";

  bool is_parallel() const { return spec_.family == graph::Family::kNonAutoregressive; }

  Matrix source_tokens(const std::vector<int32_t>& ids) const {
    return embed(spec_.embedding, "encoder", kSourceTable, spec_.dim, ids);
  }
  Matrix source_positioned(const std::vector<int32_t>& ids) const {
    return sum(source_tokens(ids), positions(spec_.embedding, "encoder", spec_.dim, ids.size()));
  }
  Matrix source_states(const std::vector<int32_t>& ids) const { return encode(spec_, source_positioned(ids)); }

  Matrix tied_output(const std::string& table, const Matrix& x) const {
    Matrix y(x.size(), Row(static_cast<size_t>(spec_.target_vocabulary)));
    for (size_t t = 0; t < x.size(); ++t)
      for (size_t v = 0; v < y[t].size(); ++v) {
        y[t][v] = spec_.head.bias ? at("head.output.bias", 0, v) : 0.0;
        for (size_t c = 0; c < x[t].size(); ++c) y[t][v] += at(table, v, c) * x[t][c];
      }
    return y;
  }

  /// Attention of the positions over the source's embeddings in the place of <unk>.
  Matrix copied(const Matrix& x, const Matrix& positions, const std::vector<int32_t>& source,
                const std::vector<int32_t>& target) const {
    const Matrix copy =
        attend(linear("decoder.copy_attn", positions), source_positioned(source), source_tokens(source), 1, 1.0, false);
    Matrix y = x;
    for (size_t t = 0; t < y.size(); ++t)
      if (target[t] == 3) y[t] = copy[t];
    return y;
  }

  Matrix decode(const Matrix& states, const std::vector<int32_t>& source, const std::vector<int32_t>& target) const {
    const graph::DecoderSpec& decoder = spec_.decoder;
    const std::string table = decoder.share == graph::Sharing::kAll ? kSourceTable : kTargetTable;
    Matrix x = embed(decoder.embedding, "decoder", table, spec_.dim, target);
    const Matrix p = positions(decoder.embedding, "decoder", spec_.dim, target.size());
    if (is_parallel() && decoder.source_copy) x = copied(x, p, source, target);
    for (size_t i = 0; i < decoder.stack.blocks.size(); ++i) {
      if (i == 0 || (is_parallel() && decoder.layer_positions)) x = sum(x, p);
      x = block(i, states, x);
    }
    return decoder.stack.pre_norm ? layer_norm("decoder.layer_norm", x) : x;
  }

  Matrix block(size_t i, const Matrix& states, Matrix x) const {
    const graph::StackSpec& stack = spec_.decoder.stack;
    const graph::BlockSpec& block = stack.blocks[i];
    const std::string layer = "decoder.layers." + std::to_string(i);
    x = residual(layer + ".layer_norms.0", stack.pre_norm, x,
                 [&](const Matrix& h) { return mixing(layer, block, h, !is_parallel()); });
    x = residual(layer + ".encoder_attn_layer_norm", stack.pre_norm, x, [&](const Matrix& h) {
      return attention(layer + ".encoder_attn", spec_.decoder.cross_heads, h, states, false);
    });
    if (block.ffn_dim == 0) return x;
    return residual(layer + ".layer_norms.1", stack.pre_norm, x,
                    [&](const Matrix& h) { return feed_forward(layer, block, h); });
  }

  graph::ModelSpec spec_;
};

}  // namespace litenat::runtime::testing
