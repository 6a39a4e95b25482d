// Vec16Avx2: 16 lanes in two registers. See vec16_scalar.h for what each function means.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "kernels/vec/force_inline.h"

namespace litenat::kernels {

/// All bits set in the lanes of [first, first + 8) that are below `count`.
LITENAT_INLINE __m256i lane_mask_avx2(int first, int count) {
  const __m256i lane = _mm256_add_epi32(_mm256_set1_epi32(first), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane);
}

struct Vec16Avx2 {
  __m256 lo, hi;
  // The tiles of gemm_f32, and those of a product of few rows.
  static constexpr int kGemmRows = 6, kGemmPanels = 1;
  static constexpr int kGemmFewRows = 2, kGemmFewRowsPanels = 2;

  static LITENAT_INLINE Vec16Avx2 broadcast(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
  static LITENAT_INLINE Vec16Avx2 load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
  /// load, for a value with several uses: GCC would make it a memory operand of each of them.
  static LITENAT_INLINE Vec16Avx2 load_once(const float* p) {
    Vec16Avx2 v = load(p);
    __asm__("" : "+x"(v.lo), "+x"(v.hi));
    return v;
  }
  static LITENAT_INLINE __m256 load_masked(const float* p, __m256i mask, __m256 fill) {
    return _mm256_blendv_ps(fill, _mm256_maskload_ps(p, mask), _mm256_castsi256_ps(mask));
  }
  static LITENAT_INLINE Vec16Avx2 load_partial(const float* p, int count, Vec16Avx2 fill) {
    return {load_masked(p, lane_mask_avx2(0, count), fill.lo), load_masked(p + 8, lane_mask_avx2(8, count), fill.hi)};
  }
  LITENAT_INLINE void store(float* p) const {
    _mm256_storeu_ps(p, lo);
    _mm256_storeu_ps(p + 8, hi);
  }
  LITENAT_INLINE void store_partial(float* p, int count) const {
    _mm256_maskstore_ps(p, lane_mask_avx2(0, count), lo);
    _mm256_maskstore_ps(p + 8, lane_mask_avx2(8, count), hi);
  }
  LITENAT_INLINE void store_u8(uint8_t* p, int count) const {
    // The pack interleaves the 128-bit halves: words 0-3, 8-11 | 4-7, 12-15; the permutation puts them in order.
    const __m256i words = _mm256_permute4x64_epi64(_mm256_packus_epi32(_mm256_cvtps_epi32(lo), _mm256_cvtps_epi32(hi)),
                                                   _MM_SHUFFLE(3, 1, 2, 0));
    const __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    if (count == 16) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(p), bytes);
      return;
    }
    alignas(16) uint8_t all[16];
    _mm_store_si128(reinterpret_cast<__m128i*>(all), bytes);
    for (int i = 0; i < count; ++i) p[i] = all[i];
  }

  friend LITENAT_INLINE Vec16Avx2 operator+(Vec16Avx2 a, Vec16Avx2 b) {
    return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)};
  }
  friend LITENAT_INLINE Vec16Avx2 operator-(Vec16Avx2 a, Vec16Avx2 b) {
    return {_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi)};
  }
  friend LITENAT_INLINE Vec16Avx2 operator*(Vec16Avx2 a, Vec16Avx2 b) {
    return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)};
  }
  friend LITENAT_INLINE Vec16Avx2 operator/(Vec16Avx2 a, Vec16Avx2 b) {
    return {_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)};
  }
  static LITENAT_INLINE Vec16Avx2 fma(Vec16Avx2 a, Vec16Avx2 b, Vec16Avx2 c) {
    return {_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)};
  }
  static LITENAT_INLINE Vec16Avx2 select_less(Vec16Avx2 a, Vec16Avx2 b, Vec16Avx2 x, Vec16Avx2 y) {
    return {_mm256_blendv_ps(y.lo, x.lo, _mm256_cmp_ps(a.lo, b.lo, _CMP_LT_OQ)),
            _mm256_blendv_ps(y.hi, x.hi, _mm256_cmp_ps(a.hi, b.hi, _CMP_LT_OQ))};
  }
  static LITENAT_INLINE Vec16Avx2 min(Vec16Avx2 a, Vec16Avx2 b) {
    return {_mm256_min_ps(a.lo, b.lo), _mm256_min_ps(a.hi, b.hi)};
  }
  static LITENAT_INLINE Vec16Avx2 max(Vec16Avx2 a, Vec16Avx2 b) {
    return {_mm256_max_ps(a.lo, b.lo), _mm256_max_ps(a.hi, b.hi)};
  }
  LITENAT_INLINE Vec16Avx2 abs() const {
    const __m256 sign = _mm256_set1_ps(-0.0f);
    return {_mm256_andnot_ps(sign, lo), _mm256_andnot_ps(sign, hi)};
  }
  LITENAT_INLINE Vec16Avx2 shift_left_23() const {
    return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(lo), 23)),
            _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(hi), 23))};
  }

  template <class F256, class F128>
  LITENAT_INLINE float reduce(F256 f256, F128 f128) const {
    const __m256 eight = f256(lo, hi);
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
struct Int32x16Avx2 {
  __m256i lo, hi;

  static LITENAT_INLINE Int32x16Avx2 broadcast(int32_t x) { return {_mm256_set1_epi32(x), _mm256_set1_epi32(x)}; }
  static LITENAT_INLINE Int32x16Avx2 load(const int32_t* p) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)),
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 8))};
  }
  static LITENAT_INLINE Int32x16Avx2 load_partial(const int32_t* p, int count) {
    return {_mm256_maskload_epi32(p, lane_mask_avx2(0, count)), _mm256_maskload_epi32(p + 8, lane_mask_avx2(8, count))};
  }
  LITENAT_INLINE void store(int32_t* p) const {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), lo);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 8), hi);
  }
  LITENAT_INLINE void store_partial(int32_t* p, int count) const {
    _mm256_maskstore_epi32(p, lane_mask_avx2(0, count), lo);
    _mm256_maskstore_epi32(p + 8, lane_mask_avx2(8, count), hi);
  }
  friend LITENAT_INLINE Int32x16Avx2 operator+(Int32x16Avx2 a, Int32x16Avx2 b) {
    return {_mm256_add_epi32(a.lo, b.lo), _mm256_add_epi32(a.hi, b.hi)};
  }
  friend LITENAT_INLINE Int32x16Avx2 operator-(Int32x16Avx2 a, Int32x16Avx2 b) {
    return {_mm256_sub_epi32(a.lo, b.lo), _mm256_sub_epi32(a.hi, b.hi)};
  }
  friend LITENAT_INLINE Int32x16Avx2 operator*(Int32x16Avx2 a, Int32x16Avx2 b) {
    return {_mm256_mullo_epi32(a.lo, b.lo), _mm256_mullo_epi32(a.hi, b.hi)};
  }
  LITENAT_INLINE Vec16Avx2 to_float() const { return {_mm256_cvtepi32_ps(lo), _mm256_cvtepi32_ps(hi)}; }
};

}  // namespace litenat::kernels
