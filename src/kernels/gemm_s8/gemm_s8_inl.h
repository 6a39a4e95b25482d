// The int8 product, written once over an instruction set's dot product D (dot_*.h):
//   D::kRows, D::kPanels    the tile: at most so many rows of q by so many panels of 16 columns
//   D::kFewRows, D::kFewRowsPanels  the tile of a product that has at most kFewRows rows
//   D::kParts               registers that hold one row of one panel's 16 sums
//   D::Vec, D::Int          16 lanes of float and of int32; D::Sum, D::Activation, D::Weights: registers
//   D::activation(q)        the 4 activations at q, broadcast
//   D::weights(w, part)     one part of the 64 bytes (16 columns, 4 deep) at w
//   D::dot(sum, a, w)       sum + a w, exactly
//   D::finish(sum)          the 16 sums of kParts registers, still without D::kActivationOffset * column_sum
//   D::kActivationOffset    what D::activation subtracts from each activation
// Every sum is exact: |sum over k of q w| <= 65536 * 255 * 127 < 2^31 (numerics::kMaxDepth), and so is
// acc - zero * column_sum = sum over k of (q - zero) w, because |q - zero| <= 255. With an offset, sums and correction
// wrap modulo 2^32 at worst, and the result is again the exact one.
#pragma once

#include "kernels/kernels.h"
#include "kernels/vec/force_inline.h"
#include "kernels/vec/packing.h"

namespace litenat::kernels {

/// `count` (16, or fewer in the last panel) values at p; the lanes beyond are unspecified.
template <class D>
LITENAT_INLINE typename D::Int load_ints(const int32_t* p, int count) {
  return count == 16 ? D::Int::load(p) : D::Int::load_partial(p, count);
}

template <class D>
LITENAT_INLINE typename D::Vec load_floats(const float* p, int count) {
  return count == 16 ? D::Vec::load(p) : D::Vec::load_partial(p, count, D::Vec::broadcast(0.0f));
}

/// Stores 16 lanes of T, or the first `count`.
template <class Lanes, class T>
LITENAT_INLINE void store_lanes(Lanes lanes, T* p, int count) {
  if (count == 16) {
    lanes.store(p);
  } else {
    lanes.store_partial(p, count);
  }
}

/// Writes the bare integers.
template <class D>
struct IntegerOutput {
  int32_t* acc;
  int64_t stride;

  struct Panel {};  // what the rows of one panel share
  LITENAT_INLINE Panel panel(const PackedWeights&, int64_t, int) const { return {}; }
  LITENAT_INLINE void write(typename D::Int sum, Panel, int64_t m, int64_t n, int count) const {
    store_lanes(sum, acc + m * stride + n, count);
  }
};

/// Writes (scale * weight_scale) * float(sum - zero * column_sum) + bias, each operation rounded.
template <class D>
struct DequantizedOutput {
  using Int = typename D::Int;
  using Vec = typename D::Vec;
  const RowQuantization* row;
  float* y;
  int64_t stride;

  struct Panel {
    Int column_sum;
    Vec scale, bias;
  };
  LITENAT_INLINE Panel panel(const PackedWeights& w, int64_t n, int count) const {
    const Vec bias = w.bias != nullptr ? load_floats<D>(w.bias + n, count) : Vec::broadcast(0.0f);
    return {load_ints<D>(w.column_sum + n, count), load_floats<D>(w.scale + n, count), bias};
  }
  LITENAT_INLINE void write(Int sum, const Panel& panel, int64_t m, int64_t n, int count) const {
    const Int shifted = sum - Int::broadcast(row[m].zero) * panel.column_sum;
    const Vec scaled = Vec::broadcast(row[m].scale) * panel.scale * shifted.to_float();
    store_lanes(scaled + panel.bias, y + m * stride + n, count);
  }
};

/// kRows rows of one panel: from registers to the output.
template <class D, int kRows, class Output>
LITENAT_INLINE void write_panel(const typename D::Sum (&sum)[kRows][D::kParts], int64_t m, const PackedWeights& w,
                                int64_t n, const Output& output) {
  using Int = typename D::Int;
  const int count = w.n - n < 16 ? static_cast<int>(w.n - n) : 16;
  const auto panel = output.panel(w, n, count);
  Int correction{};
  if constexpr (D::kActivationOffset != 0) {
    correction = Int::broadcast(D::kActivationOffset) * load_ints<D>(w.column_sum + n, count);
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    Int total = D::finish(sum[r]);
    if constexpr (D::kActivationOffset != 0) total = total + correction;
    output.write(total, panel, m + r, n, count);
  }
}

/// kRows rows from m by kPanels panels from `panel`; the sums stay in registers over the whole depth.
template <class D, int kRows, int kPanels, class Output>
void gemm_s8_tile(const uint8_t* q, int64_t q_stride, int64_t m, const PackedWeights& w, int64_t panel,
                  const Output& output) {
  const int64_t groups = num_groups(w.k);
  const int8_t* weights = w.packed + panel * groups * 64;
  const uint8_t* activations = q + m * q_stride;
  typename D::Sum sum[kPanels][kRows][D::kParts];
#pragma GCC unroll 8
  for (int p = 0; p < kPanels; ++p) {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (int part = 0; part < D::kParts; ++part) sum[p][r][part] = D::zero();
    }
  }
  for (int64_t g = 0; g < groups; ++g) {
    typename D::Activation a[kRows];
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) a[r] = D::activation(activations + r * q_stride + g * 4);
#pragma GCC unroll 8
    for (int p = 0; p < kPanels; ++p) {
#pragma GCC unroll 8
      for (int part = 0; part < D::kParts; ++part) {
        const auto part_weights = D::weights(weights + (p * groups + g) * 64, part);
#pragma GCC unroll 16
        for (int r = 0; r < kRows; ++r) sum[p][r][part] = D::dot(sum[p][r][part], a[r], part_weights);
      }
    }
  }
#pragma GCC unroll 8
  for (int p = 0; p < kPanels; ++p) write_panel<D, kRows>(sum[p], m, w, (panel + p) * 16, output);
}

/// The tile of `rows` <= kRows rows.
template <class D, int kRows, int kPanels, class Output>
LITENAT_INLINE void gemm_s8_tile_of(int64_t rows, const uint8_t* q, int64_t q_stride, int64_t m, const PackedWeights& w,
                                    int64_t panel, const Output& output) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return gemm_s8_tile_of<D, kRows - 1, kPanels>(rows, q, q_stride, m, w, panel, output);
  }
  gemm_s8_tile<D, kRows, kPanels>(q, q_stride, m, w, panel, output);
}

/// All rows of kPanels panels, in tiles of nearly equal height: the weights of the panels stay in the L1 cache.
template <class D, int kRows, int kPanels, class Output>
void gemm_s8_panels(const uint8_t* q, int64_t q_stride, int64_t rows, const PackedWeights& w, int64_t panel,
                    const Output& output) {
  int64_t tiles = (rows + kRows - 1) / kRows;
  for (int64_t m = 0; m < rows; --tiles) {
    const int64_t height = (rows - m + tiles - 1) / tiles;
    gemm_s8_tile_of<D, kRows, kPanels>(height, q, q_stride, m, w, panel, output);
    m += height;
  }
}

template <class D, int kRows, int kPanels, class Output>
LITENAT_INLINE void gemm_s8_all(const uint8_t* q, int64_t q_stride, int64_t rows, const PackedWeights& w,
                                const Output& output) {
  const int64_t panels = num_panels(w.n);
  int64_t p = 0;
  for (; p + kPanels <= panels; p += kPanels) gemm_s8_panels<D, kRows, kPanels>(q, q_stride, rows, w, p, output);
  for (; p < panels; ++p) gemm_s8_panels<D, kRows, 1>(q, q_stride, rows, w, p, output);
}

template <class D, class Output>
LITENAT_INLINE void gemm_s8(const uint8_t* q, int64_t q_stride, int64_t rows, const PackedWeights& w,
                            const Output& output) {
  if (rows <= D::kFewRows) {
    gemm_s8_all<D, D::kFewRows, D::kFewRowsPanels>(q, q_stride, rows, w, output);
  } else {
    gemm_s8_all<D, D::kRows, D::kPanels>(q, q_stride, rows, w, output);
  }
}

template <class D>
void gemm_u8s8_s32(const uint8_t* q, int64_t q_stride, int64_t rows, const PackedWeights& w, int32_t* acc,
                   int64_t acc_stride) {
  gemm_s8<D>(q, q_stride, rows, w, IntegerOutput<D>{acc, acc_stride});
}

template <class D>
void gemm_u8s8_f32(const uint8_t* q, int64_t q_stride, const RowQuantization* row, int64_t rows, const PackedWeights& w,
                   float* y, int64_t y_stride) {
  gemm_s8<D>(q, q_stride, rows, w, DequantizedOutput<D>{row, y, y_stride});
}

}  // namespace litenat::kernels
