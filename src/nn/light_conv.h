// LightweightConv and DynamicConv of Wu et al. 2019 (arXiv:1901.10430) with their gradients. Neither direction keeps
// or builds a K-fold copy of its input.
//
//   y[b, t, c] = sum_k taps[h, k] x[b, t + k - pad_left, c],  h = c / (C / H)
//
// where x counts as zero outside the sentence. On the CPU, float and double run in loops of our own, other types
// through float; on other devices both directions are products with band matrices in the type of x, or for long
// sentences sums over shifted slices, in libtorch's operations.
#pragma once

#include "nn/torch.h"

namespace litenat::nn {

/// Taps shared by all rows. x [B, T, C] of any floating type, taps [H, K] (already normalised; H divides C).
/// `lengths` [B] int64 on x's device: rows from lengths[b] on are neither read nor written (they are zero in the
/// result); undefined = every sentence fills its T rows. Returns [B, T, C] of x's type.
torch::Tensor light_conv(const torch::Tensor& x, const torch::Tensor& taps, int64_t pad_left,
                         const torch::Tensor& lengths = {});

/// The same with taps of its own at each row: taps [B, T, H, K].
torch::Tensor dynamic_conv(const torch::Tensor& x, const torch::Tensor& taps, int64_t pad_left,
                           const torch::Tensor& lengths = {});

}  // namespace litenat::nn
