// The convolutions in libtorch's own operations, for devices without loops of ours: sums over shifted slices, one tap
// at a time, so that no K-fold copy of the input exists.
#pragma once

#include <utility>

#include "nn/torch.h"

namespace litenat::nn {

/// x [B, T, C] with zeros from row lengths[b] on; x itself where lengths are undefined.
torch::Tensor zero_padding(const torch::Tensor& x, const torch::Tensor& lengths);

/// x [B, T, C], taps [H, K] or [B, T, H, K] of the same type, lengths [B] int64 or undefined -> y [B, T, C], zero from
/// row lengths[b] on.
torch::Tensor sliced_forward(const torch::Tensor& x, const torch::Tensor& taps, int64_t pad_left,
                             const torch::Tensor& lengths);

/// The gradients of x and taps.
std::pair<torch::Tensor, torch::Tensor> sliced_backward(const torch::Tensor& grad_y, const torch::Tensor& x,
                                                        const torch::Tensor& taps, int64_t pad_left,
                                                        const torch::Tensor& lengths);

}  // namespace litenat::nn
