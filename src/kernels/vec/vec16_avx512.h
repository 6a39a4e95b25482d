// Vec16Avx512: 16 lanes in one register. See vec16_scalar.h for what each function means.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/vec/force_inline.h"

namespace litenat::kernels {

LITENAT_INLINE __mmask16 first_lanes_avx512(int count) { return static_cast<__mmask16>((1u << count) - 1u); }

struct Vec16Avx512 {
  __m512 v;
  // The tiles of gemm_f32, and those of a product of few rows.
  static constexpr int kGemmRows = 8, kGemmPanels = 2;
  static constexpr int kGemmFewRows = 2, kGemmFewRowsPanels = 4;

  static LITENAT_INLINE Vec16Avx512 broadcast(float x) { return {_mm512_set1_ps(x)}; }
  static LITENAT_INLINE Vec16Avx512 load(const float* p) { return {_mm512_loadu_ps(p)}; }
  /// load, for a value with several uses: GCC would make it a memory operand of each of them.
  static LITENAT_INLINE Vec16Avx512 load_once(const float* p) {
    __m512 v = _mm512_loadu_ps(p);
    __asm__("" : "+v"(v));
    return {v};
  }
  static LITENAT_INLINE Vec16Avx512 load_partial(const float* p, int count, Vec16Avx512 fill) {
    return {_mm512_mask_loadu_ps(fill.v, first_lanes_avx512(count), p)};
  }
  LITENAT_INLINE void store(float* p) const { _mm512_storeu_ps(p, v); }
  LITENAT_INLINE void store_partial(float* p, int count) const {
    _mm512_mask_storeu_ps(p, first_lanes_avx512(count), v);
  }
  LITENAT_INLINE void store_u8(uint8_t* p, int count) const {
    _mm512_mask_cvtepi32_storeu_epi8(p, first_lanes_avx512(count), _mm512_cvtps_epi32(v));
  }

  friend LITENAT_INLINE Vec16Avx512 operator+(Vec16Avx512 a, Vec16Avx512 b) { return {_mm512_add_ps(a.v, b.v)}; }
  friend LITENAT_INLINE Vec16Avx512 operator-(Vec16Avx512 a, Vec16Avx512 b) { return {_mm512_sub_ps(a.v, b.v)}; }
  friend LITENAT_INLINE Vec16Avx512 operator*(Vec16Avx512 a, Vec16Avx512 b) { return {_mm512_mul_ps(a.v, b.v)}; }
  friend LITENAT_INLINE Vec16Avx512 operator/(Vec16Avx512 a, Vec16Avx512 b) { return {_mm512_div_ps(a.v, b.v)}; }
  static LITENAT_INLINE Vec16Avx512 fma(Vec16Avx512 a, Vec16Avx512 b, Vec16Avx512 c) {
    return {_mm512_fmadd_ps(a.v, b.v, c.v)};
  }
  static LITENAT_INLINE Vec16Avx512 select_less(Vec16Avx512 a, Vec16Avx512 b, Vec16Avx512 x, Vec16Avx512 y) {
    return {_mm512_mask_blend_ps(_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ), y.v, x.v)};
  }
  static LITENAT_INLINE Vec16Avx512 min(Vec16Avx512 a, Vec16Avx512 b) { return {_mm512_min_ps(a.v, b.v)}; }
  static LITENAT_INLINE Vec16Avx512 max(Vec16Avx512 a, Vec16Avx512 b) { return {_mm512_max_ps(a.v, b.v)}; }
  LITENAT_INLINE Vec16Avx512 abs() const { return {_mm512_abs_ps(v)}; }
  LITENAT_INLINE Vec16Avx512 shift_left_23() const {
    return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(v), 23))};
  }

  LITENAT_INLINE __m256 low() const { return _mm512_castps512_ps256(v); }
  LITENAT_INLINE __m256 high() const { return _mm512_extractf32x8_ps(v, 1); }
  template <class F256, class F128>
  LITENAT_INLINE float reduce(F256 f256, F128 f128) const {
    const __m256 eight = f256(low(), high());
    const __m128 four = f128(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    const __m128 two = f128(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(f128(two, _mm_movehdup_ps(two)));
  }
  LITENAT_INLINE float reduce_add() const {
    return reduce([](__m256 a, __m256 b) LITENAT_LAMBDA { return _mm256_add_ps(a, b); },
                  [](__m128 a, __m128 b) LITENAT_LAMBDA { return _mm_add_ps(a, b); });
  }
  LITENAT_INLINE float reduce_min() const {
    return reduce([](__m256 a, __m256 b) LITENAT_LAMBDA { return _mm256_min_ps(a, b); },
                  [](__m128 a, __m128 b) LITENAT_LAMBDA { return _mm_min_ps(a, b); });
  }
  LITENAT_INLINE float reduce_max() const {
    return reduce([](__m256 a, __m256 b) LITENAT_LAMBDA { return _mm256_max_ps(a, b); },
                  [](__m128 a, __m128 b) LITENAT_LAMBDA { return _mm_max_ps(a, b); });
  }
};

/// 16 lanes of int32; arithmetic wraps.
struct Int32x16Avx512 {
  __m512i v;

  static LITENAT_INLINE Int32x16Avx512 broadcast(int32_t x) { return {_mm512_set1_epi32(x)}; }
  static LITENAT_INLINE Int32x16Avx512 load(const int32_t* p) { return {_mm512_loadu_si512(p)}; }
  static LITENAT_INLINE Int32x16Avx512 load_partial(const int32_t* p, int count) {
    return {_mm512_maskz_loadu_epi32(first_lanes_avx512(count), p)};
  }
  LITENAT_INLINE void store(int32_t* p) const { _mm512_storeu_si512(p, v); }
  LITENAT_INLINE void store_partial(int32_t* p, int count) const {
    _mm512_mask_storeu_epi32(p, first_lanes_avx512(count), v);
  }
  friend LITENAT_INLINE Int32x16Avx512 operator+(Int32x16Avx512 a, Int32x16Avx512 b) {
    return {_mm512_add_epi32(a.v, b.v)};
  }
  friend LITENAT_INLINE Int32x16Avx512 operator-(Int32x16Avx512 a, Int32x16Avx512 b) {
    return {_mm512_sub_epi32(a.v, b.v)};
  }
  friend LITENAT_INLINE Int32x16Avx512 operator*(Int32x16Avx512 a, Int32x16Avx512 b) {
    return {_mm512_mullo_epi32(a.v, b.v)};
  }
  LITENAT_INLINE Vec16Avx512 to_float() const { return {_mm512_cvtepi32_ps(v)}; }
};

}  // namespace litenat::kernels
