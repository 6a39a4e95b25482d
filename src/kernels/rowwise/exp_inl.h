// exp, sigmoid and log of our own, in one order of operations on every instruction set.
#pragma once

#include <cstdint>

#include "kernels/vec/force_inline.h"

namespace litenat::kernels {

/// sum of c[i] x^i, by Horner's rule from c[count - 1] down.
template <class V, int kCount>
LITENAT_INLINE V polynomial(V x, const float (&c)[kCount]) {
  V sum = V::broadcast(c[kCount - 1]);
#pragma GCC unroll 8
  for (int i = kCount - 2; i >= 0; --i) sum = V::fma(sum, x, V::broadcast(c[i]));
  return sum;
}

/// exp(x) for x <= 0, relative error below 2e-7; exactly 0 where x < -87 (the result would be denormal soon).
template <class V>
LITENAT_INLINE V exp_of_nonpositive(V x) {
  // x = n ln 2 + r, |r| <= ln(2) / 2. Adding 1.5 * 2^23 rounds to a whole number that the low mantissa bits then
  // hold; the 127 makes these bits the exponent field of 2^n.
  constexpr float kRound = 12582912.0f + 127.0f;
  // Chebyshev interpolation of exp on [-ln(2) / 2, ln(2) / 2], coefficients rounded to float.
  constexpr float kExp[7] = {0x1.0p+0f,      0x1.0p+0f,      0x1.0p-1f,      0x1.555404p-3f,
                             0x1.5554acp-5f, 0x1.126fb8p-7f, 0x1.6d7544p-10f};
  const V rounded = V::fma(x, V::broadcast(0x1.715476p+0f), V::broadcast(kRound));
  const V n = rounded - V::broadcast(kRound);
  const V r = V::fma(n, V::broadcast(-0x1.7f7d1cp-20f), V::fma(n, V::broadcast(-0x1.62e400p-1f), x));
  const V power = rounded.shift_left_23();
  return V::select_less(x, V::broadcast(-87.0f), V::broadcast(0.0f), polynomial(r, kExp) * power);
}

/// 1 / (1 + exp(-x)).
template <class V>
LITENAT_INLINE V sigmoid(V x) {
  const V zero = V::broadcast(0.0f);
  const V one = V::broadcast(1.0f);
  const V e = exp_of_nonpositive(zero - x.abs());
  return V::select_less(x, zero, e, one) / (one + e);
}

/// The natural logarithm of a positive normal float, computed in double: a scalar that ends a reduction.
template <class V>
LITENAT_INLINE double log_of_positive(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  // x = 2^e m with m in [sqrt(1/2), sqrt(2)): 0x3f3504f3 is sqrt(1/2).
  const int e = static_cast<int>((bits - 0x3f3504f3u) >> 23 << 24) >> 24;
  bits -= static_cast<uint32_t>(e) << 23;
  float m;
  __builtin_memcpy(&m, &bits, sizeof m);
  const double s = (static_cast<double>(m) - 1.0) / (static_cast<double>(m) + 1.0);
  const double s2 = s * s;
  double sum = 1.0 / 13.0;  // log m = 2 artanh s = 2 (s + s^3 / 3 + s^5 / 5 + ...), |s| < 0.172
  for (int k = 11; k >= 1; k -= 2) sum = sum * s2 + 1.0 / k;
  return e * 0.69314718055994530942 + 2.0 * s * sum;
}

}  // namespace litenat::kernels
