// Dropout's inner loop on the CPU, without libtorch (see conv_loops.h).
#pragma once

#include <cstdint>

namespace litenat::nn {

/// Which elements a dropout keeps: a hash of element index and seed, so that the backward pass recomputes the mask
/// instead of storing it, and the outcome does not depend on the number of threads.
struct DropoutMask {
  uint64_t seed;
  uint32_t threshold;  // an element is dropped when its 32-bit hash is below
  float scale;         // of the elements that are kept: 1 / (1 - rate)
};

/// y[i] = (residual ? residual[i] : 0) + (kept(i) ? scale x[i] : 0) for i in [begin, end).
void dropout_range(const DropoutMask& mask, const float* x, const float* residual, float* y, int64_t begin,
                   int64_t end);

}  // namespace litenat::nn
