// One block of an encoder or a decoder.
#pragma once

#include <memory>

#include "graph/model_spec.h"
#include "nn/attention.h"
#include "nn/dropout_spec.h"
#include "nn/layers.h"
#include "nn/mixer.h"

namespace litenat::nn {

/// What kind of block a stack wants, beside the block's own spec.
struct BlockRole {
  bool pre_norm = false;  // x + f(LN(x)) instead of LN(x + f(x))
  bool causal = false;    // attention looks at no later rows
  int cross_heads = 0;    // > 0: attention over the encoder's states, with so many heads
};

/// The encoder's states as a decoder's block reads them.
struct SourceRows {
  torch::Tensor states;  // [B, S, D]
  AttentionMask mask;
};

/// What a block remembers of the source and of the rows that it has read.
struct BlockState {
  MixerState mixer;
  torch::Tensor keys, values;  // [N, heads, S, d] of the source's states
};

/// A mixing sub-layer, in decoders an attention over the source, and a feed-forward sub-layer, each with residual and
/// LayerNorm.
class Block : public torch::nn::Module {
 public:
  Block(int64_t width, const graph::BlockSpec& spec, const BlockRole& role, const DropoutSpec& dropout);

  /// [B, T, D] -> [B, T, D]; `source` may be null in blocks that read none.
  torch::Tensor forward(const torch::Tensor& x, const Pass& pass, const SourceRows* source = nullptr) const;

  /// A state that has read nothing.
  BlockState begin(const SourceRows& source) const;
  /// The newest row of each sentence: [N, 1, D] -> [N, 1, D].
  torch::Tensor step(const torch::Tensor& x, const AttentionMask& source_mask, BlockState* state) const;

 private:
  void add_mixer(int64_t width, const graph::BlockSpec& spec, bool causal);
  torch::Tensor feed_forward(const torch::Tensor& x, const Pass& pass) const;
  template <class F>
  torch::Tensor sub_layer(const torch::Tensor& x, const LayerNorm& norm, const Pass& pass, const F& f) const;
  /// The three sub-layers with the first two given.
  template <class Mix, class Look>
  torch::Tensor run(const torch::Tensor& x, const Pass& pass, const Mix& mix, const Look& look) const;

  bool pre_norm_;
  graph::BlockKind kind_;
  graph::Activation activation_;
  DropoutSpec dropout_;
  std::unique_ptr<Mixer> mixer_;
  std::unique_ptr<MultiHead> cross_;  // null in an encoder
  std::shared_ptr<LayerNorm> mixer_norm_, cross_norm_, feed_forward_norm_;
  std::shared_ptr<Linear> fc1_, fc2_;  // null without a feed-forward sub-layer
};

}  // namespace litenat::nn
