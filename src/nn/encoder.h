// The encoder of all model families: embedding, blocks, final LayerNorm. Parameter names as docs/formats.md lists them.
#pragma once

#include <memory>
#include <vector>

#include "graph/model_spec.h"
#include "nn/dropout_spec.h"
#include "nn/layers.h"
#include "nn/mixers.h"

namespace litenat::nn {

/// A mixing sub-layer and a feed-forward sub-layer, each with residual and LayerNorm.
class Block : public torch::nn::Module {
 public:
  Block(int64_t width, const graph::BlockSpec& spec, bool pre_norm, const DropoutSpec& dropout);
  torch::Tensor forward(const torch::Tensor& x, const Pass& pass) const;

 private:
  void add_mixer(int64_t width, const graph::BlockSpec& spec);
  torch::Tensor mix(const torch::Tensor& x, const Pass& pass) const;
  torch::Tensor feed_forward(const torch::Tensor& x, const Pass& pass) const;

  bool pre_norm_;
  graph::BlockKind kind_;
  graph::Activation activation_;
  DropoutSpec dropout_;
  std::unique_ptr<Mixer> mixer_;
  std::shared_ptr<LayerNorm> mixer_norm_, feed_forward_norm_;
  std::shared_ptr<Linear> fc1_, fc2_;  // null without a feed-forward sub-layer
};

/// Token ids to rows of width D: table, window, projection, positions, dropout.
class InputEmbedding {
 public:
  /// Registers its layers with `parent`.
  InputEmbedding(torch::nn::Module& parent, const graph::ModelSpec& spec, double dropout);
  torch::Tensor forward(const torch::Tensor& ids, const Pass& pass) const;  // [B, T] -> [B, T, D]

 private:
  torch::Tensor window(const torch::Tensor& x) const;  // [B, T, e] -> [B, T, (left + 1 + right) e]

  graph::EmbeddingSpec spec_;
  double scale_, dropout_;
  std::shared_ptr<Embedding> embed_tokens_;
  std::shared_ptr<Linear> embed_project_;  // null where the table already has the width D
  torch::Tensor positions_;                // [P, D], undefined without positions
};

class Encoder : public torch::nn::Module {
 public:
  /// `spec` is resolved.
  Encoder(const graph::ModelSpec& spec, const DropoutSpec& dropout);
  torch::Tensor forward(const torch::Tensor& ids, const torch::Tensor& mask) const;  // [B, T] -> [B, T, D]

 private:
  InputEmbedding embedding_;
  std::vector<std::shared_ptr<Block>> blocks_;
  std::shared_ptr<LayerNorm> layer_norm_;  // pre-norm
};

}  // namespace litenat::nn
