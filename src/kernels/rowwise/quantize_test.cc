#include <cmath>
#include <limits>

#include "kernels/kernel_testing.h"

namespace litenat::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

class QuantizeTest : public TableTest {
 protected:
  /// Runs the dynamic quantisation of one row and checks every byte against numerics/quantization.h.
  void expect_as_defined(const std::vector<float>& x) {
    const auto columns = static_cast<int64_t>(x.size());
    const int64_t padded = numerics::padded_depth(columns);
    GuardedArray<uint8_t> q(padded);
    RowQuantization row{};
    table().quantize_rows_dynamic(x.data(), columns, 1, columns, q.data(), padded, &row);
    float low = 0, high = 0;
    for (float v : x) {
      low = std::min(low, v);
      high = std::max(high, v);
    }
    const auto params = numerics::activation_quantization(low, high);
    ASSERT_EQ(row.scale, params.scale);
    ASSERT_EQ(row.zero, params.zero);
    for (int64_t i = 0; i < padded; ++i) {
      const int expected =
          i < columns ? numerics::quantize_activation(x[static_cast<size_t>(i)], 1.0f / params.scale, params.zero) : 0;
      ASSERT_EQ(q[i], expected) << "column " << i << " of " << columns;
    }
  }

  std::vector<float> random_row(int64_t columns, float mean, float deviation) {
    std::normal_distribution<float> normal(mean, deviation);
    std::vector<float> x(static_cast<size_t>(columns));
    for (float& v : x) v = normal(random_);
    return x;
  }
};

TEST_P(QuantizeTest, EqualsTheDefinitionAtEveryWidth) {
  for (int64_t columns = 0; columns <= 65; ++columns) {
    for (float mean : {-10.0f, 0.0f, 10.0f}) expect_as_defined(random_row(columns, mean, 2.0f));
  }
  for (float deviation : {1e-37f, 1e-30f, 1e-3f, 1e30f}) expect_as_defined(random_row(512, 0.0f, deviation));
}

TEST_P(QuantizeTest, EqualsTheDefinitionAtExtremes) {
  const float largest = std::numeric_limits<float>::max();
  const float smallest = std::numeric_limits<float>::denorm_min();
  expect_as_defined({0.0f, 0.0f, 0.0f});
  expect_as_defined({-0.0f});
  expect_as_defined({smallest, -smallest});
  expect_as_defined({largest, 1.0f});
  expect_as_defined({-largest, -1.0f});
  expect_as_defined({255.0f, 0.5f, 1.5f, 2.5f, 3.5f, 254.5f});  // scale 1: ties
}

TEST_P(QuantizeTest, StaticSaturatesAndRoundsTiesToEven) {
  const float x[] = {-kInfinity, -1e30f, -64.5f, -64.0f, -0.25f, 0.0f,      0.25f,  0.75f,
                     1.25f,      63.5f,  63.75f, 64.0f,  1e30f,  kInfinity, 0.125f, -1e-45f};
  const uint8_t expected[] = {0, 0, 0, 0, 128, 128, 128, 130, 130, 255, 255, 255, 255, 255, 128, 128};
  uint8_t q[16];
  RowQuantization row{};
  table().quantize_rows_static(x, 16, 1, 16, {0.5f, 128}, q, 16, &row);
  for (int i = 0; i < 16; ++i) EXPECT_EQ(q[i], expected[i]) << x[i];
  EXPECT_EQ(row.scale, 0.5f);
  EXPECT_EQ(row.zero, 128);
}

TEST_P(QuantizeTest, EqualsScalarAndTouchesNothingElse) {
  for (int64_t columns = 0; columns <= 65; ++columns) {
    for (Edge edge : {Edge::kFront, Edge::kBack}) {
      const int64_t rows = 3, padded = numerics::padded_depth(columns), q_stride = padded + columns % 5;
      GuardedMatrix x(rows, columns, columns + 1, edge);
      x.fill(random_, 4.0f);
      const int64_t size = matrix_size(rows, padded, q_stride);
      GuardedArray<uint8_t> q(size, edge), expected(size, edge);
      GuardedArray<RowQuantization> row(rows, edge), expected_row(rows, edge);
      table().quantize_rows_dynamic(x.data(), columns + 1, rows, columns, q.data(), q_stride, row.data());
      scalar().quantize_rows_dynamic(x.data(), columns + 1, rows, columns, expected.data(), q_stride,
                                     expected_row.data());
      ASSERT_TRUE(q.same_bits(expected) && row.same_bits(expected_row)) << columns;
      table().quantize_rows_static(x.data(), columns + 1, rows, columns, {0.03f, 7}, q.data(), q_stride, row.data());
      scalar().quantize_rows_static(x.data(), columns + 1, rows, columns, {0.03f, 7}, expected.data(), q_stride,
                                    expected_row.data());
      ASSERT_TRUE(q.same_bits(expected) && row.same_bits(expected_row)) << columns;
    }
  }
}

LITENAT_INSTANTIATE_FOR_TABLES(QuantizeTest);

}  // namespace
}  // namespace litenat::kernels
