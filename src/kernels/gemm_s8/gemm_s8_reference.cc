#include "kernels/gemm_s8/gemm_s8_reference.h"

namespace litenat::kernels {
namespace {

int32_t dot(const uint8_t* q, const PackedWeights& w, int64_t n) {
  const int8_t* column = w.packed + numerics::packed_index(n, 0, w.k);  // its groups of 4 lie 64 bytes apart
  int32_t sum = 0;
  for (int64_t k = 0; k < w.k; ++k) sum += q[k] * column[k / 4 * 64 + k % 4];
  return sum;
}

/// a - b * c, wrapping as the vector instructions do should a column sum not belong to its weights.
int32_t subtract_product(int32_t a, int32_t b, int32_t c) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) - static_cast<uint32_t>(b) * static_cast<uint32_t>(c));
}

}  // namespace

void gemm_u8s8_s32_reference(const uint8_t* q, int64_t q_stride, int64_t rows, const PackedWeights& w, int32_t* acc,
                             int64_t acc_stride) {
  for (int64_t m = 0; m < rows; ++m) {
    for (int64_t n = 0; n < w.n; ++n) acc[m * acc_stride + n] = dot(q + m * q_stride, w, n);
  }
}

void gemm_u8s8_f32_reference(const uint8_t* q, int64_t q_stride, const RowQuantization* row, int64_t rows,
                             const PackedWeights& w, float* y, int64_t y_stride) {
  for (int64_t m = 0; m < rows; ++m) {
    for (int64_t n = 0; n < w.n; ++n) {
      const int32_t acc = subtract_product(dot(q + m * q_stride, w, n), row[m].zero, w.column_sum[n]);
      const float product = row[m].scale * w.scale[n] * static_cast<float>(acc);
      y[m * y_stride + n] = product + (w.bias != nullptr ? w.bias[n] : 0.0f);
    }
  }
}

}  // namespace litenat::kernels
