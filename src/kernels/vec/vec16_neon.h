// Vec16Neon: 16 lanes in four registers. See vec16_scalar.h for what each function means. kIsa is a mere tag: it keeps
// what one translation unit makes of this file apart from what another makes with other flags.
#pragma once

#include <arm_neon.h>

#include <cstdint>

#include "kernels/kernels.h"
#include "kernels/vec/force_inline.h"

namespace litenat::kernels {

template <Isa kIsa>
struct Vec16Neon {
  float32x4_t v0, v1, v2, v3;
  // The tiles of gemm_f32, and those of a product of few rows.
  static constexpr int kGemmRows = 6, kGemmPanels = 1;
  static constexpr int kGemmFewRows = 2, kGemmFewRowsPanels = 2;

  static LITENAT_INLINE Vec16Neon broadcast(float x) {
    const float32x4_t v = vdupq_n_f32(x);
    return {v, v, v, v};
  }
  static LITENAT_INLINE Vec16Neon load(const float* p) {
    return {vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12)};
  }
  static LITENAT_INLINE Vec16Neon load_once(const float* p) { return load(p); }  // no memory operands here
  static LITENAT_INLINE Vec16Neon load_partial(const float* p, int count, Vec16Neon fill) {
    float all[16];
    fill.store(all);
    for (int i = 0; i < count; ++i) all[i] = p[i];
    return load(all);
  }
  LITENAT_INLINE void store(float* p) const {
    vst1q_f32(p, v0);
    vst1q_f32(p + 4, v1);
    vst1q_f32(p + 8, v2);
    vst1q_f32(p + 12, v3);
  }
  LITENAT_INLINE void store_partial(float* p, int count) const {
    float all[16];
    store(all);
    for (int i = 0; i < count; ++i) p[i] = all[i];
  }
  LITENAT_INLINE void store_u8(uint8_t* p, int count) const {
    const uint16x8_t low = vcombine_u16(vmovn_u32(vcvtnq_u32_f32(v0)), vmovn_u32(vcvtnq_u32_f32(v1)));
    const uint16x8_t high = vcombine_u16(vmovn_u32(vcvtnq_u32_f32(v2)), vmovn_u32(vcvtnq_u32_f32(v3)));
    const uint8x16_t bytes = vcombine_u8(vmovn_u16(low), vmovn_u16(high));
    if (count == 16) {
      vst1q_u8(p, bytes);
      return;
    }
    uint8_t all[16];
    vst1q_u8(all, bytes);
    for (int i = 0; i < count; ++i) p[i] = all[i];
  }

  /// f on each register of a and b.
  template <class Function>
  static LITENAT_INLINE Vec16Neon map(Vec16Neon a, Vec16Neon b, Function f) {
    return {f(a.v0, b.v0), f(a.v1, b.v1), f(a.v2, b.v2), f(a.v3, b.v3)};
  }
  friend LITENAT_INLINE Vec16Neon operator+(Vec16Neon a, Vec16Neon b) {
    return map(a, b, [](float32x4_t x, float32x4_t y) LITENAT_LAMBDA { return vaddq_f32(x, y); });
  }
  friend LITENAT_INLINE Vec16Neon operator-(Vec16Neon a, Vec16Neon b) {
    return map(a, b, [](float32x4_t x, float32x4_t y) LITENAT_LAMBDA { return vsubq_f32(x, y); });
  }
  friend LITENAT_INLINE Vec16Neon operator*(Vec16Neon a, Vec16Neon b) {
    return map(a, b, [](float32x4_t x, float32x4_t y) LITENAT_LAMBDA { return vmulq_f32(x, y); });
  }
  friend LITENAT_INLINE Vec16Neon operator/(Vec16Neon a, Vec16Neon b) {
    return map(a, b, [](float32x4_t x, float32x4_t y) LITENAT_LAMBDA { return vdivq_f32(x, y); });
  }
  static LITENAT_INLINE Vec16Neon fma(Vec16Neon a, Vec16Neon b, Vec16Neon c) {
    return {vfmaq_f32(c.v0, a.v0, b.v0), vfmaq_f32(c.v1, a.v1, b.v1), vfmaq_f32(c.v2, a.v2, b.v2),
            vfmaq_f32(c.v3, a.v3, b.v3)};
  }
  static LITENAT_INLINE Vec16Neon select_less(Vec16Neon a, Vec16Neon b, Vec16Neon x, Vec16Neon y) {
    return {vbslq_f32(vcltq_f32(a.v0, b.v0), x.v0, y.v0), vbslq_f32(vcltq_f32(a.v1, b.v1), x.v1, y.v1),
            vbslq_f32(vcltq_f32(a.v2, b.v2), x.v2, y.v2), vbslq_f32(vcltq_f32(a.v3, b.v3), x.v3, y.v3)};
  }
  // Not vminq and vmaxq: those treat NaN and signed zeros in another way.
  static LITENAT_INLINE float32x4_t min4(float32x4_t a, float32x4_t b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
  static LITENAT_INLINE float32x4_t max4(float32x4_t a, float32x4_t b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
  static LITENAT_INLINE Vec16Neon min(Vec16Neon a, Vec16Neon b) {
    return map(a, b, [](float32x4_t x, float32x4_t y) LITENAT_LAMBDA { return min4(x, y); });
  }
  static LITENAT_INLINE Vec16Neon max(Vec16Neon a, Vec16Neon b) {
    return map(a, b, [](float32x4_t x, float32x4_t y) LITENAT_LAMBDA { return max4(x, y); });
  }
  LITENAT_INLINE Vec16Neon abs() const { return {vabsq_f32(v0), vabsq_f32(v1), vabsq_f32(v2), vabsq_f32(v3)}; }
  static LITENAT_INLINE float32x4_t shift4(float32x4_t v) {
    return vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(v), 23));
  }
  LITENAT_INLINE Vec16Neon shift_left_23() const { return {shift4(v0), shift4(v1), shift4(v2), shift4(v3)}; }

  template <class Function>
  LITENAT_INLINE float reduce(Function f) const {
    const float32x4_t four = f(f(v0, v2), f(v1, v3));
    const float32x4_t two = f(four, vextq_f32(four, four, 2));
    return vgetq_lane_f32(f(two, vextq_f32(two, two, 1)), 0);
  }
  LITENAT_INLINE float reduce_add() const {
    return reduce([](float32x4_t x, float32x4_t y) LITENAT_LAMBDA { return vaddq_f32(x, y); });
  }
  LITENAT_INLINE float reduce_min() const {
    return reduce([](float32x4_t x, float32x4_t y) LITENAT_LAMBDA { return min4(x, y); });
  }
  LITENAT_INLINE float reduce_max() const {
    return reduce([](float32x4_t x, float32x4_t y) LITENAT_LAMBDA { return max4(x, y); });
  }
};

/// 16 lanes of int32; arithmetic wraps.
template <Isa kIsa>
struct Int32x16Neon {
  int32x4_t v0, v1, v2, v3;

  static LITENAT_INLINE Int32x16Neon broadcast(int32_t x) {
    const int32x4_t v = vdupq_n_s32(x);
    return {v, v, v, v};
  }
  static LITENAT_INLINE Int32x16Neon load(const int32_t* p) {
    return {vld1q_s32(p), vld1q_s32(p + 4), vld1q_s32(p + 8), vld1q_s32(p + 12)};
  }
  static LITENAT_INLINE Int32x16Neon load_partial(const int32_t* p, int count) {
    int32_t all[16] = {};
    for (int i = 0; i < count; ++i) all[i] = p[i];
    return load(all);
  }
  LITENAT_INLINE void store(int32_t* p) const {
    vst1q_s32(p, v0);
    vst1q_s32(p + 4, v1);
    vst1q_s32(p + 8, v2);
    vst1q_s32(p + 12, v3);
  }
  LITENAT_INLINE void store_partial(int32_t* p, int count) const {
    int32_t all[16];
    store(all);
    for (int i = 0; i < count; ++i) p[i] = all[i];
  }
  friend LITENAT_INLINE Int32x16Neon operator+(Int32x16Neon a, Int32x16Neon b) {
    return {vaddq_s32(a.v0, b.v0), vaddq_s32(a.v1, b.v1), vaddq_s32(a.v2, b.v2), vaddq_s32(a.v3, b.v3)};
  }
  friend LITENAT_INLINE Int32x16Neon operator-(Int32x16Neon a, Int32x16Neon b) {
    return {vsubq_s32(a.v0, b.v0), vsubq_s32(a.v1, b.v1), vsubq_s32(a.v2, b.v2), vsubq_s32(a.v3, b.v3)};
  }
  friend LITENAT_INLINE Int32x16Neon operator*(Int32x16Neon a, Int32x16Neon b) {
    return {vmulq_s32(a.v0, b.v0), vmulq_s32(a.v1, b.v1), vmulq_s32(a.v2, b.v2), vmulq_s32(a.v3, b.v3)};
  }
  LITENAT_INLINE Vec16Neon<kIsa> to_float() const {
    return {vcvtq_f32_s32(v0), vcvtq_f32_s32(v1), vcvtq_f32_s32(v2), vcvtq_f32_s32(v3)};
  }
};

}  // namespace litenat::kernels
