// THE int8 scheme of LiteNAT. Kernels, PTQ, QAT and export all use these definitions; nothing else
// defines a scale, a rounding or a packing order.
//
//   weights      w[n, k] ~ weight_scale[n] * q_w[n, k],  q_w in [-127, 127], symmetric per output channel n
//   activations  x[m, k] ~ scale[m] * (q_x[m, k] - zero[m]),  q_x in [0, 255], q_x(0.0) = zero exactly
//                dynamic: scale and zero of each row from that row; static: one pair a tensor, calibrated
//   accumulator  acc[m, n] = sum_k q_x[m, k] * q_w[n, k]    in int32, exact on every ISA
//   result       y[m, n] = (scale[m] * weight_scale[n]) * float(acc[m, n] - zero[m] * column_sum[n]) + bias[n]
//                column_sum[n] = sum_k q_w[n, k]; the product and the sum are rounded separately (no fma)
//
// Rounding is to nearest, ties to even, everywhere (the default mode of the CPU, lrintf, nearbyint).
// k <= 65536 keeps |acc| <= 65536 * 255 * 127 < 2^31.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace litenat::numerics {

constexpr int kWeightMax = 127;       // q_w is in [-kWeightMax, kWeightMax]
constexpr int kActivationMax = 255;   // q_x is in [0, kActivationMax]
constexpr int64_t kMaxDepth = 65536;  // largest k of a quantised product

/// How the activations of one quantised layer become integers.
struct ActivationQuantization {
  float scale = 1.0f;
  int32_t zero = 0;  // in [0, 255]
};

/// The pair for values in [low, high] (widened to hold 0). Deterministic: depends on the two bounds
/// alone, in float32. low == high == 0 gives scale 1, zero 0. Bounds must be finite.
inline ActivationQuantization activation_quantization(float low, float high) {
  low = std::min(low, 0.0f);
  high = std::max(high, 0.0f);
  const float scale = (high - low) / static_cast<float>(kActivationMax);
  if (!(scale > 1e-30f)) return {1.0f, 0};
  const float zero = std::nearbyint(-low / scale);
  return {scale, static_cast<int32_t>(std::min(std::max(zero, 0.0f), 255.0f))};
}

/// q_x of one value: clamp(round(x * inverse_scale) + zero), inverse_scale = 1.0f / scale.
/// x must not be NaN (the executor checks its inputs); infinities saturate.
inline uint8_t quantize_activation(float x, float inverse_scale, int32_t zero) {
  const float shifted = std::nearbyint(x * inverse_scale) + static_cast<float>(zero);
  return static_cast<uint8_t>(std::min(std::max(shifted, 0.0f), 255.0f));
}

/// weight_scale of a channel whose largest absolute weight is `largest`.
inline float weight_scale(float largest) { return largest > 1e-30f ? largest / static_cast<float>(kWeightMax) : 1.0f; }

inline int8_t quantize_weight(float w, float scale) {
  const float q = std::nearbyint(w / scale);
  return static_cast<int8_t>(std::min(std::max(q, -127.0f), 127.0f));
}

// Packing order of an int8 weight matrix [n, k], one for all ISAs and for the file ("k4n16"):
// columns in panels of 16, each panel a run of k-groups of 4; byte ((p * groups + g) * 16 + c) * 4 + j
// is q_w[16 p + c, 4 g + j]. n and k are padded to multiples of 16 and 4 with zeros.
constexpr int kPanelColumns = 16;
constexpr int kGroupDepth = 4;

constexpr int64_t padded_columns(int64_t n) { return (n + kPanelColumns - 1) / kPanelColumns * kPanelColumns; }
constexpr int64_t padded_depth(int64_t k) { return (k + kGroupDepth - 1) / kGroupDepth * kGroupDepth; }
constexpr int64_t packed_size(int64_t n, int64_t k) { return padded_columns(n) * padded_depth(k); }

/// Where q_w[n, k] of a matrix with `depth` columns lies in the packed bytes.
constexpr int64_t packed_index(int64_t n, int64_t k, int64_t depth) {
  const int64_t groups = padded_depth(depth) / kGroupDepth;
  return ((n / kPanelColumns * groups + k / kGroupDepth) * kPanelColumns + n % kPanelColumns) * kGroupDepth +
         k % kGroupDepth;
}

}  // namespace litenat::numerics
