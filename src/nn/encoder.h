// The encoder of all model families: embedding, blocks, final LayerNorm. Parameter names as docs/formats.md lists them.
#pragma once

#include <memory>
#include <vector>

#include "graph/model_spec.h"
#include "nn/block.h"
#include "nn/dropout_spec.h"
#include "nn/embedding.h"

namespace litenat::nn {

class Encoder : public torch::nn::Module {
 public:
  /// `spec` is resolved.
  Encoder(const graph::ModelSpec& spec, const DropoutSpec& dropout);

  /// ids [B, T], mask [B, T] -> states [B, T, D]. `tokens`, if given, gets the embeddings of the tokens alone.
  torch::Tensor forward(const torch::Tensor& ids, const torch::Tensor& mask, torch::Tensor* tokens = nullptr) const;

  const InputEmbedding& embedding() const { return embedding_; }

 private:
  InputEmbedding embedding_;
  std::vector<std::shared_ptr<Block>> blocks_;
  std::shared_ptr<LayerNorm> layer_norm_;  // pre-norm
};

/// Makes the blocks of a stack, the sub-modules 0, 1, ... of a new sub-module "layers" of `parent`.
std::vector<std::shared_ptr<Block>> add_blocks(torch::nn::Module& parent, int64_t width, const graph::StackSpec& stack,
                                               const BlockRole& role, const DropoutSpec& dropout);

}  // namespace litenat::nn
