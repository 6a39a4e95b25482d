#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "kernels/kernel_testing.h"

namespace litenat::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

class RowwiseTest : public TableTest {
 protected:
  using Operation = std::function<void(const Kernels&, int64_t rows, int64_t columns, const float* x, int64_t x_stride,
                                       float* y, int64_t y_stride)>;

  /// The operation gives the scalar table's bits at every width and touches nothing else. x has
  /// `x_columns_per_column` columns for each of y.
  void expect_equal(const Operation& operation, int64_t x_columns_per_column = 1) {
    for (int64_t columns = 0; columns <= 65; ++columns) {
      for (int64_t rows : {0, 1, 3}) {
        for (Edge edge : {Edge::kFront, Edge::kBack}) {
          const int64_t x_columns = columns * x_columns_per_column;
          const int64_t x_stride = x_columns + 1, y_stride = columns + columns % 3;
          GuardedMatrix x(rows, x_columns, x_stride, edge);
          x.fill(random_, 3.0f);
          GuardedMatrix y(rows, columns, y_stride, edge), expected(rows, columns, y_stride, edge);
          operation(table(), rows, columns, x.data(), x_stride, y.data(), y_stride);
          operation(scalar(), rows, columns, x.data(), x_stride, expected.data(), y_stride);
          ASSERT_TRUE(y.same_bits(expected)) << "rows " << rows << " columns " << columns;
        }
      }
    }
  }

  /// Checks f at a grid of [-range, range] against `exact`, and that every table gives the same bits there.
  void expect_near(const std::function<void(const Kernels&, const float*, int64_t, float*)>& f, float range,
                   const std::function<double(double)>& exact, double tolerance) {
    const int64_t count = 40001;
    std::vector<float> x(count), y(count), expected(count);
    for (int64_t i = 0; i < count; ++i) {
      x[static_cast<size_t>(i)] = range * (static_cast<float>(i) / 20000.0f - 1.0f);
    }
    f(table(), x.data(), count, y.data());
    f(scalar(), x.data(), count, expected.data());
    EXPECT_EQ(std::memcmp(y.data(), expected.data(), y.size() * sizeof(float)), 0);
    double worst = 0;
    for (size_t i = 0; i < x.size(); ++i) worst = std::max(worst, std::fabs(y[i] - exact(x[i])));
    EXPECT_LT(worst, tolerance);
  }
};

TEST_P(RowwiseTest, LayerNormEqualsScalar) {
  GuardedMatrix parameters(1, 130, 0);
  parameters.fill(random_);
  expect_equal([&](const Kernels& t, int64_t rows, int64_t columns, const float* x, int64_t x_stride, float* y,
                   int64_t y_stride) {
    const float* bias = parameters.end() - columns;  // both end where memory ends, or at another row's start
    t.layer_norm(x, x_stride, rows, columns, bias - columns, bias, 1e-5f, y, y_stride);
  });
}

TEST_P(RowwiseTest, LayerNormEqualsTheDefinition) {
  for (int64_t columns : {1, 7, 16, 100, 512}) {
    GuardedMatrix x(1, columns, columns), gain(1, columns, columns), bias(1, columns, columns), y(1, columns, columns);
    x.fill(random_, 2.0f);
    gain.fill(random_);
    bias.fill(random_);
    table().layer_norm(x.data(), columns, 1, columns, gain.data(), bias.data(), 1e-5f, y.data(), columns);
    double mean = 0, variance = 0, largest = 0;
    for (float v : x) mean += static_cast<double>(v) / static_cast<double>(columns);
    for (float v : x) {
      variance += (v - mean) * (v - mean) / static_cast<double>(columns);
      largest = std::max<double>(largest, std::fabs(v));
    }
    const double inverse = 1.0 / std::sqrt(variance + 1e-5);
    for (int64_t c = 0; c < columns; ++c) {
      const double normal = (x[c] - mean) * inverse;
      // A lane adds columns / 16 values, the tree 4 more: so many roundings of the mean, twice for the variance.
      const double roundings = 2.0 * (static_cast<double>(columns) / 16 + 4) + 6;
      const double norm = std::fabs(gain[c]) * (largest * inverse + std::fabs(normal)) + std::fabs(bias[c]);
      EXPECT_NEAR(y[c], normal * gain[c] + bias[c], std::ldexp(roundings * norm, -24)) << columns;
    }
  }
}

TEST_P(RowwiseTest, LayerNormMayWorkInPlace) {
  GuardedMatrix x(3, 33, 33), gain(1, 33, 33), bias(1, 33, 33), y(3, 33, 33);
  x.fill(random_);
  gain.fill(random_);
  bias.fill(random_);
  table().layer_norm(x.data(), 33, 3, 33, gain.data(), bias.data(), 1e-5f, y.data(), 33);
  table().layer_norm(x.data(), 33, 3, 33, gain.data(), bias.data(), 1e-5f, x.data(), 33);
  EXPECT_TRUE(x.same_bits(y));
}

TEST_P(RowwiseTest, AddEqualsScalarAndTheSum) {
  GuardedMatrix z(1, 4096, 4096);
  z.fill(random_);
  expect_equal([&](const Kernels& t, int64_t rows, int64_t columns, const float* x, int64_t x_stride, float* y,
                   int64_t y_stride) {
    t.add(x, x_stride, z.end() - matrix_size(rows, columns, columns), columns, rows, columns, y, y_stride);
  });
  float x[19], y[19];
  for (int i = 0; i < 19; ++i) x[i] = static_cast<float>(i);
  table().add(x, 19, z.data(), 19, 1, 19, y, 19);
  for (int i = 0; i < 19; ++i) EXPECT_EQ(y[i], x[i] + z[i]);
}

TEST_P(RowwiseTest, ReluEqualsScalarAndTheDefinition) {
  expect_equal([](const Kernels& t, int64_t rows, int64_t columns, const float* x, int64_t x_stride, float* y,
                  int64_t y_stride) { t.relu(x, x_stride, rows, columns, y, y_stride); });
  const float x[] = {-kInfinity, -1.0f, -0.0f, 0.0f, 1e-45f, 2.0f, kInfinity};
  const float expected[] = {0.0f, 0.0f, 0.0f, 0.0f, 1e-45f, 2.0f, kInfinity};
  float y[7];
  table().relu(x, 7, 1, 7, y, 7);
  EXPECT_EQ(std::memcmp(y, expected, sizeof y), 0);
}

TEST_P(RowwiseTest, GeluEqualsScalar) {
  expect_equal([](const Kernels& t, int64_t rows, int64_t columns, const float* x, int64_t x_stride, float* y,
                  int64_t y_stride) { t.gelu(x, x_stride, rows, columns, y, y_stride); });
}

TEST_P(RowwiseTest, GeluIsWithinTwoMillionths) {
  expect_near([](const Kernels& t, const float* x, int64_t n, float* y) { t.gelu(x, n, 1, n, y, n); }, 10.0f,
              [](double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); }, 2e-6);
  // Around 0, where x itself is small: the error shrinks with it.
  expect_near([](const Kernels& t, const float* x, int64_t n, float* y) { t.gelu(x, n, 1, n, y, n); }, 0.01f,
              [](double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); }, 4e-9);
}

TEST_P(RowwiseTest, GeluOfExtremes) {
  const float x[] = {-kInfinity, -1e30f, -20.0f, 0.0f, 20.0f, 1e30f, kInfinity};
  float y[7];
  table().gelu(x, 7, 1, 7, y, 7);
  for (int i = 0; i < 7; ++i) EXPECT_EQ(y[i], i < 3 ? 0.0f : x[i]) << x[i];
}

TEST_P(RowwiseTest, GluEqualsScalar) {
  expect_equal([](const Kernels& t, int64_t rows, int64_t columns, const float* x, int64_t x_stride, float* y,
                  int64_t y_stride) { t.glu(x, x_stride, rows, columns, y, y_stride); },
               2);
}

TEST_P(RowwiseTest, GluIsTheProductWithTheSigmoid) {
  expect_near(
      [](const Kernels& t, const float* x, int64_t n, float* y) {
        std::vector<float> both(static_cast<size_t>(2 * n), 1.0f);
        std::copy(x, x + n, both.begin() + n);
        t.glu(both.data(), 2 * n, 1, n, y, n);
      },
      30.0f, [](double x) { return 1.0 / (1.0 + std::exp(-x)); }, 2e-7);
  const float x[] = {2.0f, 2.0f, 3.0f, -kInfinity, kInfinity, 1000.0f};
  float y[3];
  table().glu(x, 6, 1, 3, y, 3);
  EXPECT_EQ(y[0], 0.0f);
  EXPECT_EQ(y[1], 2.0f);
  EXPECT_EQ(y[2], 3.0f);
}

TEST_P(RowwiseTest, SoftmaxEqualsScalarForEveryGroup) {
  for (int64_t group = 0; group <= 65; ++group) {
    for (int64_t groups : {1, 3}) {
      const int64_t columns = groups * group, stride = columns + 1;
      GuardedMatrix x(2, columns, stride), y(2, columns, stride), expected(2, columns, stride);
      x.fill(random_, 5.0f);
      table().softmax_groups(x.data(), stride, 2, groups, group, y.data(), stride);
      scalar().softmax_groups(x.data(), stride, 2, groups, group, expected.data(), stride);
      ASSERT_TRUE(y.same_bits(expected)) << group;
      table().softmax_groups(x.data(), stride, 2, groups, group, x.data(), stride);
      for (int64_t i = 0; i < columns; ++i) ASSERT_EQ(x[i], y[i]) << "in place, group " << group;
    }
  }
}

TEST_P(RowwiseTest, SoftmaxEqualsTheDefinition) {
  for (int64_t group : {1, 3, 15, 31, 200}) {
    GuardedMatrix x(1, group, group), y(1, group, group);
    x.fill(random_, 8.0f);
    table().softmax_groups(x.data(), group, 1, 1, group, y.data(), group);
    double total = 0;
    for (float v : x) total += std::exp(static_cast<double>(v) - x[0]);
    for (int64_t i = 0; i < group; ++i) {
      const double exact = std::exp(static_cast<double>(x[i]) - x[0]) / total;
      // exp is good to 2e-7 and its argument, up to ~50, to half an ulp; the sum's roundings add up to less.
      EXPECT_NEAR(y[i], exact, exact * 5e-6 + 1e-37) << group;
    }
  }
}

TEST_P(RowwiseTest, SoftmaxGivesMaskedColumnsExactlyZero) {
  const float x[] = {-kInfinity, 1.0f, 1.0f, -1e30f, -200.0f};
  const float expected[] = {0.0f, 0.5f, 0.5f, 0.0f, 0.0f};
  float y[5];
  table().softmax_groups(x, 5, 1, 1, 5, y, 5);
  EXPECT_EQ(std::memcmp(y, expected, sizeof y), 0);
}

TEST_P(RowwiseTest, LogSumExpEqualsScalarAndTheDefinition) {
  GuardedMatrix x(1, 1000, 1000);
  x.fill(random_, 10.0f);
  for (int64_t count = 1; count <= 70; ++count) {
    GuardedArray<int32_t> index(count);
    std::uniform_int_distribution<int32_t> any(0, 999);
    for (int32_t& i : index) i = any(random_);
    const float actual = table().log_sum_exp_gather(x.data(), index.data(), count);
    EXPECT_EQ(actual, scalar().log_sum_exp_gather(x.data(), index.data(), count)) << count;
    double total = 0;
    for (int32_t i : index) total += std::exp(static_cast<double>(x[i]));
    EXPECT_NEAR(actual, std::log(total), 3e-6) << count;  // half an ulp of 40 is 2e-6
  }
}

TEST_P(RowwiseTest, LogSumExpOfAllEqualsThatOfTheGatheredValues) {
  for (int64_t count = 0; count <= 70; ++count) {
    GuardedMatrix x(1, count, count);
    x.fill(random_, 10.0f);
    std::vector<int32_t> index;
    for (int32_t i = 0; i < count; ++i) index.push_back(i);
    EXPECT_EQ(table().log_sum_exp(x.data(), count), scalar().log_sum_exp_gather(x.data(), index.data(), count))
        << count;
  }
}

TEST_P(RowwiseTest, MaxGroupsEqualsTheDefinition) {
  for (int64_t count = 0; count <= 130; ++count)
    for (const int64_t group : {1, 3, 16, 40, 64}) {
      GuardedMatrix x(1, count, count);
      const int64_t groups = (count + group - 1) / group;
      GuardedMatrix y(1, groups, groups);
      x.fill(random_, 10.0f);
      table().max_groups(x.data(), count, group, y.data());
      for (int64_t i = 0; i < groups; ++i)
        ASSERT_EQ(y[i], *std::max_element(x.data() + i * group, x.data() + std::min(count, (i + 1) * group)))
            << "count " << count << " group " << group;
    }
}

TEST_P(RowwiseTest, LogSumExpOfExtremes) {
  const float x[] = {-kInfinity, kInfinity, 3e38f, 1.0f, -1000.0f};
  const auto of = [&](std::vector<int32_t> index) {
    return table().log_sum_exp_gather(x, index.data(), static_cast<int64_t>(index.size()));
  };
  EXPECT_EQ(of({}), -kInfinity);
  EXPECT_EQ(of({0, 0}), -kInfinity);
  EXPECT_EQ(of({1, 3}), kInfinity);
  EXPECT_EQ(of({2, 3}), 3e38f);
  EXPECT_EQ(of({3, 0, 4}), 1.0f);
  EXPECT_EQ(table().log_sum_exp(x, 1), -kInfinity);
  EXPECT_EQ(table().log_sum_exp(x, 5), kInfinity);
  EXPECT_EQ(table().log_sum_exp(x + 2, 3), 3e38f);
  const float with_nan[] = {1.0f, std::numeric_limits<float>::quiet_NaN(), 2.0f};
  EXPECT_TRUE(std::isnan(table().log_sum_exp(with_nan, 3)));
}

TEST_P(RowwiseTest, DotRowsEqualsScalarAndTheDefinition) {
  for (int64_t columns = 0; columns <= 65; ++columns) {
    for (int64_t count : {0, 1, 5}) {
      const int64_t stride = columns + columns % 2;
      GuardedMatrix a(1, columns, columns), b(count, columns, stride), s(1, count, count), expected(1, count, count);
      a.fill(random_);
      b.fill(random_);
      table().dot_rows(a.data(), b.data(), stride, count, columns, s.data());
      scalar().dot_rows(a.data(), b.data(), stride, count, columns, expected.data());
      ASSERT_TRUE(s.same_bits(expected)) << columns;
      for (int64_t i = 0; i < count; ++i) {
        double sum = 0, norm = 0;
        for (int64_t c = 0; c < columns; ++c) {
          sum += static_cast<double>(a[c]) * b[i * stride + c];
          norm += std::fabs(static_cast<double>(a[c]) * b[i * stride + c]);
        }
        EXPECT_NEAR(s[i], sum, std::ldexp((static_cast<double>(columns) / 16 + 5) * norm, -24));
      }
    }
  }
}

LITENAT_INSTANTIATE_FOR_TABLES(RowwiseTest);

}  // namespace
}  // namespace litenat::kernels
