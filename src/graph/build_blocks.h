// The blocks of a stack, for the builders of every family.
#pragma once

#include <string>
#include <vector>

#include "graph/graph_builder.h"
#include "graph/model_spec.h"

namespace litenat::graph {

/// Appends the blocks of a resolved `stack` to x [rows, D] as "<prefix>.layers.I.*" and, for pre-norm, the
/// closing "<prefix>.layer_norm". `causal`: attention sees no later rows (convolutions follow their
/// own look_ahead). Returns the node of the result [rows, D].
int build_stack(GraphBuilder* builder, const std::string& prefix, const StackSpec& stack, int x, bool causal);

/// Keys and values over the source of each block's attention over the encoder's states.
struct SourceAttention {
  struct Block {
    int keys = 0;
    int values = 0;
  };
  std::vector<Block> blocks;
};
/// Appends the products "<prefix>.layers.I.encoder_attn.{k,v}_proj" of `states`, the encoder's result [source rows, D],
/// for `num_blocks` blocks: whatever a decoder needs of the source is computed before the first of its own rows.
SourceAttention build_source_attention(GraphBuilder* builder, const std::string& prefix, size_t num_blocks, int states);

/// As build_stack, for the blocks of a decoder over the target: each has an attention with `cross_heads` heads over
/// `source` between its mixing and its feed-forward sub-layer. `positions` (a node [rows, D], or -1) is added to the
/// input of every block but the first.
int build_decoder_stack(GraphBuilder* builder, const std::string& prefix, const DecoderSpec& decoder,
                        const SourceAttention& source, int x, int positions, bool causal);

}  // namespace litenat::graph
