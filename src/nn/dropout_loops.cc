#include "nn/dropout_loops.h"

#include "nn/wide_vectors.h"

namespace litenat::nn {
namespace {

/// A bijective mix of 32 bits in which every input bit moves every output bit.
LITENAT_INLINE uint32_t mix(uint32_t x) {
  x ^= x >> 16;
  x *= 0x7feb352dU;
  x ^= x >> 15;
  x *= 0x846ca68bU;
  return x ^ (x >> 16);
}

template <bool kResidual>
LITENAT_INLINE void dropout_loop(const DropoutMask& mask, const float* __restrict x, const float* __restrict residual,
                                 float* __restrict y, int64_t begin, int64_t end) {
  const auto low = static_cast<uint32_t>(mask.seed), high = static_cast<uint32_t>(mask.seed >> 32);
  const uint32_t threshold = mask.threshold;
  const float scale = mask.scale;
#pragma omp simd
  for (int64_t i = begin; i < end; ++i) {
    const uint32_t hash = mix(mix(static_cast<uint32_t>(i) + low) ^ high);
    const float kept = hash < threshold ? 0.0F : scale * x[i];
    y[i] = kResidual ? residual[i] + kept : kept;
  }
}

}  // namespace

LITENAT_WIDE_VECTORS void dropout_range(const DropoutMask& mask, const float* x, const float* residual, float* y,
                                        int64_t begin, int64_t end) {
  if (residual != nullptr)
    dropout_loop<true>(mask, x, residual, y, begin, end);
  else
    dropout_loop<false>(mask, x, residual, y, begin, end);
}

}  // namespace litenat::nn
