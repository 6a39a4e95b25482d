#include "graph/build_blocks.h"

#include <cmath>

namespace litenat::graph {
namespace {

/// x -> `columns`, by way of twice as many and a GLU when `gated`.
int project(GraphBuilder* builder, const std::string& name, int x, int columns, bool gated) {
  if (!gated) return builder->linear(name, x, columns, true);
  const int twice = builder->linear(name, x, int64_t{2} * columns, true);
  return builder->unary(Op::kGlu, name + ".glu", twice);
}

/// The convolution alone; `prefix` holds its "weight" or "weight_linear".
int mix(GraphBuilder* builder, const std::string& prefix, const ConvSpec& conv, int x) {
  if (conv.kind != ConvKind::kDynamic)
    return builder->light_conv(prefix + ".mix", prefix + ".weight", x, conv.heads, conv.kernel, conv.pad_left());
  const int logits = builder->linear(prefix + ".weight_linear", x, int64_t{conv.heads} * conv.kernel, false);
  return builder->dynamic_conv(prefix + ".mix", x, logits, conv.heads, conv.kernel, conv.pad_left());
}

int conv_branch(GraphBuilder* builder, const std::string& layer, const ConvSpec& conv, int x) {
  const std::string inner = layer + ".conv";
  const int64_t width = builder->columns(x);
  int h = project(builder, layer + ".linear1", x, conv.dim, conv.gated_input);
  if (conv.inner_linear) h = project(builder, inner + ".linear1", h, conv.dim, conv.inner_glu);
  h = mix(builder, inner, conv, h);
  if (conv.inner_linear) h = builder->linear(inner + ".linear2", h, conv.dim, true);
  return builder->linear(layer + ".linear2", h, width, true);
}

int attention_branch(GraphBuilder* builder, const std::string& prefix, const AttentionSpec& attention, int x,
                     bool causal) {
  const int q = builder->linear(prefix + ".q_proj", x, attention.dim, true);
  const int k = builder->linear(prefix + ".k_proj", x, attention.dim, true);
  const int v = builder->linear(prefix + ".v_proj", x, attention.dim, true);
  const int mixed = builder->self_attention(prefix + ".mix", q, k, v, attention.heads, causal);
  return builder->linear(prefix + ".out_proj", mixed, attention.dim, true);
}

/// The branches work on a split of the channels: attention on the first, convolution on the others.
int lsra(GraphBuilder* builder, const std::string& prefix, const BlockSpec& block, int x, bool causal) {
  const int split = block.attention.dim;
  const int width = static_cast<int>(builder->columns(x));
  const std::string first = prefix + ".branches.0";
  const std::string second = prefix + ".branches.1";
  const int left =
      attention_branch(builder, first, block.attention, builder->slice(first + ".slice", x, 0, split), causal);
  int right = builder->slice(second + ".slice", x, split, width);
  right = project(builder, second + ".linear1", right, block.conv.dim, block.conv.gated_input);
  right = mix(builder, second, block.conv, right);
  right = builder->linear(second + ".linear2", right, width - split, true);
  return builder->concat(prefix + ".concat", {left, right});
}

int mixing_sub_layer(GraphBuilder* builder, const std::string& layer, const BlockSpec& block, int x, bool causal) {
  switch (block.kind) {
    case BlockKind::kAttention:
      return attention_branch(builder, layer + ".self_attn", block.attention, x, causal);
    case BlockKind::kLsra:
      return lsra(builder, layer + ".self_attn", block, x, causal);
    case BlockKind::kConv:
      break;
  }
  return conv_branch(builder, layer, block.conv, x);
}

int feed_forward(GraphBuilder* builder, const std::string& layer, const BlockSpec& block, int x) {
  const int64_t width = builder->columns(x);
  const int h = builder->linear(layer + ".fc1", x, block.ffn_dim, true);
  const Op op = block.activation == Activation::kRelu ? Op::kRelu : Op::kGelu;
  return builder->linear(layer + ".fc2", builder->unary(op, layer + ".activation", h), width, true);
}

/// What a block has besides its spec.
struct BlockContext {
  bool pre_norm = false;
  bool causal = false;
  int cross_heads = 0;  // 0: no attention over the source
  SourceAttention::Block source;
};

/// x + f(LN(x)) or LN(x + f(x)) with the LayerNorm `norm`.
template <typename SubLayer>
int residual(GraphBuilder* builder, const std::string& norm, const std::string& sum, bool pre_norm, int x,
             const SubLayer& f) {
  if (pre_norm) return builder->add(sum, x, f(builder->layer_norm(norm, x)));
  return builder->layer_norm(norm, builder->add(sum, x, f(x)));
}

int source_sub_layer(GraphBuilder* builder, const std::string& layer, const BlockContext& context, int x) {
  const std::string prefix = layer + ".encoder_attn";
  const int64_t width = builder->columns(x);
  const float scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(width) / context.cross_heads));
  const int q = builder->linear(prefix + ".q_proj", x, width, true);
  const int mixed = builder->cross_attention(prefix + ".mix", q, context.source.keys, context.source.values,
                                             context.cross_heads, scale);
  return builder->linear(prefix + ".out_proj", mixed, width, true);
}

int build_block(GraphBuilder* builder, const std::string& layer, const BlockSpec& block, const BlockContext& context,
                int x) {
  const auto sub_layer = [&](const char* norm, const char* sum, const auto& f) {
    x = residual(builder, layer + norm, layer + sum, context.pre_norm, x, f);
  };
  sub_layer(".layer_norms.0", ".residual.0",
            [&](int input) { return mixing_sub_layer(builder, layer, block, input, context.causal); });
  if (context.cross_heads > 0)
    sub_layer(".encoder_attn_layer_norm", ".encoder_attn_residual",
              [&](int input) { return source_sub_layer(builder, layer, context, input); });
  if (block.ffn_dim > 0)
    sub_layer(".layer_norms.1", ".residual.1", [&](int input) { return feed_forward(builder, layer, block, input); });
  return x;
}

std::string layer_name(const std::string& prefix, size_t index) { return prefix + ".layers." + std::to_string(index); }

int close_stack(GraphBuilder* builder, const std::string& prefix, const StackSpec& stack, int x) {
  return stack.pre_norm ? builder->layer_norm(prefix + ".layer_norm", x) : x;
}

}  // namespace

int build_stack(GraphBuilder* builder, const std::string& prefix, const StackSpec& stack, int x, bool causal) {
  BlockContext context;
  context.pre_norm = stack.pre_norm;
  context.causal = causal;
  for (size_t i = 0; i < stack.blocks.size(); ++i)
    x = build_block(builder, layer_name(prefix, i), stack.blocks[i], context, x);
  return close_stack(builder, prefix, stack, x);
}

SourceAttention build_source_attention(GraphBuilder* builder, const std::string& prefix, size_t num_blocks,
                                       int states) {
  SourceAttention source;
  const int64_t width = builder->columns(states);
  for (size_t i = 0; i < num_blocks; ++i) {
    const std::string attention = layer_name(prefix, i) + ".encoder_attn";
    SourceAttention::Block block;
    block.keys = builder->linear(attention + ".k_proj", states, width, true);
    block.values = builder->linear(attention + ".v_proj", states, width, true);
    source.blocks.push_back(block);
  }
  return source;
}

int build_decoder_stack(GraphBuilder* builder, const std::string& prefix, const DecoderSpec& decoder,
                        const SourceAttention& source, int x, int positions, bool causal) {
  const StackSpec& stack = decoder.stack;
  for (size_t i = 0; i < stack.blocks.size(); ++i) {
    const std::string layer = layer_name(prefix, i);
    if (i > 0 && positions >= 0) x = builder->add(layer + ".embed_sum", x, positions);
    const BlockContext context{stack.pre_norm, causal, decoder.cross_heads, source.blocks[i]};
    x = build_block(builder, layer, stack.blocks[i], context, x);
  }
  return close_stack(builder, prefix, stack, x);
}

}  // namespace litenat::graph
