// The float product over the 16 lanes of V. Each y is one chain of fused multiply-adds over ascending k, so tiles of
// any shape give the same bits.
#pragma once

#include "kernels/rowwise/rowwise_inl.h"
#include "kernels/vec/packing.h"

namespace litenat::kernels {

/// What does not change over the tiles of one product.
struct FloatProduct {
  const float* x;
  int64_t x_stride;
  int64_t k;
  const float* w;  // packed
  int64_t n;
  const float* bias;  // or null
  float* y;
  int64_t y_stride;
};

/// kRows rows from m by kPanels panels of 16 columns from `panel`.
template <class V, int kRows, int kPanels>
void gemm_f32_tile(const FloatProduct& f, int64_t m, int64_t panel) {
  V sum[kPanels][kRows];
#pragma GCC unroll 4
  for (int p = 0; p < kPanels; ++p) {
    const int64_t n = (panel + p) * 16;
    const int count = f.n - n < 16 ? static_cast<int>(f.n - n) : 16;
    const V bias = f.bias != nullptr ? load_up_to<V>(f.bias + n, count) : V::broadcast(0.0f);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) sum[p][r] = bias;
  }
  const float* x = f.x + m * f.x_stride;
  const float* w = f.w + panel * f.k * 16;
  for (int64_t k = 0; k < f.k; ++k) {
    V weights[kPanels];
#pragma GCC unroll 4
    for (int p = 0; p < kPanels; ++p) weights[p] = V::load_once(w + (p * f.k + k) * 16);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const V activation = V::broadcast(x[r * f.x_stride + k]);
#pragma GCC unroll 4
      for (int p = 0; p < kPanels; ++p) sum[p][r] = V::fma(activation, weights[p], sum[p][r]);
    }
  }
#pragma GCC unroll 4
  for (int p = 0; p < kPanels; ++p) {
    const int64_t n = (panel + p) * 16;
    const int count = f.n - n < 16 ? static_cast<int>(f.n - n) : 16;
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) store_up_to(sum[p][r], f.y + (m + r) * f.y_stride + n, count);
  }
}

/// The tile of `rows` <= kRows rows.
template <class V, int kRows, int kPanels>
LITENAT_INLINE void gemm_f32_tile_of(int64_t rows, const FloatProduct& f, int64_t m, int64_t panel) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return gemm_f32_tile_of<V, kRows - 1, kPanels>(rows, f, m, panel);
  }
  gemm_f32_tile<V, kRows, kPanels>(f, m, panel);
}

/// All rows of kPanels panels, in tiles of nearly equal height: the weights of the panels stay in the cache.
template <class V, int kRows, int kPanels>
void gemm_f32_panels(const FloatProduct& f, int64_t rows, int64_t panel) {
  int64_t tiles = (rows + kRows - 1) / kRows;
  for (int64_t m = 0; m < rows; --tiles) {
    const int64_t height = (rows - m + tiles - 1) / tiles;
    gemm_f32_tile_of<V, kRows, kPanels>(height, f, m, panel);
    m += height;
  }
}

template <class V, int kRows, int kPanels>
LITENAT_INLINE void gemm_f32_all(const FloatProduct& f, int64_t rows) {
  const int64_t panels = num_panels(f.n);
  int64_t p = 0;
  for (; p + kPanels <= panels; p += kPanels) gemm_f32_panels<V, kRows, kPanels>(f, rows, p);
  if constexpr (kPanels > 2) {
    for (; p + 2 <= panels; p += 2) gemm_f32_panels<V, kRows, 2>(f, rows, p);
  }
  for (; p < panels; ++p) gemm_f32_panels<V, kRows, 1>(f, rows, p);
}

/// Tiles of V::kGemmRows by V::kGemmPanels fill the registers; fewer rows take more panels, or the latency of the few
/// sums would show.
template <class V>
void gemm_f32(const float* x, int64_t x_stride, int64_t rows, int64_t k, const float* w_packed, int64_t n,
              const float* bias, float* y, int64_t y_stride) {
  const FloatProduct f{x, x_stride, k, w_packed, n, bias, y, y_stride};
  if (rows <= V::kGemmFewRows) {
    gemm_f32_all<V, V::kGemmFewRows, V::kGemmFewRowsPanels>(f, rows);
  } else {
    gemm_f32_all<V, V::kGemmRows, V::kGemmPanels>(f, rows);
  }
}

}  // namespace litenat::kernels
