#include "nn/dropout_loops.h"

#include <algorithm>

#include "nn/wide_vectors.h"

namespace litenat::nn {
namespace {

/// 32 random bits of an element: a bijective mix of its index in which every input bit moves every output bit, the
/// seed's second half entering midway.
LITENAT_INLINE uint32_t hash_of(uint32_t index, uint32_t seed) {
  uint32_t x = index;
  x ^= x >> 16;
  x *= 0x7feb352dU;
  x ^= (x >> 15) ^ seed;
  x *= 0x846ca68bU;
  return x ^ (x >> 16);
}

template <bool kResidual>
LITENAT_INLINE void dropout_loop(const DropoutMask& mask, const float* __restrict x, const float* __restrict residual,
                                 float* __restrict y, uint32_t first, int32_t count) {
  const auto seed = static_cast<uint32_t>(mask.seed >> 32);
  const uint32_t threshold = mask.threshold;
  const float scale = mask.scale;
#pragma omp simd
  for (int32_t i = 0; i < count; ++i) {
    const float scaled = scale * x[i];  // computed always: a branch would keep the loop from being vectorised
    const float kept = hash_of(first + static_cast<uint32_t>(i), seed) < threshold ? 0.0F : scaled;
    y[i] = kResidual ? residual[i] + kept : kept;
  }
}

}  // namespace

LITENAT_WIDE_VECTORS void dropout_range(const DropoutMask& mask, const float* x, const float* residual, float* y,
                                        int64_t begin, int64_t end) {
  constexpr int64_t kChunk = int64_t{1} << 30;  // 32-bit counters in the loop: twice the lanes
  for (int64_t i = begin; i < end; i += kChunk) {
    const auto first = static_cast<uint32_t>(i) + static_cast<uint32_t>(mask.seed);
    const auto count = static_cast<int32_t>(std::min(kChunk, end - i));
    if (residual != nullptr)
      dropout_loop<true>(mask, x + i, residual + i, y + i, first, count);
    else
      dropout_loop<false>(mask, x + i, nullptr, y + i, first, count);
  }
}

}  // namespace litenat::nn
