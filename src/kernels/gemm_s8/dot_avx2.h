// The dot product of gemm_s8_inl.h on words: bytes are widened, so that no product or sum of pairs can saturate
// (vpmaddubsw on bytes would: 2 * 255 * 127 > 2^15 - 1).
#pragma once

#include "kernels/vec/vec16_avx2.h"

namespace litenat::kernels {

struct DotAvx2 {
  struct Register {  // a class of ours: __m256i as a template argument would lose its alignment
    __m256i v;
  };
  using Vec = Vec16Avx2;
  using Int = Int32x16Avx2;
  // 4 columns, each as two sums. A vector of unsigned, the type in which GCC 12 adds; it copies an accumulator whose
  // type changes at every turn of the loop.
  typedef unsigned Sum __attribute__((vector_size(32)));
  using Activation = Register;                  // 4 activations as words, 4 times
  using Weights = Register;                     // 4 columns of 4 words
  static constexpr int kRows = 3, kPanels = 1;  // 12 sums + 3 activations + 1 weights of 16 registers
  static constexpr int kFewRows = 1, kFewRowsPanels = 2;
  static constexpr int kParts = 4;
  static constexpr int kActivationOffset = 0;

  static LITENAT_INLINE Sum zero() { return Sum{}; }
  static LITENAT_INLINE Activation activation(const uint8_t* q) {
    int32_t four;
    __builtin_memcpy(&four, q, sizeof four);
    return {_mm256_cvtepu8_epi16(_mm256_castsi256_si128(_mm256_set1_epi32(four)))};
  }
  static LITENAT_INLINE Weights weights(const int8_t* w, int part) {
    return {_mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(w + part * 16)))};
  }
  static LITENAT_INLINE Sum dot(Sum sum, Activation a, Weights w) {
    return sum + reinterpret_cast<Sum>(_mm256_madd_epi16(a.v, w.v));
  }
  /// Adds the two sums of each column; hadd gives columns 0 1 4 5 | 2 3 6 7.
  static LITENAT_INLINE __m256i eight_columns(Sum first, Sum second) {
    return _mm256_permute4x64_epi64(
        _mm256_hadd_epi32(reinterpret_cast<__m256i>(first), reinterpret_cast<__m256i>(second)),
        _MM_SHUFFLE(3, 1, 2, 0));
  }
  static LITENAT_INLINE Int finish(const Sum (&sum)[4]) {
    return {eight_columns(sum[0], sum[1]), eight_columns(sum[2], sum[3])};
  }
};

}  // namespace litenat::kernels
