#include "nn/conv_loops.h"

#include <algorithm>

#include "nn/wide_vectors.h"

namespace litenat::nn {
namespace {

/// The taps [first, last) of row t that read inside the sentence.
struct TapRange {
  int64_t first;
  int64_t last;
};

LITENAT_INLINE TapRange taps_inside(const ConvShape& s, int64_t t) {
  return {std::max<int64_t>(0, s.pad_left - t), std::min(s.kernel, s.length + s.pad_left - t)};
}

/// The taps by which row t is read: tap k of row t + pad_left - k.
LITENAT_INLINE TapRange taps_reading(const ConvShape& s, int64_t t) {
  return {std::max<int64_t>(0, t + s.pad_left - s.length + 1), std::min(s.kernel, t + s.pad_left + 1)};
}

template <class T>
LITENAT_INLINE void add_product(int64_t n, const T* __restrict a, const T* __restrict b, T* __restrict sum) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) sum[i] += a[i] * b[i];
}

template <class T>
LITENAT_INLINE void add_scaled(int64_t n, T scale, const T* __restrict a, T* __restrict sum) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) sum[i] += scale * a[i];
}

template <class T>
LITENAT_INLINE T dot(int64_t n, const T* __restrict a, const T* __restrict b) {
  T sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

template <class T>
LITENAT_INLINE void shared_forward_loop(const ConvShape& s, const T* x, const T* taps, T* y) {
  for (int64_t t = 0; t < s.length; ++t) {
    T* row = y + t * s.channels;
    std::fill(row, row + s.channels, T(0));
    const TapRange range = taps_inside(s, t);
    for (int64_t k = range.first; k < range.last; ++k)
      add_product(s.channels, taps + k * s.channels, x + (t + k - s.pad_left) * s.channels, row);
  }
}

template <class T>
LITENAT_INLINE void shared_backward_input_loop(const ConvShape& s, const T* grad_y, const T* taps, T* grad_x) {
  for (int64_t t = 0; t < s.length; ++t) {
    T* row = grad_x + t * s.channels;
    std::fill(row, row + s.channels, T(0));
    const TapRange range = taps_reading(s, t);
    for (int64_t k = range.first; k < range.last; ++k)
      add_product(s.channels, taps + k * s.channels, grad_y + (t + s.pad_left - k) * s.channels, row);
  }
}

template <class T>
LITENAT_INLINE void shared_backward_taps_loop(const ConvShape& s, const T* grad_y, const T* x, T* grad_taps) {
  std::fill(grad_taps, grad_taps + s.kernel * s.channels, T(0));
  for (int64_t t = 0; t < s.length; ++t) {
    const TapRange range = taps_inside(s, t);
    for (int64_t k = range.first; k < range.last; ++k)
      add_product(s.channels, grad_y + t * s.channels, x + (t + k - s.pad_left) * s.channels,
                  grad_taps + k * s.channels);
  }
}

template <class T>
LITENAT_INLINE void dynamic_forward_loop(const ConvShape& s, const T* x, const T* taps, T* y) {
  const int64_t width = s.channels / s.heads;
  for (int64_t t = 0; t < s.length; ++t) {
    T* row = y + t * s.channels;
    std::fill(row, row + s.channels, T(0));
    const TapRange range = taps_inside(s, t);
    for (int64_t h = 0; h < s.heads; ++h) {
      const T* weight = taps + (t * s.heads + h) * s.kernel;
      for (int64_t k = range.first; k < range.last; ++k)
        add_scaled(width, weight[k], x + (t + k - s.pad_left) * s.channels + h * width, row + h * width);
    }
  }
}

template <class T>
LITENAT_INLINE void dynamic_backward_input_loop(const ConvShape& s, const T* grad_y, const T* taps, T* grad_x) {
  const int64_t width = s.channels / s.heads;
  for (int64_t t = 0; t < s.length; ++t) {
    T* row = grad_x + t * s.channels;
    std::fill(row, row + s.channels, T(0));
    const TapRange range = taps_reading(s, t);
    for (int64_t h = 0; h < s.heads; ++h) {
      for (int64_t k = range.first; k < range.last; ++k) {
        const int64_t reader = t + s.pad_left - k;
        add_scaled(width, taps[(reader * s.heads + h) * s.kernel + k], grad_y + reader * s.channels + h * width,
                   row + h * width);
      }
    }
  }
}

template <class T>
LITENAT_INLINE void dynamic_backward_taps_loop(const ConvShape& s, const T* grad_y, const T* x, T* grad_taps) {
  const int64_t width = s.channels / s.heads;
  std::fill(grad_taps, grad_taps + s.length * s.heads * s.kernel, T(0));
  for (int64_t t = 0; t < s.length; ++t) {
    const TapRange range = taps_inside(s, t);
    for (int64_t h = 0; h < s.heads; ++h) {
      T* weight = grad_taps + (t * s.heads + h) * s.kernel;
      for (int64_t k = range.first; k < range.last; ++k)
        weight[k] = dot(width, grad_y + t * s.channels + h * width, x + (t + k - s.pad_left) * s.channels + h * width);
    }
  }
}

}  // namespace

LITENAT_WIDE_VECTORS void shared_forward(const ConvShape& s, const float* x, const float* taps, float* y) {
  shared_forward_loop(s, x, taps, y);
}
void shared_forward(const ConvShape& s, const double* x, const double* taps, double* y) {
  shared_forward_loop(s, x, taps, y);
}

LITENAT_WIDE_VECTORS void shared_backward_input(const ConvShape& s, const float* grad_y, const float* taps,
                                                float* grad_x) {
  shared_backward_input_loop(s, grad_y, taps, grad_x);
}
void shared_backward_input(const ConvShape& s, const double* grad_y, const double* taps, double* grad_x) {
  shared_backward_input_loop(s, grad_y, taps, grad_x);
}

LITENAT_WIDE_VECTORS void shared_backward_taps(const ConvShape& s, const float* grad_y, const float* x,
                                               float* grad_taps) {
  shared_backward_taps_loop(s, grad_y, x, grad_taps);
}
void shared_backward_taps(const ConvShape& s, const double* grad_y, const double* x, double* grad_taps) {
  shared_backward_taps_loop(s, grad_y, x, grad_taps);
}

LITENAT_WIDE_VECTORS void dynamic_forward(const ConvShape& s, const float* x, const float* taps, float* y) {
  dynamic_forward_loop(s, x, taps, y);
}
void dynamic_forward(const ConvShape& s, const double* x, const double* taps, double* y) {
  dynamic_forward_loop(s, x, taps, y);
}

LITENAT_WIDE_VECTORS void dynamic_backward(const ConvShape& s, const float* grad_y, const float* x, const float* taps,
                                           float* grad_x, float* grad_taps) {
  dynamic_backward_input_loop(s, grad_y, taps, grad_x);
  dynamic_backward_taps_loop(s, grad_y, x, grad_taps);
}
void dynamic_backward(const ConvShape& s, const double* grad_y, const double* x, const double* taps, double* grad_x,
                      double* grad_taps) {
  dynamic_backward_input_loop(s, grad_y, taps, grad_x);
  dynamic_backward_taps_loop(s, grad_y, x, grad_taps);
}

}  // namespace litenat::nn
