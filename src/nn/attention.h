// Multi-head attention: of a sentence's rows over themselves, and of a decoder's rows over the encoder's states.
#pragma once

#include <memory>

#include "nn/layers.h"
#include "nn/mixer.h"
#include "nn/mixer_state.h"

namespace litenat::nn {

/// Which keys the queries may look at.
struct AttentionMask {
  torch::Tensor keys;   // Pass::keys of the side that the keys come from; undefined = all
  bool causal = false;  // query t sees the keys 0 .. t
};

/// softmax(scale q k^T) v of q [B, heads, T, d], k [B, heads, S, d] and v [B, heads, S, e], with dropout of the
/// probabilities in training. The softmax is in fp32 at least.
torch::Tensor attend(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v, const AttentionMask& mask,
                     double scale, const Pass& pass, double dropout);

/// The four projections. `width` is that of queries and results, `source_width` that of what keys and values are
/// made of.
class MultiHead {
 public:
  /// Registers its layers with `parent`.
  MultiHead(torch::nn::Module& parent, int64_t width, int64_t source_width, int64_t heads, double dropout);

  torch::Tensor queries(const torch::Tensor& x) const;  // [B, T, width] -> [B, heads, T, width / heads]
  torch::Tensor keys(const torch::Tensor& x) const;     // [B, S, source_width] -> [B, heads, S, width / heads]
  torch::Tensor values(const torch::Tensor& x) const;   // likewise
  /// [B, T, width].
  torch::Tensor attend(const torch::Tensor& queries, const torch::Tensor& keys, const torch::Tensor& values,
                       const AttentionMask& mask, const Pass& pass) const;

 private:
  int64_t heads_;
  double scale_, dropout_;
  std::shared_ptr<Linear> q_proj_, k_proj_, v_proj_, out_proj_;
};

/// Over the rows of the sentence; `causal`: over those up to the row itself.
class SelfAttention : public Mixer {
 public:
  SelfAttention(torch::nn::Module& parent, int64_t width, int64_t heads, double dropout, bool causal);
  torch::Tensor mix(const torch::Tensor& x, const Pass& pass) const override;
  torch::Tensor step(const torch::Tensor& x, MixerState* state) const override;

 private:
  MultiHead heads_;
  bool causal_;
};

}  // namespace litenat::nn
