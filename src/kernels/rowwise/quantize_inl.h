// Rows of floats to u8, over the 16 lanes of V: the same integers as numerics::quantize_activation. That header's
// inline functions are not called from here, for a translation unit with instruction-set flags must not emit a
// function that others share.
#pragma once

#include "kernels/kernels.h"
#include "kernels/rowwise/rowwise_inl.h"
#include "kernels/vec/packing.h"

namespace litenat::kernels {

/// Adding and subtracting this rounds |x| < 2^22 to the nearest whole number, ties to even.
constexpr float kRoundingShift = 12582912.0f;

/// numerics::activation_quantization of bounds low <= 0 <= high.
template <class V>
LITENAT_INLINE numerics::ActivationQuantization quantization_of_bounds(float low, float high) {
  const float scale = (high - low) / static_cast<float>(numerics::kActivationMax);
  if (!(scale > 1e-30f)) return {1.0f, 0};
  const float zero = -low / scale + kRoundingShift - kRoundingShift;  // in [0, 256)
  return {scale, static_cast<int32_t>(zero < 255.0f ? zero : 255.0f)};
}

/// numerics::quantize_activation of 16 values. Clamping before the rounding changes nothing: beyond 512 the result
/// is saturated whatever the zero point.
template <class V>
LITENAT_INLINE V quantize(V x, V inverse_scale, V zero) {
  const V scaled = V::max(V::min(x * inverse_scale, V::broadcast(512.0f)), V::broadcast(-512.0f));
  const V shift = V::broadcast(kRoundingShift);
  const V shifted = scaled + shift - shift + zero;
  return V::min(V::max(shifted, V::broadcast(0.0f)), V::broadcast(255.0f));
}

template <class V>
LITENAT_INLINE void quantize_row(const float* x, int64_t columns, numerics::ActivationQuantization params, uint8_t* q,
                                 RowQuantization* row) {
  const V inverse = V::broadcast(1.0f / params.scale);
  const V zero = V::broadcast(static_cast<float>(params.zero));
  for_each_16(columns, [&](int64_t c, int count) LITENAT_LAMBDA {
    quantize(load_up_to<V>(x + c, count), inverse, zero).store_u8(q + c, count);
  });
  for (int64_t c = columns; c < num_groups(columns) * numerics::kGroupDepth; ++c) q[c] = 0;
  *row = {params.scale, params.zero};
}

template <class V>
void quantize_rows_static(const float* x, int64_t x_stride, int64_t rows, int64_t columns,
                          numerics::ActivationQuantization params, uint8_t* q, int64_t q_stride, RowQuantization* row) {
  for (int64_t m = 0; m < rows; ++m) {
    quantize_row<V>(x + m * x_stride, columns, params, q + m * q_stride, row + m);
  }
}

template <class V>
void quantize_rows_dynamic(const float* x, int64_t x_stride, int64_t rows, int64_t columns, uint8_t* q,
                           int64_t q_stride, RowQuantization* row) {
  for (int64_t m = 0; m < rows; ++m) {
    const float* x_row = x + m * x_stride;
    V low = V::broadcast(0.0f);
    V high = low;
    for_each_16(columns, [&](int64_t c, int count) LITENAT_LAMBDA {
      const V v = load_up_to<V>(x_row + c, count);
      low = V::min(low, v);
      high = V::max(high, v);
    });
    const auto params = quantization_of_bounds<V>(low.reduce_min(), high.reduce_max());
    quantize_row<V>(x_row, columns, params, q + m * q_stride, row + m);
  }
}

}  // namespace litenat::kernels
