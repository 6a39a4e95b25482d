// The parts of post-training quantisation that need no model, against naive formulas.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.h"
#include "numerics/quantization.h"
#include "quant/activation_range.h"
#include "quant/weight_quantization.h"

namespace litenat::quant {
namespace {

std::vector<float> random_values(size_t count, uint64_t seed, double low, double high) {
  SplitMix64 random(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(low + (high - low) * random.uniform());
  return values;
}

TEST(WeightQuantization, KnownMatrix) {
  const std::vector<float> w = {127, -63.5f, 0, 1, 0, 0, 0, 0, -0.254f, 0.126f, 0.002f, 0.0032f};
  const QuantizedMatrix matrix = quantize_matrix(w, 3, 4);
  EXPECT_EQ(matrix.values, (std::vector<int8_t>{127, -64, 0, 1, 0, 0, 0, 0, -127, 63, 1, 2}));  // ties to even: -63.5
  EXPECT_FLOAT_EQ(matrix.scale[0], 1);
  EXPECT_FLOAT_EQ(matrix.scale[1], 1);  // an all-zero channel
  EXPECT_FLOAT_EQ(matrix.scale[2], 0.002f);
  EXPECT_EQ(matrix.column_sum, (std::vector<int32_t>{64, 0, -61}));
}

TEST(WeightQuantization, ErrorIsAtMostHalfAStepOfTheChannel) {
  const int64_t n = 19;
  const int64_t k = 37;
  const std::vector<float> w = random_values(static_cast<size_t>(n * k), 3, -2, 3);
  const QuantizedMatrix matrix = quantize_matrix(w, n, k);
  for (int64_t row = 0; row < n; ++row) {
    float largest = 0;
    for (int64_t i = 0; i < k; ++i) largest = std::max(largest, std::fabs(w[static_cast<size_t>(row * k + i)]));
    EXPECT_FLOAT_EQ(matrix.scale[static_cast<size_t>(row)], largest / 127);
    for (int64_t i = 0; i < k; ++i) {
      const size_t at = static_cast<size_t>(row * k + i);
      const float scale = matrix.scale[static_cast<size_t>(row)];
      EXPECT_LE(std::fabs(w[at] - scale * matrix.values[at]), scale * 0.5001f);
    }
  }
  EXPECT_GT(weight_sqnr_db(w, matrix), 40);
  EXPECT_LT(weight_sqnr_db(w, matrix), 60);
}

TEST(WeightQuantization, PacksWhereTheSchemeSays) {
  const int64_t n = 18;
  const int64_t k = 6;
  const QuantizedMatrix matrix = quantize_matrix(random_values(static_cast<size_t>(n * k), 4, -1, 1), n, k);
  const std::vector<int8_t> packed = packed_k4n16(matrix);
  ASSERT_EQ(packed.size(), 32u * 8u);
  int64_t sum = 0;
  for (int64_t p = 0; p < 2; ++p)
    for (int64_t g = 0; g < 2; ++g)
      for (int64_t c = 0; c < 16; ++c)
        for (int64_t j = 0; j < 4; ++j) {
          const int64_t row = p * 16 + c;
          const int64_t column = g * 4 + j;
          const bool inside = row < n && column < k;
          const int8_t expected = inside ? matrix.values[static_cast<size_t>(row * k + column)] : int8_t{0};
          EXPECT_EQ(packed[static_cast<size_t>(((p * 2 + g) * 16 + c) * 4 + j)], expected);
          sum += expected;
        }
  int64_t column_sums = 0;
  for (const int32_t value : matrix.column_sum) column_sums += value;
  EXPECT_EQ(sum, column_sums);
}

ActivationHistogram histogram_of(const std::vector<float>& values) {
  ActivationHistogram histogram;
  histogram.observe_bounds(values);
  histogram.observe_counts(values);
  return histogram;
}

TEST(ActivationRange, MinMaxCoversEveryValueAndZero) {
  const auto params = histogram_of({0.5f, 2.55f}).choose(RangeChoice::kMinMax, 0);
  EXPECT_FLOAT_EQ(params.scale, 0.01f);
  EXPECT_EQ(params.zero, 0);
  const auto negative = histogram_of({-2.55f, -1}).choose(RangeChoice::kMinMax, 0);
  EXPECT_FLOAT_EQ(negative.scale, 0.01f);
  EXPECT_EQ(negative.zero, 255);
}

TEST(ActivationRange, ErrorEstimateAgreesWithTheValuesThemselves) {
  const std::vector<float> values = random_values(20000, 5, -1, 3);
  const ActivationHistogram histogram = histogram_of(values);
  const auto params = numerics::activation_quantization(-0.8f, 2.5f);
  double sum = 0;
  for (const float value : values) {
    const int q = numerics::quantize_activation(value, 1.0f / params.scale, params.zero);
    const double error = value - static_cast<double>(params.scale) * (q - params.zero);
    sum += error * error;
  }
  EXPECT_NEAR(histogram.mean_squared_error(params), sum / 20000, 0.01 * sum / 20000);
}

TEST(ActivationRange, MseAndPercentileCutARareOutlier) {
  std::vector<float> values = random_values(100000, 6, -1, 1);
  values.push_back(100);
  const ActivationHistogram histogram = histogram_of(values);
  const auto full = histogram.choose(RangeChoice::kMinMax, 0);
  const auto mse = histogram.choose(RangeChoice::kMse, 0);
  const auto percentile = histogram.choose(RangeChoice::kPercentile, 99.9);
  EXPECT_NEAR(full.scale, 101.0 / 255, 1e-3);
  EXPECT_LT(histogram.mean_squared_error(mse), histogram.mean_squared_error(full));
  EXPECT_NEAR(percentile.scale, 2.0 / 255, 0.05 * 2.0 / 255 + 101.0 / ActivationHistogram::kNumBins / 255);
}

TEST(ActivationRange, MseKeepsTheFullRangeOfEvenValues) {
  const ActivationHistogram histogram = histogram_of(random_values(50000, 8, -1, 1));
  const auto mse = histogram.choose(RangeChoice::kMse, 0);
  EXPECT_NEAR(mse.scale, 2.0 / 255, 0.02 * 2.0 / 255);
}

TEST(ActivationRange, NoValuesAndConstantZeroAreSafe) {
  EXPECT_EQ(ActivationHistogram().choose(RangeChoice::kMse, 0).scale, 1);
  const auto zeros = histogram_of({0, 0, 0}).choose(RangeChoice::kMse, 0);
  EXPECT_EQ(zeros.scale, 1);
  EXPECT_EQ(zeros.zero, 0);
}

TEST(Decibels, LimitsAreDefined) {
  EXPECT_EQ(decibels(1, 0), std::numeric_limits<double>::infinity());
  EXPECT_EQ(decibels(0, 1), 0);
  EXPECT_NEAR(decibels(1, 0.001), 30, 1e-9);
}

}  // namespace
}  // namespace litenat::quant
