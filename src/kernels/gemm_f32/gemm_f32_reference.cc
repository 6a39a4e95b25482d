#include "kernels/gemm_f32/gemm_f32_reference.h"

#include <cmath>

namespace litenat::kernels {

void gemm_f32_reference(const float* x, int64_t x_stride, int64_t rows, int64_t k, const float* w_packed, int64_t n,
                        const float* bias, float* y, int64_t y_stride) {
  for (int64_t m = 0; m < rows; ++m) {
    for (int64_t column = 0; column < n; ++column) {
      const float* w = w_packed + column / 16 * k * 16 + column % 16;
      float sum = bias != nullptr ? bias[column] : 0.0f;
      for (int64_t kk = 0; kk < k; ++kk) sum = std::fma(x[m * x_stride + kk], w[kk * 16], sum);
      y[m * y_stride + column] = sum;
    }
  }
}

}  // namespace litenat::kernels
