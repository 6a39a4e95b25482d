#include "nn/conv_bands.h"

#include <c10/core/impl/LocalDispatchKeySet.h>

#include "nn/conv_slices.h"

namespace litenat::nn {

using torch::Tensor;

namespace {

/// Keeps products in the type of their operands.
struct WithoutAutocast {
  c10::impl::ExcludeDispatchKeyGuard guard{c10::autocast_dispatch_keyset};
};

/// Matrices [N, T, T + K - 1], whose row t holds the taps of row t from column t on: the columns are the rows of a
/// sentence with pad_left zero rows before it.
struct Bands {
  Tensor wide;
  int64_t rows, kernel, pad_left;

  /// [N, T, K]: a view of the taps.
  Tensor taps() const {
    const int64_t columns = wide.size(2);
    return wide.as_strided({wide.size(0), rows, kernel}, {rows * columns, columns + 1, 1});
  }
  /// [N, T, T]: a view of what lies inside the sentence.
  Tensor inside() const { return wide.narrow(2, pad_left, rows); }
};

Bands empty_bands(int64_t count, int64_t rows, int64_t kernel, int64_t pad_left, const at::TensorOptions& options) {
  return {at::zeros({count, rows, rows + kernel - 1}, options), rows, kernel, pad_left};
}

/// How rows and taps are laid out as batches of matrices. Taps of their own at each row: one matrix a sentence and
/// head. Shared taps: one a head, with the sentences side by side.
struct Layout {
  int64_t batch, rows, heads, width;
  bool shared;

  Layout(const Tensor& x, const Tensor& taps)
      : batch(x.size(0)), rows(x.size(1)), heads(taps.size(-2)), width(x.size(2) / heads), shared(taps.dim() == 2) {}

  int64_t matrices() const { return shared ? heads : batch * heads; }
  /// [B, T, C] -> [B H, T, R] or [H, T, B R].
  Tensor split(const Tensor& x) const {
    const Tensor heads_apart = x.reshape({batch, rows, heads, width});
    return shared ? heads_apart.permute({2, 1, 0, 3}).reshape({heads, rows, batch * width})
                  : heads_apart.transpose(1, 2).reshape({batch * heads, rows, width});
  }
  /// The reverse.
  Tensor join(const Tensor& y) const {
    const Tensor heads_apart = shared ? y.view({heads, rows, batch, width}).permute({2, 1, 0, 3})
                                      : y.view({batch, heads, rows, width}).transpose(1, 2);
    return heads_apart.reshape({batch, rows, heads * width});
  }
  /// [H, K] or [B, T, H, K] -> [N, 1 or T, K].
  Tensor split_taps(const Tensor& taps) const {
    return shared ? taps.unsqueeze(1) : taps.transpose(1, 2).reshape({batch * heads, rows, taps.size(3)});
  }
  Tensor join_taps(const Tensor& taps) const {
    return shared ? taps.sum(1) : taps.view({batch, heads, rows, taps.size(2)}).transpose(1, 2);
  }
};

Bands bands_of(const Tensor& taps, const Layout& layout, int64_t pad_left) {
  Bands bands = empty_bands(layout.matrices(), layout.rows, taps.size(-1), pad_left, taps.options());
  bands.taps().copy_(layout.split_taps(taps).expand({-1, layout.rows, -1}));
  return bands;
}

}  // namespace

Tensor banded_forward(const Tensor& x, const Tensor& taps, int64_t pad_left, const Tensor& lengths) {
  const WithoutAutocast without_autocast;
  const Layout layout(x, taps);
  const Bands bands = bands_of(taps, layout, pad_left);
  return zero_padding(layout.join(at::bmm(bands.inside(), layout.split(zero_padding(x, lengths)))), lengths);
}

std::pair<Tensor, Tensor> banded_backward(const Tensor& grad_y, const Tensor& x, const Tensor& taps, int64_t pad_left,
                                          const Tensor& lengths) {
  const WithoutAutocast without_autocast;
  const Layout layout(x, taps);
  const Bands bands = bands_of(taps, layout, pad_left);
  const Tensor grad = layout.split(zero_padding(grad_y, lengths));
  const Tensor grad_x = layout.join(at::bmm(bands.inside().transpose(1, 2), grad));
  const Bands grad_bands = empty_bands(layout.matrices(), layout.rows, taps.size(-1), pad_left, taps.options());
  grad_bands.inside().copy_(at::bmm(grad, layout.split(zero_padding(x, lengths)).transpose(1, 2)));
  return {zero_padding(grad_x, lengths), layout.join_taps(grad_bands.taps().contiguous())};
}

}  // namespace litenat::nn
