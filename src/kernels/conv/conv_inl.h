// The lightweight and the dynamic convolution, over the 16 lanes of V.
#pragma once

#include "kernels/rowwise/rowwise_inl.h"

namespace litenat::kernels {

/// kBlocks * 16 channels (or `count` < 16 with one block) of one output row: a chain over the taps [first, last).
/// x is the row under tap `first`.
template <class V, int kBlocks>
LITENAT_INLINE void conv_block(const float* x, int64_t x_stride, const float* taps, int first, int last, int count,
                               float* y) {
  V sum[kBlocks];
#pragma GCC unroll 4
  for (int b = 0; b < kBlocks; ++b) sum[b] = V::broadcast(0.0f);
  for (int k = first; k < last; ++k, x += x_stride) {
    const V tap = V::broadcast(taps[k]);
#pragma GCC unroll 4
    for (int b = 0; b < kBlocks; ++b) sum[b] = V::fma(tap, load_up_to<V>(x + b * 16, count), sum[b]);
  }
#pragma GCC unroll 4
  for (int b = 0; b < kBlocks; ++b) store_up_to(sum[b], y + b * 16, count);
}

/// The `width` channels of one head.
template <class V>
LITENAT_INLINE void conv_head(const float* x, int64_t x_stride, const float* taps, int first, int last, int64_t width,
                              float* y) {
  int64_t c = 0;
  for (; c + 64 <= width; c += 64) conv_block<V, 4>(x + c, x_stride, taps, first, last, 16, y + c);
  for (; c + 16 <= width; c += 16) conv_block<V, 1>(x + c, x_stride, taps, first, last, 16, y + c);
  if (c < width) conv_block<V, 1>(x + c, x_stride, taps, first, last, static_cast<int>(width - c), y + c);
}

constexpr int kTapsOfTile = 16;

/// The taps [first, last) of 16 channels (or `count`) from `channel` on, turned: those of one tap side by side.
LITENAT_INLINE void turn_taps(const float* taps, int kernel, int64_t width, int64_t channel, int count, int first,
                              int last, float (&tile)[kTapsOfTile][16]) {
  for (int c = 0; c < count; ++c) {
    const float* head_taps = taps + (channel + c) / width * kernel;
    for (int k = first; k < last; ++k) tile[k - first][c] = head_taps[k];
  }
}

/// Adds the taps [first, last) to `count` channels of all rows; the chain of a channel begins at tap 0 and goes on in
/// y. x is the channels' first row.
template <class V>
LITENAT_INLINE void conv_tile(const float* x, int64_t x_stride, int64_t rows, const float (&tile)[kTapsOfTile][16],
                              int first, int last, int pad_left, int count, float* y, int64_t y_stride) {
  const V zero = V::broadcast(0.0f);
  for (int64_t t = 0; t < rows; ++t) {
    const int64_t top = t - pad_left;  // the row under tap 0
    const int64_t begin = top + first < 0 ? -top : first;
    const int64_t end = rows - top < last ? rows - top : last;
    V sum = first == 0 ? zero : load_up_to<V>(y + t * y_stride, count);
    for (int64_t k = begin; k < end; ++k) {
      sum = V::fma(V::load(tile[k - first]), load_up_to<V>(x + (top + k) * x_stride, count), sum);
    }
    store_up_to(sum, y + t * y_stride, count);
  }
}

/// Heads of fewer than 16 channels (depthwise: of one), the same taps for every row: lanes run across heads.
template <class V>
LITENAT_INLINE void conv_narrow_heads(const float* x, int64_t x_stride, int64_t rows, int64_t channels,
                                      const float* taps, int64_t width, int kernel, int pad_left, float* y,
                                      int64_t y_stride) {
  float tile[kTapsOfTile][16] = {};
  for (int64_t c = 0; c < channels; c += 16) {
    const int count = channels - c < 16 ? static_cast<int>(channels - c) : 16;
    int first = 0;
    do {
      const int last = kernel - first < kTapsOfTile ? kernel : first + kTapsOfTile;
      turn_taps(taps, kernel, width, c, count, first, last, tile);
      conv_tile<V>(x + c, x_stride, rows, tile, first, last, pad_left, count, y + c, y_stride);
      first = last;
    } while (first < kernel);
  }
}

template <class V>
void conv(const float* x, int64_t x_stride, int64_t rows, int64_t channels, const float* taps, int64_t taps_stride,
          int heads, int kernel, int pad_left, float* y, int64_t y_stride) {
  const int64_t width = channels / heads;
  if (width < 16 && taps_stride == 0) {
    return conv_narrow_heads<V>(x, x_stride, rows, channels, taps, width, kernel, pad_left, y, y_stride);
  }
  for (int64_t t = 0; t < rows; ++t) {
    const int64_t top = t - pad_left;  // the row under tap 0
    const int first = static_cast<int>(top < 0 ? (-top < kernel ? -top : kernel) : 0);
    const int last = static_cast<int>(rows - top < kernel ? rows - top : kernel);
    const float* row_taps = taps + t * taps_stride;
    for (int h = 0; h < heads; ++h) {
      conv_head<V>(x + (top + first) * x_stride + h * width, x_stride, row_taps + static_cast<int64_t>(h) * kernel,
                   first, last, width, y + t * y_stride + h * width);
    }
  }
}

}  // namespace litenat::kernels
