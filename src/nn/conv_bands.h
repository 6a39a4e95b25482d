// The convolutions as products with band matrices, for devices that multiply matrices fast: y = band x with
// band[t, t + k - pad_left] = taps[t, k], one matrix [T, T] a sentence and head. A handful of kernels whatever K is, at
// the price of T / K times the multiply-adds; for sentences that are not too long.
#pragma once

#include <utility>

#include "nn/torch.h"

namespace litenat::nn {

/// Whether rows are few enough for bands to pay.
inline bool bands_pay(int64_t rows) { return rows <= 512; }

/// Arguments and results as of sliced_forward (conv_slices.h).
torch::Tensor banded_forward(const torch::Tensor& x, const torch::Tensor& taps, int64_t pad_left,
                             const torch::Tensor& lengths);

/// The gradients of x and taps.
std::pair<torch::Tensor, torch::Tensor> banded_backward(const torch::Tensor& grad_y, const torch::Tensor& x,
                                                        const torch::Tensor& taps, int64_t pad_left,
                                                        const torch::Tensor& lengths);

}  // namespace litenat::nn
