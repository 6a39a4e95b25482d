#include "nn/layers.h"

#include <cmath>

#include "nn/dropout.h"

namespace litenat::nn {

using torch::Tensor;

namespace {

/// Xavier-uniform [out, in].
Tensor xavier(int64_t out, int64_t in, double gain) {
  const double bound = gain * std::sqrt(6.0 / static_cast<double>(in + out));
  return at::empty({out, in}).uniform_(-bound, bound);
}

}  // namespace

Linear::Linear(int64_t in, int64_t out, bool with_bias, double gain) {
  weight = register_parameter("weight", xavier(out, in, gain));
  if (with_bias) bias = register_parameter("bias", at::zeros({out}));
}

Tensor Linear::forward(const Tensor& x) const { return at::linear(x, weight, bias); }

LayerNorm::LayerNorm(int64_t width) {
  weight = register_parameter("weight", at::ones({width}));
  bias = register_parameter("bias", at::zeros({width}));
}

Tensor LayerNorm::forward(const Tensor& x) const { return at::layer_norm(x, weight.sizes(), weight, bias, 1e-5); }

Embedding::Embedding(int64_t rows, int64_t width, int64_t pad_row, double deviation) : pad_row_(pad_row) {
  weight = register_parameter("weight", at::empty({rows, width}));
  reset(deviation);
}

void Embedding::reset(double deviation) {
  const torch::NoGradGuard no_grad;
  weight.normal_(0, deviation);
  if (pad_row_ >= 0) weight[pad_row_].zero_();
}

Tensor Embedding::forward(const Tensor& ids) const { return at::embedding(weight, ids, pad_row_); }

Tensor sinusoidal_table(int64_t rows, int64_t width, int64_t pad_row) {
  const int64_t half = width / 2;
  const double step = half > 1 ? std::log(10000.0) / static_cast<double>(half - 1) : 0.0;
  const Tensor frequencies = at::exp(at::arange(half, torch::kDouble) * -step);
  const Tensor angles = at::arange(rows, torch::kDouble).unsqueeze(1) * frequencies.unsqueeze(0);  // [rows, half]
  Tensor table = at::zeros({rows, width});
  table.narrow(1, 0, half).copy_(angles.sin());
  table.narrow(1, half, half).copy_(angles.cos());
  table[pad_row].zero_();
  return table;
}

Pass::Pass(const Tensor& mask_in, bool is_training) : training(is_training) {
  if (mask_in.is_cpu() && mask_in.all().item<bool>()) return;
  mask = mask_in;
  lengths = mask_in.sum(1);
  const Tensor first = at::arange(mask_in.size(1), lengths.options()) == 0;
  keys = mask_in.logical_or(first).unsqueeze(1).unsqueeze(1);
}

Tensor Pass::keep(const Tensor& x) const {
  return mask.defined() ? x.masked_fill(mask.logical_not().unsqueeze(-1), 0) : x;
}

Tensor Pass::drop(const Tensor& x, double rate) const { return training && rate > 0 ? dropout(x, rate) : x; }

Tensor Pass::add_dropped(const Tensor& residual, const Tensor& x, double rate) const {
  return training && rate > 0 ? dropout_add(x, residual, rate) : residual + x;
}

}  // namespace litenat::nn
