#include "nn/encoder.h"

#include <cmath>
#include <string>

#include "base/error.h"

namespace litenat::nn {

using graph::BlockKind;
using torch::Tensor;

namespace {

constexpr int64_t kPadId = 1;
// A learned or sinusoidal position table keeps rows 0 and 1 for padding, as fairseq does.
constexpr int64_t kFirstPositionRow = 2;

}  // namespace

// ---- Block -----------------------------------------------------------------------------------------------------

Block::Block(int64_t width, const graph::BlockSpec& spec, bool pre_norm, const DropoutSpec& dropout)
    : pre_norm_(pre_norm), kind_(spec.kind), activation_(spec.activation), dropout_(dropout) {
  add_mixer(width, spec);
  auto norms = add_module<torch::nn::Module>(*this, "layer_norms");
  mixer_norm_ = add_module<LayerNorm>(*norms, "0", width);
  if (spec.ffn_dim == 0) return;
  fc1_ = add_module<Linear>(*this, "fc1", width, spec.ffn_dim);
  fc2_ = add_module<Linear>(*this, "fc2", spec.ffn_dim, width);
  feed_forward_norm_ = add_module<LayerNorm>(*norms, "1", width);
}

void Block::add_mixer(int64_t width, const graph::BlockSpec& spec) {
  if (spec.kind == BlockKind::kConv) {
    mixer_ = std::make_unique<ConvMixer>(*this, width, spec.conv, dropout_.weight, ConvMixer::Names::kConvModule);
    return;
  }
  auto self_attn = add_module<torch::nn::Module>(*this, "self_attn");
  if (spec.kind == BlockKind::kAttention)
    mixer_ = std::make_unique<SelfAttention>(*self_attn, width, spec.attention.heads, dropout_.attention);
  else
    mixer_ = std::make_unique<Lsra>(*self_attn, width, spec, dropout_.attention, dropout_.weight);
}

Tensor Block::mix(const Tensor& x, const Pass& pass) const {
  const Tensor input = kind_ == BlockKind::kConv ? pass.drop(x, dropout_.input) : x;
  return mixer_->mix(input, pass);
}

Tensor Block::feed_forward(const Tensor& x, const Pass& pass) const {
  const Tensor h = fc1_->forward(x);
  const Tensor active = activation_ == graph::Activation::kRelu ? at::relu(h) : at::gelu(h);
  return fc2_->forward(pass.drop(active, dropout_.activation));
}

Tensor Block::forward(const Tensor& input, const Pass& pass) const {
  const double rate = dropout_.dropout;
  if (pre_norm_) {
    const Tensor x = pass.add_dropped(input, mix(mixer_norm_->forward(input), pass), rate);
    return fc1_ ? pass.add_dropped(x, feed_forward(feed_forward_norm_->forward(x), pass), rate) : x;
  }
  const Tensor x = mixer_norm_->forward(pass.add_dropped(input, mix(input, pass), rate));
  return fc1_ ? feed_forward_norm_->forward(pass.add_dropped(x, feed_forward(x, pass), rate)) : x;
}

// ---- InputEmbedding --------------------------------------------------------------------------------------------

InputEmbedding::InputEmbedding(torch::nn::Module& parent, const graph::ModelSpec& spec, double dropout)
    : spec_(spec.embedding),
      scale_(spec.embedding.scale ? std::sqrt(static_cast<double>(spec.dim)) : 1.0),
      dropout_(dropout) {
  const double deviation = 1.0 / std::sqrt(static_cast<double>(spec.dim));
  embed_tokens_ = add_module<Embedding>(parent, "embed_tokens", spec.source_vocabulary, spec_.dim, kPadId, deviation);
  const int64_t read = int64_t{spec_.window_left} + 1 + spec_.window_right;
  if (read > 1 || spec_.dim != spec.dim)
    embed_project_ = add_module<Linear>(parent, "embed_project", read * spec_.dim, spec.dim);
  if (spec_.positions == graph::Positions::kNone) return;
  const int64_t rows = spec_.max_positions + kFirstPositionRow;
  if (spec_.positions == graph::Positions::kLearned) {
    positions_ = add_module<Embedding>(parent, "embed_positions", rows, spec.dim, kPadId, deviation)->weight;
  } else {
    // A buffer, so that it follows the model to its device; it is no weight: whoever runs the model computes it.
    auto module = add_module<torch::nn::Module>(parent, "embed_positions");
    positions_ = module->register_buffer("weight", sinusoidal_table(rows, spec.dim, kPadId));
  }
}

Tensor InputEmbedding::window(const Tensor& x) const {
  const Tensor padded = at::constant_pad_nd(x, {0, 0, spec_.window_left, spec_.window_right});
  std::vector<Tensor> shifted;
  for (int64_t offset = 0; offset <= spec_.window_left + spec_.window_right; ++offset)
    shifted.push_back(padded.narrow(1, offset, x.size(1)));
  return at::cat(shifted, -1);
}

Tensor InputEmbedding::forward(const Tensor& ids, const Pass& pass) const {
  Tensor x = embed_tokens_->forward(ids);
  if (scale_ != 1.0) x = x * scale_;
  if (spec_.window_left + spec_.window_right > 0) x = window(pass.keep(x));
  if (embed_project_) x = embed_project_->forward(x);
  if (positions_.defined()) {
    if (ids.size(1) > spec_.max_positions)
      throw Error("embedding.max_positions: a sentence has " + std::to_string(ids.size(1)) + " rows, the table " +
                  std::to_string(spec_.max_positions) + "; cut the sentences or raise embedding.max_positions");
    x = x + positions_.narrow(0, kFirstPositionRow, ids.size(1)).to(x.scalar_type());
  }
  return pass.drop(x, dropout_);
}

// ---- Encoder ---------------------------------------------------------------------------------------------------

Encoder::Encoder(const graph::ModelSpec& spec, const DropoutSpec& dropout) : embedding_(*this, spec, dropout.dropout) {
  auto layers = add_module<torch::nn::Module>(*this, "layers");
  for (const graph::BlockSpec& block : spec.encoder.blocks)
    blocks_.push_back(
        add_module<Block>(*layers, std::to_string(blocks_.size()), spec.dim, block, spec.encoder.pre_norm, dropout));
  if (spec.encoder.pre_norm) layer_norm_ = add_module<LayerNorm>(*this, "layer_norm", spec.dim);
}

Tensor Encoder::forward(const Tensor& ids, const Tensor& mask) const {
  const Pass pass(mask, is_training());
  Tensor x = embedding_.forward(ids, pass);
  for (const auto& block : blocks_) x = block->forward(x, pass);
  return layer_norm_ ? layer_norm_->forward(x) : x;
}

}  // namespace litenat::nn
