#include <cstring>

#include "kernels/kernels.h"

namespace litenat::kernels {

void pack_f32(const float* w, int64_t n, int64_t k, float* out) {
  for (int64_t row = 0; row < numerics::padded_columns(n); ++row) {
    float* column = out + row / 16 * k * 16 + row % 16;
    for (int64_t kk = 0; kk < k; ++kk) column[kk * 16] = row < n ? w[row * k + kk] : 0.0f;
  }
}

void pack_s8(const int8_t* q, int64_t n, int64_t k, int8_t* out) {
  const int64_t size = numerics::packed_size(n, k);
  if (size > 0) std::memset(out, 0, static_cast<size_t>(size));
  for (int64_t row = 0; row < n; ++row) {
    for (int64_t kk = 0; kk < k; ++kk) out[numerics::packed_index(row, kk, k)] = q[row * k + kk];
  }
}

}  // namespace litenat::kernels
