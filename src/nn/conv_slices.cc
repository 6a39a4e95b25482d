#include "nn/conv_slices.h"

namespace litenat::nn {

using torch::Tensor;

Tensor zero_padding(const Tensor& x, const Tensor& lengths) {
  if (!lengths.defined()) return x;
  const Tensor rows = at::arange(x.size(1), lengths.options());
  return x.masked_fill((rows.unsqueeze(0) >= lengths.unsqueeze(1)).unsqueeze(-1), 0);
}

namespace {

/// Taps as [B or 1, T or 1, H, K, 1], whichever convolution they belong to.
Tensor broadcast_taps(const Tensor& taps) {
  return (taps.dim() == 2 ? taps.unsqueeze(0).unsqueeze(0) : taps).unsqueeze(-1);
}

/// x [B, T, C] -> [B, T + K - 1, H, C / H] with pad_left zero rows before and the rest after.
Tensor pad_rows(const Tensor& x, int64_t heads, int64_t left, int64_t right) {
  return at::constant_pad_nd(x, {0, 0, left, right}).view({x.size(0), x.size(1) + left + right, heads, -1});
}

}  // namespace

Tensor sliced_forward(const Tensor& x, const Tensor& taps, int64_t pad_left, const Tensor& lengths) {
  const int64_t heads = taps.size(-2), kernel = taps.size(-1), rows = x.size(1);
  const Tensor padded = pad_rows(zero_padding(x, lengths), heads, pad_left, kernel - 1 - pad_left);
  const Tensor weight = broadcast_taps(taps);
  Tensor y = at::zeros({x.size(0), rows, heads, x.size(2) / heads}, x.options());
  for (int64_t k = 0; k < kernel; ++k) y.addcmul_(padded.narrow(1, k, rows), weight.select(3, k));
  return zero_padding(y.view_as(x), lengths);
}

std::pair<Tensor, Tensor> sliced_backward(const Tensor& grad_y, const Tensor& x, const Tensor& taps, int64_t pad_left,
                                          const Tensor& lengths) {
  const int64_t heads = taps.size(-2), kernel = taps.size(-1), rows = x.size(1);
  const bool shared = taps.dim() == 2;
  const Tensor padded = pad_rows(zero_padding(x, lengths), heads, pad_left, kernel - 1 - pad_left);
  const Tensor grad = zero_padding(grad_y, lengths).view({x.size(0), rows, heads, -1});
  const Tensor weight = broadcast_taps(taps);
  Tensor grad_padded = at::zeros_like(padded);
  Tensor grad_taps = at::empty_like(taps);
  for (int64_t k = 0; k < kernel; ++k) {
    grad_padded.narrow(1, k, rows).addcmul_(grad, weight.select(3, k));
    const Tensor product = grad * padded.narrow(1, k, rows);
    grad_taps.select(-1, k).copy_(shared ? product.sum(at::IntArrayRef{0, 1, 3}) : product.sum(-1));
  }
  const Tensor grad_x = grad_padded.narrow(1, pad_left, rows).reshape_as(x);
  return {zero_padding(grad_x, lengths), grad_taps};
}

}  // namespace litenat::nn
