// Whether floats are numbers that can be ordered.
#pragma once

#include <cstdint>
#include <cstring>

namespace litenat::runtime {

/// No infinity and no NaN among x[0..size). Branch-free, so that compilers vectorise it.
inline bool is_finite(const float* x, int64_t size) {
  uint32_t bad = 0;
  for (int64_t i = 0; i < size; ++i) {
    uint32_t bits;
    std::memcpy(&bits, x + i, sizeof(bits));
    bad |= (bits & 0x7f800000u) == 0x7f800000u ? 1u : 0u;
  }
  return bad == 0;
}

}  // namespace litenat::runtime
