// A float matrix as int8, by output channel.
#pragma once

#include <cstdint>
#include <vector>

#include "base/span.h"

namespace litenat::quant {

/// w[n, k] ~ scale[n] * values[n, k] (numerics/quantization.h).
struct QuantizedMatrix {
  int64_t n = 0;
  int64_t k = 0;
  std::vector<int8_t> values;       // row-major [n, k]
  std::vector<float> scale;         // [n]
  std::vector<int32_t> column_sum;  // [n]: sums of the rows of `values`
};

/// Quantises the row-major matrix `w` [n, k]; k <= numerics::kMaxDepth.
QuantizedMatrix quantize_matrix(Span<const float> w, int64_t n, int64_t k);

/// `matrix` in the order "k4n16", numerics::packed_size(n, k) bytes.
std::vector<int8_t> packed_k4n16(const QuantizedMatrix& matrix);

/// Signal-to-noise ratio of the quantised matrix in dB; infinity when it is exact.
double weight_sqnr_db(Span<const float> w, const QuantizedMatrix& matrix);

/// 10 log10(signal / noise); infinity without noise, 0 without signal.
double decibels(double signal, double noise);

}  // namespace litenat::quant
