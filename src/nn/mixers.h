// The mixers that convolve: the convolution block's, and LSRA with attention beside a convolution.
#pragma once

#include <memory>

#include "graph/model_spec.h"
#include "nn/attention.h"
#include "nn/layers.h"
#include "nn/mixer.h"

namespace litenat::nn {

/// The convolution proper: [inner linear1 (+ GLU)], taps, [inner linear2].
class Convolution : public Mixer {
 public:
  Convolution(torch::nn::Module& parent, const graph::ConvSpec& spec, double weight_dropout);
  torch::Tensor mix(const torch::Tensor& x, const Pass& pass) const override;
  torch::Tensor step(const torch::Tensor& x, MixerState* state) const override;

 private:
  torch::Tensor input(const torch::Tensor& x) const;  // what is convolved
  torch::Tensor output(const torch::Tensor& y) const;
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
  torch::Tensor step(const torch::Tensor& x, MixerState* state) const override;

 private:
  torch::Tensor input(const torch::Tensor& x) const;  // linear1 (+ GLU)

  bool gated_;
  std::shared_ptr<Linear> linear1_, linear2_;
  std::unique_ptr<Convolution> conv_;
};

/// Long-short range attention: the first channels go through attention, the others through a convolution.
class Lsra : public Mixer {
 public:
  /// `causal` goes for the attention; the convolution looks as far ahead as its spec says.
  Lsra(torch::nn::Module& parent, int64_t width, const graph::BlockSpec& spec, double attention_dropout,
       double weight_dropout, bool causal);
  torch::Tensor mix(const torch::Tensor& x, const Pass& pass) const override;
  torch::Tensor step(const torch::Tensor& x, MixerState* state) const override;

 private:
  torch::Tensor attention_channels(const torch::Tensor& x) const;
  torch::Tensor conv_channels(const torch::Tensor& x) const;

  int64_t attention_width_;
  std::unique_ptr<SelfAttention> attention_;
  std::unique_ptr<ConvMixer> conv_;
};

}  // namespace litenat::nn
