// The dot product of gemm_s8_inl.h in one instruction: 16 columns, 4 deep.
#pragma once

#include "kernels/vec/vec16_avx512.h"

namespace litenat::kernels {

struct DotAvx512Vnni {
  using Vec = Vec16Avx512;
  using Int = Int32x16Avx512;
  // A vector of int, the type in which vpdpbusd works, and not of long long as __m512i is: GCC 12 copies an accumulator
  // whose type changes at every turn of the loop.
  typedef int Sum __attribute__((vector_size(64)));
  struct Register {
    __m512i v;
  };
  using Activation = Register;
  using Weights = Register;
  static constexpr int kRows = 8, kPanels = 2;  // 16 sums + 8 activations + 2 weights of 32 registers
  static constexpr int kFewRows = 2, kFewRowsPanels = 4;
  static constexpr int kParts = 1;
  static constexpr int kActivationOffset = 0;

  static LITENAT_INLINE Sum zero() { return Sum{}; }
  static LITENAT_INLINE Activation activation(const uint8_t* q) {
    int32_t four;
    __builtin_memcpy(&four, q, sizeof four);
    return {_mm512_set1_epi32(four)};
  }
  static LITENAT_INLINE Weights weights(const int8_t* w, int) {
    __m512i v = _mm512_loadu_si512(w);
    __asm__("" : "+v"(v));  // else GCC loads the weights again for each row, where it has few rows
    return {v};
  }
  static LITENAT_INLINE Sum dot(Sum sum, Activation a, Weights w) {
    return reinterpret_cast<Sum>(_mm512_dpbusd_epi32(reinterpret_cast<__m512i>(sum), a.v, w.v));
  }
  static LITENAT_INLINE Int finish(const Sum (&sum)[1]) { return {reinterpret_cast<__m512i>(sum[0])}; }
};

}  // namespace litenat::kernels
