#include "graph/build_blocks.h"

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

/// x + f(LN(x)) or LN(x + f(x)); `index` counts the sub-layers of the block.
template <typename SubLayer>
int residual(GraphBuilder* builder, const std::string& layer, int index, bool pre_norm, int x, const SubLayer& f) {
  const std::string norm = layer + ".layer_norms." + std::to_string(index);
  const std::string sum = layer + ".residual." + std::to_string(index);
  if (pre_norm) return builder->add(sum, x, f(builder->layer_norm(norm, x)));
  return builder->layer_norm(norm, builder->add(sum, x, f(x)));
}

int build_block(GraphBuilder* builder, const std::string& layer, const BlockSpec& block, bool pre_norm, int x,
                bool causal) {
  x = residual(builder, layer, 0, pre_norm, x,
               [&](int input) { return mixing_sub_layer(builder, layer, block, input, causal); });
  if (block.ffn_dim == 0) return x;
  return residual(builder, layer, 1, pre_norm, x,
                  [&](int input) { return feed_forward(builder, layer, block, input); });
}

}  // namespace

int build_stack(GraphBuilder* builder, const std::string& prefix, const StackSpec& stack, int x, bool causal) {
  for (size_t i = 0; i < stack.blocks.size(); ++i)
    x = build_block(builder, prefix + ".layers." + std::to_string(i), stack.blocks[i], stack.pre_norm, x, causal);
  return stack.pre_norm ? builder->layer_norm(prefix + ".layer_norm", x) : x;
}

}  // namespace litenat::graph
