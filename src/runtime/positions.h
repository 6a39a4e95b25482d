// Sinusoidal position embeddings, computed as far as a run needs them.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace litenat::runtime {

/// Row p of width D: sin(p f_j) for j < D / 2, then cos(p f_j), and 0 where D is odd;
/// f_j = exp(-j ln(10000) / (D / 2 - 1)). (fairseq's form: halves side by side, not interleaved.)
class SinusoidalPositions {
 public:
  /// Makes rows 0 .. rows - 1 of this width available; one width for an object's life.
  void reserve(int64_t rows, int64_t columns) {
    const int64_t half = columns / 2;
    for (int64_t row = static_cast<int64_t>(values_.size()) / columns; row < rows; ++row) {
      const size_t begin = values_.size();
      values_.resize(begin + static_cast<size_t>(columns), 0.0f);
      for (int64_t j = 0; j < half; ++j) {
        const double frequency = half > 1 ? std::exp(-static_cast<double>(j) * std::log(10000.0) / (half - 1.0)) : 1.0;
        const double angle = static_cast<double>(row) * frequency;
        values_[begin + static_cast<size_t>(j)] = static_cast<float>(std::sin(angle));
        values_[begin + static_cast<size_t>(half + j)] = static_cast<float>(std::cos(angle));
      }
    }
  }
  const float* row(int64_t row, int64_t columns) const { return values_.data() + row * columns; }

 private:
  std::vector<float> values_;
};

}  // namespace litenat::runtime
