#include "nn/encoder.h"

#include <string>

namespace litenat::nn {

using torch::Tensor;

std::vector<std::shared_ptr<Block>> add_blocks(torch::nn::Module& parent, int64_t width, const graph::StackSpec& stack,
                                               const BlockRole& role, const DropoutSpec& dropout) {
  auto layers = add_module<torch::nn::Module>(parent, "layers");
  std::vector<std::shared_ptr<Block>> blocks;
  for (const graph::BlockSpec& block : stack.blocks)
    blocks.push_back(add_module<Block>(*layers, std::to_string(blocks.size()), width, block, role, dropout));
  return blocks;
}

Encoder::Encoder(const graph::ModelSpec& spec, const DropoutSpec& dropout)
    : embedding_(*this, spec.embedding, {"embedding", spec.source_vocabulary, spec.dim, nullptr}, dropout.dropout),
      blocks_(add_blocks(*this, spec.dim, spec.encoder, BlockRole{spec.encoder.pre_norm, false, 0}, dropout)) {
  if (spec.encoder.pre_norm) layer_norm_ = add_module<LayerNorm>(*this, "layer_norm", spec.dim);
}

Tensor Encoder::forward(const Tensor& ids, const Tensor& mask, Tensor* tokens) const {
  const Pass pass(mask, is_training());
  Tensor x = embedding_.tokens(ids, pass);
  if (tokens != nullptr) *tokens = x;
  x = embedding_.place(x, 0, pass);
  for (const auto& block : blocks_) x = block->forward(x, pass);
  return layer_norm_ ? layer_norm_->forward(x) : x;
}

}  // namespace litenat::nn
