// The dot products of gemm_s8_inl.h for 64-bit ARM. It multiplies s8 by s8 only, so activations lose 128 and the
// product gains 128 * column_sum; the difference is exact.
#pragma once

#include "kernels/vec/vec16_neon.h"

namespace litenat::kernels {

template <Isa kIsa>
struct DotNeonBase {
  using Vec = Vec16Neon<kIsa>;
  using Int = Int32x16Neon<kIsa>;
  using Sum = int32x4_t;
  static constexpr int kActivationOffset = 128;

  static LITENAT_INLINE Sum zero() { return vdupq_n_s32(0); }
  /// 4 activations less 128, as bytes of a word: flipping the top bit of a byte subtracts 128.
  static LITENAT_INLINE uint32_t four_activations(const uint8_t* q) {
    uint32_t four;
    __builtin_memcpy(&four, q, sizeof four);
    return four ^ 0x80808080u;
  }
};

/// Every 64-bit ARM CPU: products of bytes as words (|product| <= 2^14), added in pairs to int32.
struct DotNeon : DotNeonBase<Isa::kNeon> {
  using Activation = int8x8_t;                  // 4 activations, twice
  using Weights = int8x8_t;                     // 2 columns, 4 deep
  static constexpr int kRows = 3, kPanels = 1;  // 24 sums + 3 activations + 1 weights of 32 registers
  static constexpr int kFewRows = 1, kFewRowsPanels = 2;
  static constexpr int kParts = 8;  // 2 columns each, as two sums

  static LITENAT_INLINE Activation activation(const uint8_t* q) {
    return vreinterpret_s8_u32(vdup_n_u32(four_activations(q)));
  }
  static LITENAT_INLINE Weights weights(const int8_t* w, int part) { return vld1_s8(w + part * 8); }
  static LITENAT_INLINE Sum dot(Sum sum, Activation a, Weights w) { return vpadalq_s16(sum, vmull_s8(a, w)); }
  static LITENAT_INLINE Int finish(const Sum (&sum)[8]) {
    return {vpaddq_s32(sum[0], sum[1]), vpaddq_s32(sum[2], sum[3]), vpaddq_s32(sum[4], sum[5]),
            vpaddq_s32(sum[6], sum[7])};
  }
};

#if defined(__ARM_FEATURE_DOTPROD)
/// ARMv8.2 with the dot product extension: 4 columns, 4 deep, in one instruction.
struct DotNeonDotprod : DotNeonBase<Isa::kNeonDotprod> {
  using Activation = int8x16_t;                 // 4 activations, 4 times
  using Weights = int8x16_t;                    // 4 columns, 4 deep
  static constexpr int kRows = 4, kPanels = 1;  // 16 sums + 4 activations + 1 weights of 32 registers
  static constexpr int kFewRows = 1, kFewRowsPanels = 2;
  static constexpr int kParts = 4;

  static LITENAT_INLINE Activation activation(const uint8_t* q) {
    return vreinterpretq_s8_u32(vdupq_n_u32(four_activations(q)));
  }
  static LITENAT_INLINE Weights weights(const int8_t* w, int part) { return vld1q_s8(w + part * 16); }
  static LITENAT_INLINE Sum dot(Sum sum, Activation a, Weights w) { return vdotq_s32(sum, a, w); }
  static LITENAT_INLINE Int finish(const Sum (&sum)[4]) { return {sum[0], sum[1], sum[2], sum[3]}; }
};
#endif

}  // namespace litenat::kernels
