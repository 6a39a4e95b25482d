// What mixes the positions of a sentence: convolution, attention, and LSRA (both on a split of the channels). A mixer
// registers its layers with the module that it is given, so that parameter names follow docs/formats.md whichever mixer
// a block has. Shapes [B, T, width].
#pragma once

#include <memory>

#include "graph/model_spec.h"
#include "nn/layers.h"

namespace litenat::nn {

class Mixer {
 public:
  virtual ~Mixer() = default;
  virtual torch::Tensor mix(const torch::Tensor& x, const Pass& pass) const = 0;
};

/// The convolution proper: [inner linear1 (+ GLU)], taps, [inner linear2].
class Convolution : public Mixer {
 public:
  Convolution(torch::nn::Module& parent, const graph::ConvSpec& spec, double weight_dropout);
  torch::Tensor mix(const torch::Tensor& x, const Pass& pass) const override;

 private:
  torch::Tensor dynamic_taps(const torch::Tensor& x, const Pass& pass) const;  // [B, T, heads, kernel]
  torch::Tensor shared_taps(const Pass& pass) const;                           // [heads, kernel]

  graph::ConvSpec spec_;
  double weight_dropout_;
  torch::Tensor weight_;                                   // lightweight, depthwise
  std::shared_ptr<Linear> weight_linear_;                  // dynamic
  std::shared_ptr<Linear> inner_linear1_, inner_linear2_;  // null without inner_linear
};

/// linear1 (+ GLU), the convolution, linear2.
class ConvMixer : public Mixer {
 public:
  /// Where the convolution's own parameters are registered: under "conv." (a conv block) or beside linear1 (the
  /// branch of an LSRA block; that has no inner linear layers).
  enum class Names { kConvModule, kFlat };
  ConvMixer(torch::nn::Module& parent, int64_t width, const graph::ConvSpec& spec, double weight_dropout, Names names);
  torch::Tensor mix(const torch::Tensor& x, const Pass& pass) const override;

 private:
  bool gated_;
  std::shared_ptr<Linear> linear1_, linear2_;
  std::unique_ptr<Convolution> conv_;
};

/// Multi-head self-attention over the rows of the sentence.
class SelfAttention : public Mixer {
 public:
  SelfAttention(torch::nn::Module& parent, int64_t width, int64_t heads, double dropout);
  torch::Tensor mix(const torch::Tensor& x, const Pass& pass) const override;

 private:
  torch::Tensor split_heads(const torch::Tensor& x) const;  // [B, T, d] -> [B, heads, T, d / heads]

  int64_t heads_;
  double dropout_;
  std::shared_ptr<Linear> q_proj_, k_proj_, v_proj_, out_proj_;
};

/// Long-short range attention: the first channels go through attention, the others through a convolution.
class Lsra : public Mixer {
 public:
  Lsra(torch::nn::Module& parent, int64_t width, const graph::BlockSpec& spec, double attention_dropout,
       double weight_dropout);
  torch::Tensor mix(const torch::Tensor& x, const Pass& pass) const override;

 private:
  int64_t attention_width_;
  std::unique_ptr<SelfAttention> attention_;
  std::unique_ptr<ConvMixer> conv_;
};

}  // namespace litenat::nn
