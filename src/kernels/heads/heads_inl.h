// One row against rows that lie anywhere in memory, head by head: attention and convolution, step by step, over the 16
// lanes of V.
#pragma once

#include "kernels/rowwise/rowwise_inl.h"

namespace litenat::kernels {

template <class V>
void dot_heads(const float* q, const float* const* rows, int64_t offset, int64_t count, int heads, int64_t width,
               float* s, int64_t s_stride) {
  for (int64_t i = 0; i < count; ++i) {
    const float* row = rows[i] + offset;
    for (int h = 0; h < heads; ++h) {
      V sum = V::broadcast(0.0f);
      for_each_16(width, [&](int64_t c, int n) LITENAT_LAMBDA {
        sum = V::fma(load_up_to<V>(q + h * width + c, n), load_up_to<V>(row + h * width + c, n), sum);
      });
      s[h * s_stride + i] = sum.reduce_add();
    }
  }
}

/// kBlocks * 16 channels (or `count` < 16 with one block): a chain over the rows. `offset` leads to the channels.
template <class V, int kBlocks>
LITENAT_INLINE void sum_block(const float* const* rows, int64_t offset, int64_t num_rows, const float* weights,
                              int count, float* y) {
  V sum[kBlocks];
#pragma GCC unroll 4
  for (int b = 0; b < kBlocks; ++b) sum[b] = V::broadcast(0.0f);
  for (int64_t i = 0; i < num_rows; ++i) {
    const V weight = V::broadcast(weights[i]);
    const float* x = rows[i] + offset;
#pragma GCC unroll 4
    for (int b = 0; b < kBlocks; ++b) sum[b] = V::fma(weight, load_up_to<V>(x + b * 16, count), sum[b]);
  }
#pragma GCC unroll 4
  for (int b = 0; b < kBlocks; ++b) store_up_to(sum[b], y + b * 16, count);
}

/// Heads of fewer than 16 channels: lanes run across heads.
template <class V>
LITENAT_INLINE void sum_narrow_heads(const float* const* rows, int64_t offset, int64_t num_rows, const float* weights,
                                     int64_t weights_stride, int64_t channels, int64_t width, float* y) {
  for (int64_t c = 0; c < channels; c += 16) {
    const int count = channels - c < 16 ? static_cast<int>(channels - c) : 16;
    int64_t head[16] = {};
    for (int lane = 0; lane < count; ++lane) head[lane] = (c + lane) / width * weights_stride;
    V sum = V::broadcast(0.0f);
    for (int64_t i = 0; i < num_rows; ++i) {
      float of_lane[16] = {};
      for (int lane = 0; lane < count; ++lane) of_lane[lane] = weights[head[lane] + i];
      sum = V::fma(V::load(of_lane), load_up_to<V>(rows[i] + offset + c, count), sum);
    }
    store_up_to(sum, y + c, count);
  }
}

template <class V>
void sum_heads(const float* const* rows, int64_t offset, int64_t count, const float* weights, int64_t weights_stride,
               int heads, int64_t width, float* y) {
  if (width < 16) {
    return sum_narrow_heads<V>(rows, offset, count, weights, weights_stride, heads * width, width, y);
  }
  for (int h = 0; h < heads; ++h, offset += width, weights += weights_stride, y += width) {
    int64_t c = 0;
    for (; c + 64 <= width; c += 64) sum_block<V, 4>(rows, offset + c, count, weights, 16, y + c);
    for (; c + 16 <= width; c += 16) sum_block<V, 1>(rows, offset + c, count, weights, 16, y + c);
    if (c < width) sum_block<V, 1>(rows, offset + c, count, weights, static_cast<int>(width - c), y + c);
  }
}

}  // namespace litenat::kernels
