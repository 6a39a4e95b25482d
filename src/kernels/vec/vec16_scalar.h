// Vec16Scalar: 16 float lanes spelled out in plain C++. What it computes defines what the other vec16_*.h compute,
// bit for bit.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/vec/force_inline.h"

namespace litenat::kernels {

struct Vec16Scalar {
  float lane[16];

  template <typename Function>  // v.lane[i] = function(i)
  static LITENAT_INLINE Vec16Scalar generate(Function function) {
    Vec16Scalar v;
    for (int i = 0; i < 16; ++i) v.lane[i] = function(i);
    return v;
  }

  static LITENAT_INLINE Vec16Scalar broadcast(float x) {
    return generate([=](int) { return x; });
  }
  static LITENAT_INLINE Vec16Scalar load(const float* p) {
    return generate([=](int i) { return p[i]; });
  }
  /// The first `count` (1..16) values at p; the other lanes from `fill`.
  static LITENAT_INLINE Vec16Scalar load_partial(const float* p, int count, Vec16Scalar fill) {
    return generate([&](int i) { return i < count ? p[i] : fill.lane[i]; });
  }
  LITENAT_INLINE void store(float* p) const { store_partial(p, 16); }
  LITENAT_INLINE void store_partial(float* p, int count) const {
    for (int i = 0; i < count; ++i) p[i] = lane[i];
  }
  /// Lanes that are whole numbers in [0, 255], as bytes.
  LITENAT_INLINE void store_u8(uint8_t* p, int count) const {
    for (int i = 0; i < count; ++i) p[i] = static_cast<uint8_t>(lane[i]);
  }

  friend LITENAT_INLINE Vec16Scalar operator+(Vec16Scalar a, Vec16Scalar b) {
    return generate([&](int i) { return a.lane[i] + b.lane[i]; });
  }
  friend LITENAT_INLINE Vec16Scalar operator-(Vec16Scalar a, Vec16Scalar b) {
    return generate([&](int i) { return a.lane[i] - b.lane[i]; });
  }
  friend LITENAT_INLINE Vec16Scalar operator*(Vec16Scalar a, Vec16Scalar b) {
    return generate([&](int i) { return a.lane[i] * b.lane[i]; });
  }
  friend LITENAT_INLINE Vec16Scalar operator/(Vec16Scalar a, Vec16Scalar b) {
    return generate([&](int i) { return a.lane[i] / b.lane[i]; });
  }
  /// a * b + c, rounded once.
  static LITENAT_INLINE Vec16Scalar fma(Vec16Scalar a, Vec16Scalar b, Vec16Scalar c) {
    return generate([&](int i) { return std::fma(a.lane[i], b.lane[i], c.lane[i]); });
  }
  /// a < b ? x : y in each lane.
  static LITENAT_INLINE Vec16Scalar select_less(Vec16Scalar a, Vec16Scalar b, Vec16Scalar x, Vec16Scalar y) {
    return generate([&](int i) { return a.lane[i] < b.lane[i] ? x.lane[i] : y.lane[i]; });
  }
  /// a < b ? a : b, so b where either is NaN or both are zeros.
  static LITENAT_INLINE Vec16Scalar min(Vec16Scalar a, Vec16Scalar b) { return select_less(a, b, a, b); }
  /// a > b ? a : b
  static LITENAT_INLINE Vec16Scalar max(Vec16Scalar a, Vec16Scalar b) { return select_less(b, a, a, b); }
  LITENAT_INLINE Vec16Scalar abs() const {
    return generate([&](int i) { return std::fabs(lane[i]); });
  }
  /// The bits of each lane moved left by 23: a small whole number becomes the exponent of a float.
  LITENAT_INLINE Vec16Scalar shift_left_23() const {
    return generate([&](int i) {
      uint32_t bits;
      std::memcpy(&bits, &lane[i], sizeof bits);
      bits <<= 23;
      float shifted;
      std::memcpy(&shifted, &bits, sizeof shifted);
      return shifted;
    });
  }

  /// The fixed tree of every reduction: lane i with lane i + 8, then i + 4, i + 2, i + 1.
  template <typename Function>
  LITENAT_INLINE float reduce(Function function) const {
    Vec16Scalar v = *this;
    for (int half = 8; half > 0; half /= 2) {
      for (int i = 0; i < half; ++i) v.lane[i] = function(v.lane[i], v.lane[i + half]);
    }
    return v.lane[0];
  }
  LITENAT_INLINE float reduce_add() const {
    return reduce([](float a, float b) { return a + b; });
  }
  LITENAT_INLINE float reduce_min() const {
    return reduce([](float a, float b) { return a < b ? a : b; });
  }
  LITENAT_INLINE float reduce_max() const {
    return reduce([](float a, float b) { return a > b ? a : b; });
  }
};

}  // namespace litenat::kernels
