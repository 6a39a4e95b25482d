#include "quant/weight_quantization.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "numerics/quantization.h"

namespace litenat::quant {

QuantizedMatrix quantize_matrix(Span<const float> w, int64_t n, int64_t k) {
  QuantizedMatrix matrix;
  matrix.n = n;
  matrix.k = k;
  matrix.values.resize(static_cast<size_t>(n * k));
  for (int64_t row = 0; row < n; ++row) {
    const Span<const float> weights = w.subspan(static_cast<size_t>(row * k), static_cast<size_t>(k));
    float largest = 0;
    for (const float weight : weights) largest = std::max(largest, std::fabs(weight));
    const float scale = numerics::weight_scale(largest);
    int32_t sum = 0;
    for (int64_t i = 0; i < k; ++i) {
      const int8_t q = numerics::quantize_weight(weights[static_cast<size_t>(i)], scale);
      matrix.values[static_cast<size_t>(row * k + i)] = q;
      sum += q;
    }
    matrix.scale.push_back(scale);
    matrix.column_sum.push_back(sum);
  }
  return matrix;
}

std::vector<int8_t> packed_k4n16(const QuantizedMatrix& matrix) {
  std::vector<int8_t> packed(static_cast<size_t>(numerics::packed_size(matrix.n, matrix.k)), 0);
  for (int64_t row = 0; row < matrix.n; ++row)
    for (int64_t i = 0; i < matrix.k; ++i)
      packed[static_cast<size_t>(numerics::packed_index(row, i, matrix.k))] =
          matrix.values[static_cast<size_t>(row * matrix.k + i)];
  return packed;
}

double weight_sqnr_db(Span<const float> w, const QuantizedMatrix& matrix) {
  double signal = 0;
  double noise = 0;
  for (size_t i = 0; i < w.size(); ++i) {
    const double restored = static_cast<double>(matrix.scale[i / static_cast<size_t>(matrix.k)]) * matrix.values[i];
    signal += static_cast<double>(w[i]) * w[i];
    noise += (w[i] - restored) * (w[i] - restored);
  }
  return decibels(signal, noise);
}

double decibels(double signal, double noise) {
  if (noise <= 0) return std::numeric_limits<double>::infinity();
  return signal <= 0 ? 0 : 10.0 * std::log10(signal / noise);
}

}  // namespace litenat::quant
