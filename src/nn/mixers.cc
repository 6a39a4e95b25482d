#include "nn/mixers.h"

#include <cmath>
#include <limits>

#include "nn/light_conv.h"

namespace litenat::nn {

using graph::ConvKind;
using torch::Tensor;

// ---- Convolution -----------------------------------------------------------------------------------------------

Convolution::Convolution(torch::nn::Module& parent, const graph::ConvSpec& spec, double weight_dropout)
    : spec_(spec), weight_dropout_(weight_dropout) {
  const int64_t channels = spec.dim;
  if (spec.kind == ConvKind::kDepthwise) spec_.heads = spec.dim;
  if (spec.inner_linear)
    inner_linear1_ = add_module<Linear>(parent, "linear1", channels, spec.inner_glu ? 2 * channels : channels);
  if (spec.kind == ConvKind::kDynamic) {
    weight_linear_ =
        add_module<Linear>(parent, "weight_linear", channels, int64_t{spec.heads} * spec.kernel, /*with_bias=*/false);
  } else {
    const double bound = std::sqrt(6.0 / static_cast<double>(spec_.heads + spec.kernel));  // Xavier-uniform
    weight_ = parent.register_parameter("weight", at::empty({spec_.heads, spec.kernel}).uniform_(-bound, bound));
  }
  if (spec.inner_linear) inner_linear2_ = add_module<Linear>(parent, "linear2", channels, channels);
}

Tensor Convolution::dynamic_taps(const Tensor& x, const Pass& pass) const {
  const Tensor logits = weight_linear_->forward(x).view({x.size(0), x.size(1), spec_.heads, spec_.kernel});
  return pass.drop(at::softmax(logits, -1), weight_dropout_);
}

Tensor Convolution::shared_taps(const Pass& pass) const {
  return pass.drop(spec_.kind == ConvKind::kLightweight ? at::softmax(weight_, -1) : weight_, weight_dropout_);
}

Tensor Convolution::mix(const Tensor& x, const Pass& pass) const {
  Tensor h = inner_linear1_ ? inner_linear1_->forward(x) : x;
  if (inner_linear1_ && spec_.inner_glu) h = at::glu(h, -1);
  // The convolutions read nothing beyond a sentence's length, so what the linear layers made of padding stays there.
  h = weight_linear_ ? dynamic_conv(h, dynamic_taps(h, pass), spec_.pad_left(), pass.lengths)
                     : light_conv(h, shared_taps(pass), spec_.pad_left(), pass.lengths);
  return inner_linear2_ ? inner_linear2_->forward(h) : h;
}

// ---- ConvMixer -------------------------------------------------------------------------------------------------

ConvMixer::ConvMixer(torch::nn::Module& parent, int64_t width, const graph::ConvSpec& spec, double weight_dropout,
                     Names names)
    : gated_(spec.gated_input) {
  linear1_ = add_module<Linear>(parent, "linear1", width, (gated_ ? 2 : 1) * int64_t{spec.dim});
  if (names == Names::kConvModule)
    conv_ = std::make_unique<Convolution>(*add_module<torch::nn::Module>(parent, "conv"), spec, weight_dropout);
  else
    conv_ = std::make_unique<Convolution>(parent, spec, weight_dropout);
  linear2_ = add_module<Linear>(parent, "linear2", spec.dim, width);
}

Tensor ConvMixer::mix(const Tensor& x, const Pass& pass) const {
  Tensor h = linear1_->forward(x);
  if (gated_) h = at::glu(h, -1);
  return linear2_->forward(conv_->mix(h, pass));
}

// ---- SelfAttention ---------------------------------------------------------------------------------------------

SelfAttention::SelfAttention(torch::nn::Module& parent, int64_t width, int64_t heads, double dropout)
    : heads_(heads), dropout_(dropout) {
  const double gain = 1.0 / std::sqrt(2.0);
  q_proj_ = add_module<Linear>(parent, "q_proj", width, width, true, gain);
  k_proj_ = add_module<Linear>(parent, "k_proj", width, width, true, gain);
  v_proj_ = add_module<Linear>(parent, "v_proj", width, width, true, gain);
  out_proj_ = add_module<Linear>(parent, "out_proj", width, width);
}

Tensor SelfAttention::split_heads(const Tensor& x) const {
  return x.view({x.size(0), x.size(1), heads_, x.size(2) / heads_}).transpose(1, 2);
}

Tensor SelfAttention::mix(const Tensor& x, const Pass& pass) const {
  const double scale = 1.0 / std::sqrt(static_cast<double>(x.size(2) / heads_));
  const Tensor q = split_heads(q_proj_->forward(x) * scale), k = split_heads(k_proj_->forward(x));
  const Tensor v = split_heads(v_proj_->forward(x));
  Tensor scores = at::matmul(q, k.transpose(-1, -2));  // [B, heads, T, T]
  if (scores.scalar_type() != torch::kDouble) scores = scores.to(torch::kFloat);
  // The lowest finite number, not -inf: a sentence without rows must not turn into NaN.
  if (pass.mask.defined())
    scores =
        scores.masked_fill(pass.mask.logical_not().unsqueeze(1).unsqueeze(1), std::numeric_limits<float>::lowest());
  const Tensor weights = pass.drop(at::softmax(scores, -1), dropout_).to(v.scalar_type());
  return out_proj_->forward(at::matmul(weights, v).transpose(1, 2).reshape(x.sizes()));
}

// ---- Lsra ------------------------------------------------------------------------------------------------------

Lsra::Lsra(torch::nn::Module& parent, int64_t width, const graph::BlockSpec& spec, double attention_dropout,
           double weight_dropout)
    : attention_width_(spec.attention.dim) {
  auto branches = add_module<torch::nn::Module>(parent, "branches");
  attention_ = std::make_unique<SelfAttention>(*add_module<torch::nn::Module>(*branches, "0"), attention_width_,
                                               spec.attention.heads, attention_dropout);
  conv_ = std::make_unique<ConvMixer>(*add_module<torch::nn::Module>(*branches, "1"), width - attention_width_,
                                      spec.conv, weight_dropout, ConvMixer::Names::kFlat);
}

Tensor Lsra::mix(const Tensor& x, const Pass& pass) const {
  const Tensor far = attention_->mix(x.narrow(-1, 0, attention_width_), pass);
  const Tensor near = conv_->mix(x.narrow(-1, attention_width_, x.size(-1) - attention_width_), pass);
  return at::cat({far, near}, -1);
}

}  // namespace litenat::nn
