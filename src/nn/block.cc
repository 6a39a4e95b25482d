#include "nn/block.h"

#include "nn/mixers.h"

namespace litenat::nn {

using graph::BlockKind;
using torch::Tensor;

Block::Block(int64_t width, const graph::BlockSpec& spec, const BlockRole& role, const DropoutSpec& dropout)
    : pre_norm_(role.pre_norm), kind_(spec.kind), activation_(spec.activation), dropout_(dropout) {
  add_mixer(width, spec, role.causal);
  auto norms = add_module<torch::nn::Module>(*this, "layer_norms");
  mixer_norm_ = add_module<LayerNorm>(*norms, "0", width);
  if (role.cross_heads > 0) {
    auto module = add_module<torch::nn::Module>(*this, "encoder_attn");
    cross_ = std::make_unique<MultiHead>(*module, width, width, role.cross_heads, dropout_.attention);
    cross_norm_ = add_module<LayerNorm>(*this, "encoder_attn_layer_norm", width);
  }
  if (spec.ffn_dim == 0) return;
  fc1_ = add_module<Linear>(*this, "fc1", width, spec.ffn_dim);
  fc2_ = add_module<Linear>(*this, "fc2", spec.ffn_dim, width);
  feed_forward_norm_ = add_module<LayerNorm>(*norms, "1", width);
}

void Block::add_mixer(int64_t width, const graph::BlockSpec& spec, bool causal) {
  if (spec.kind == BlockKind::kConv) {
    mixer_ = std::make_unique<ConvMixer>(*this, width, spec.conv, dropout_.weight, ConvMixer::Names::kConvModule);
    return;
  }
  auto self_attn = add_module<torch::nn::Module>(*this, "self_attn");
  if (spec.kind == BlockKind::kAttention)
    mixer_ = std::make_unique<SelfAttention>(*self_attn, width, spec.attention.heads, dropout_.attention, causal);
  else
    mixer_ = std::make_unique<Lsra>(*self_attn, width, spec, dropout_.attention, dropout_.weight, causal);
}

Tensor Block::feed_forward(const Tensor& x, const Pass& pass) const {
  const Tensor h = fc1_->forward(x);
  const Tensor active = activation_ == graph::Activation::kRelu ? at::relu(h) : at::gelu(h);
  return fc2_->forward(pass.drop(active, dropout_.activation));
}

template <class F>
Tensor Block::sub_layer(const Tensor& x, const LayerNorm& norm, const Pass& pass, const F& f) const {
  if (pre_norm_) return pass.add_dropped(x, f(norm.forward(x)), dropout_.dropout);
  return norm.forward(pass.add_dropped(x, f(x), dropout_.dropout));
}

template <class Mix, class Look>
Tensor Block::run(const Tensor& input, const Pass& pass, const Mix& mix, const Look& look) const {
  Tensor x = sub_layer(input, *mixer_norm_, pass, mix);
  if (cross_) x = sub_layer(x, *cross_norm_, pass, look);
  if (!fc1_) return x;
  return sub_layer(x, *feed_forward_norm_, pass, [&](const Tensor& h) { return feed_forward(h, pass); });
}

Tensor Block::forward(const Tensor& input, const Pass& pass, const SourceRows* source) const {
  const auto mix = [&](const Tensor& x) {
    return mixer_->mix(kind_ == BlockKind::kConv ? pass.drop(x, dropout_.input) : x, pass);
  };
  const auto look = [&](const Tensor& x) {
    return cross_->attend(cross_->queries(x), cross_->keys(source->states), cross_->values(source->states),
                          source->mask, pass);
  };
  return run(input, pass, mix, look);
}

BlockState Block::begin(const SourceRows& source) const {
  BlockState state;
  if (cross_) {
    state.keys = cross_->keys(source.states);
    state.values = cross_->values(source.states);
  }
  return state;
}

Tensor Block::step(const Tensor& row, const AttentionMask& source_mask, BlockState* state) const {
  const Pass pass;
  const auto mix = [&](const Tensor& x) { return mixer_->step(x, &state->mixer); };
  const auto look = [&](const Tensor& x) {
    return cross_->attend(cross_->queries(x), state->keys, state->values, source_mask, pass);
  };
  return run(row, pass, mix, look);
}

}  // namespace litenat::nn
