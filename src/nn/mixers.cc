#include "nn/mixers.h"

#include <cmath>

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

Tensor Convolution::input(const Tensor& x) const {
  if (!inner_linear1_) return x;
  const Tensor h = inner_linear1_->forward(x);
  return spec_.inner_glu ? at::glu(h, -1) : h;
}

Tensor Convolution::output(const Tensor& y) const { return inner_linear2_ ? inner_linear2_->forward(y) : y; }

Tensor Convolution::mix(const Tensor& x, const Pass& pass) const {
  const Tensor h = input(x);
  // The convolutions read nothing beyond a sentence's length, so what the linear layers made of padding stays there.
  return output(weight_linear_ ? dynamic_conv(h, dynamic_taps(h, pass), spec_.pad_left(), pass.lengths)
                               : light_conv(h, shared_taps(pass), spec_.pad_left(), pass.lengths));
}

Tensor Convolution::step(const Tensor& x, MixerState* state) const {
  const Tensor row = input(x);  // [N, 1, C]
  const int64_t before = spec_.kernel - 1;
  if (!state->window.defined()) state->window = at::zeros({row.size(0), before, row.size(2)}, row.options());
  const Tensor rows = at::cat({state->window, row}, 1);  // [N, K, C]
  state->window = rows.narrow(1, 1, before);
  const Tensor taps = weight_linear_ ? dynamic_taps(row, Pass()).squeeze(1) : shared_taps(Pass()).unsqueeze(0);
  const Tensor weights = taps.transpose(1, 2).unsqueeze(-1);  // [N or 1, K, H, 1]
  const Tensor products = rows.view({rows.size(0), spec_.kernel, spec_.heads, -1}) * weights;
  return output(products.sum(1).flatten(1).unsqueeze(1).to(row.scalar_type()));
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

Tensor ConvMixer::input(const Tensor& x) const {
  const Tensor h = linear1_->forward(x);
  return gated_ ? at::glu(h, -1) : h;
}

Tensor ConvMixer::mix(const Tensor& x, const Pass& pass) const { return linear2_->forward(conv_->mix(input(x), pass)); }

Tensor ConvMixer::step(const Tensor& x, MixerState* state) const {
  return linear2_->forward(conv_->step(input(x), state));
}

// ---- Lsra ------------------------------------------------------------------------------------------------------

Lsra::Lsra(torch::nn::Module& parent, int64_t width, const graph::BlockSpec& spec, double attention_dropout,
           double weight_dropout, bool causal)
    : attention_width_(spec.attention.dim) {
  auto branches = add_module<torch::nn::Module>(parent, "branches");
  attention_ = std::make_unique<SelfAttention>(*add_module<torch::nn::Module>(*branches, "0"), attention_width_,
                                               spec.attention.heads, attention_dropout, causal);
  conv_ = std::make_unique<ConvMixer>(*add_module<torch::nn::Module>(*branches, "1"), width - attention_width_,
                                      spec.conv, weight_dropout, ConvMixer::Names::kFlat);
}

Tensor Lsra::attention_channels(const Tensor& x) const { return x.narrow(-1, 0, attention_width_); }

Tensor Lsra::conv_channels(const Tensor& x) const {
  return x.narrow(-1, attention_width_, x.size(-1) - attention_width_);
}

Tensor Lsra::mix(const Tensor& x, const Pass& pass) const {
  return at::cat({attention_->mix(attention_channels(x), pass), conv_->mix(conv_channels(x), pass)}, -1);
}

Tensor Lsra::step(const Tensor& x, MixerState* state) const {
  return at::cat({attention_->step(attention_channels(x), state), conv_->step(conv_channels(x), state)}, -1);
}

}  // namespace litenat::nn
