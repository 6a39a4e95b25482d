// The inner loops of the convolutions on the CPU: plain pointers, one sentence at a time. No libtorch here, so that
// the compiler's vectoriser sees simple code and the file compiles in a second.
#pragma once

#include <cstdint>

namespace litenat::nn {

/// One sentence as the loops see it. Rows outside [0, length) count as zeros.
struct ConvShape {
  int64_t length;    // rows of the sentence
  int64_t channels;  // C; head h owns channels [h C / H, (h + 1) C / H)
  int64_t heads;     // H
  int64_t kernel;    // K
  int64_t pad_left;  // tap k of row t reads row t + k - pad_left
};

/// Shared taps, spread over the channels: taps [K, C]; x, y and their gradients [length, C].
/// y[t, c] = sum_k taps[k, c] x[t + k - pad_left, c]
void shared_forward(const ConvShape& shape, const float* x, const float* taps, float* y);
void shared_forward(const ConvShape& shape, const double* x, const double* taps, double* y);
/// grad_x from grad_y.
void shared_backward_input(const ConvShape& shape, const float* grad_y, const float* taps, float* grad_x);
void shared_backward_input(const ConvShape& shape, const double* grad_y, const double* taps, double* grad_x);
/// grad_taps [K, C] of this sentence (overwritten).
void shared_backward_taps(const ConvShape& shape, const float* grad_y, const float* x, float* grad_taps);
void shared_backward_taps(const ConvShape& shape, const double* grad_y, const double* x, double* grad_taps);

/// Taps of their own at each row: taps [length, H, K].
/// y[t, c] = sum_k taps[t, c / (C / H), k] x[t + k - pad_left, c]
void dynamic_forward(const ConvShape& shape, const float* x, const float* taps, float* y);
void dynamic_forward(const ConvShape& shape, const double* x, const double* taps, double* y);
/// grad_x [length, C] and grad_taps [length, H, K] from grad_y (both overwritten).
void dynamic_backward(const ConvShape& shape, const float* grad_y, const float* x, const float* taps, float* grad_x,
                      float* grad_taps);
void dynamic_backward(const ConvShape& shape, const double* grad_y, const double* x, const double* taps, double* grad_x,
                      double* grad_taps);

}  // namespace litenat::nn
