#include <algorithm>
#include <cmath>
#include <memory>

#include "kernels/kernel_testing.h"

namespace litenat::kernels {
namespace {

/// Random weights [n, k] with all that a PackedWeights points to, each array at an edge of accessible memory.
struct Weights {
  std::vector<int8_t> plain;
  GuardedArray<int8_t> packed;
  GuardedArray<float> scale, bias;
  GuardedArray<int32_t> column_sum;
  PackedWeights view;

  template <class Fill>
  Weights(int64_t n, int64_t k, bool has_bias, Edge edge, Fill fill)
      : plain(static_cast<size_t>(n * k)),
        packed(numerics::packed_size(n, k), edge),
        scale(n, edge),
        bias(n, edge),
        column_sum(n, edge) {
    for (int8_t& w : plain) w = fill();
    pack_s8(plain.data(), n, k, packed.data());
    for (int64_t i = 0; i < n; ++i) {
      scale[i] = 0.001f * static_cast<float>(i % 7 + 1);
      bias[i] = 0.3f * static_cast<float>(i % 5) - 0.6f;
      column_sum[i] = 0;
      for (int64_t kk = 0; kk < k; ++kk) column_sum[i] += plain[static_cast<size_t>(i * k + kk)];
    }
    view = {packed.data(), scale.data(), column_sum.data(), has_bias ? bias.data() : nullptr, n, k};
  }
};

/// Quantised rows whose padding is 0, in a matrix of its own.
template <class Fill>
void fill_activations(GuardedArray<uint8_t>& q, int64_t rows, int64_t k, int64_t stride, Fill fill) {
  std::fill(q.begin(), q.end(), uint8_t{0xa5});
  for (int64_t m = 0; m < rows; ++m) {
    for (int64_t kk = 0; kk < numerics::padded_depth(k); ++kk) q[m * stride + kk] = kk < k ? fill() : uint8_t{0};
  }
}

class GemmS8Test : public TableTest {
 protected:
  uint8_t random_u8() { return static_cast<uint8_t>(std::uniform_int_distribution<int>(0, 255)(random_)); }
  int8_t random_s8() { return static_cast<int8_t>(std::uniform_int_distribution<int>(-127, 127)(random_)); }

  /// Both products of the table under test equal the scalar table's, with every array at `edge`.
  void expect_equal(int64_t rows, int64_t n, int64_t k, Edge edge) {
    const int64_t q_stride = numerics::padded_depth(k) + rows % 3;
    const int64_t y_stride = n + n % 4;
    const Weights w(n, k, n % 3 != 0, edge, [&] { return random_s8(); });
    GuardedArray<uint8_t> q(matrix_size(rows, numerics::padded_depth(k), q_stride), edge);
    fill_activations(q, rows, k, q_stride, [&] { return random_u8(); });
    GuardedArray<RowQuantization> row(rows, edge);
    for (RowQuantization& r : row) r = {0.01f + 0.001f * static_cast<float>(random_u8()), random_u8()};

    const int64_t size = matrix_size(rows, n, y_stride);
    GuardedArray<int32_t> acc(size, edge), expected_acc(size, edge);
    table().gemm_u8s8_s32(q.data(), q_stride, rows, w.view, acc.data(), y_stride);
    scalar().gemm_u8s8_s32(q.data(), q_stride, rows, w.view, expected_acc.data(), y_stride);
    EXPECT_TRUE(acc.same_bits(expected_acc)) << "rows " << rows << " n " << n << " k " << k;

    GuardedArray<float> y(size, edge), expected_y(size, edge);
    table().gemm_u8s8_f32(q.data(), q_stride, row.data(), rows, w.view, y.data(), y_stride);
    scalar().gemm_u8s8_f32(q.data(), q_stride, row.data(), rows, w.view, expected_y.data(), y_stride);
    EXPECT_TRUE(y.same_bits(expected_y)) << "rows " << rows << " n " << n << " k " << k;
  }
};

TEST_P(GemmS8Test, EqualsScalarInEveryTileShape) {
  for (int64_t rows = 0; rows <= 17; ++rows) {
    for (int64_t n : {1, 15, 16, 17, 31, 32, 33, 48, 64, 65}) {
      expect_equal(rows, n, 5, Edge::kBack);
    }
  }
}

TEST_P(GemmS8Test, EqualsScalarAtEveryWidth) {
  for (int64_t n = 0; n <= 129; ++n) {
    for (int64_t rows : {1, 2, 8}) expect_equal(rows, n, 12, n % 2 == 0 ? Edge::kBack : Edge::kFront);
  }
}

TEST_P(GemmS8Test, EqualsScalarAtEveryDepth) {
  for (int64_t k = 0; k <= 33; ++k) {
    for (int64_t rows : {1, 3, 9}) expect_equal(rows, 35, k, k % 2 == 0 ? Edge::kBack : Edge::kFront);
  }
  expect_equal(5, 40, 515, Edge::kBack);
}

TEST_P(GemmS8Test, IsExactAtTheLargestDepthAndTheExtremes) {
  for (int weight : {-127, 127}) {
    for (int zero : {0, 255}) {
      const int64_t k = numerics::kMaxDepth;
      const Weights w(17, k, true, Edge::kBack, [&] { return static_cast<int8_t>(weight); });
      GuardedArray<uint8_t> q(3 * k);
      std::fill(q.begin(), q.end(), uint8_t{255});
      std::vector<int32_t> acc(3 * 17);
      table().gemm_u8s8_s32(q.data(), k, 3, w.view, acc.data(), 17);
      for (int32_t a : acc) EXPECT_EQ(a, weight * 255 * 65536);
      const std::vector<RowQuantization> row(3, RowQuantization{0.5f, zero});
      std::vector<float> y(3 * 17);
      table().gemm_u8s8_f32(q.data(), k, row.data(), 3, w.view, y.data(), 17);
      for (size_t i = 0; i < y.size(); ++i) {
        const size_t n = i % 17;
        const auto exact = static_cast<float>(static_cast<int64_t>(weight) * (255 - zero) * 65536);
        EXPECT_EQ(y[i], 0.5f * w.view.scale[n] * exact + w.view.bias[n]);
      }
    }
  }
}

TEST_P(GemmS8Test, EqualsTheSumOfProducts) {
  const int64_t rows = 11, n = 37, k = 70;
  const Weights w(n, k, true, Edge::kBack, [&] { return random_s8(); });
  const int64_t stride = numerics::padded_depth(k);
  GuardedArray<uint8_t> q(rows * stride);
  fill_activations(q, rows, k, stride, [&] { return random_u8(); });
  std::vector<RowQuantization> row;
  for (int64_t m = 0; m < rows; ++m) row.push_back({0.02f, static_cast<int32_t>(m * 23)});
  std::vector<float> y(static_cast<size_t>(rows * n));
  table().gemm_u8s8_f32(q.data(), stride, row.data(), rows, w.view, y.data(), n);
  for (int64_t m = 0; m < rows; ++m) {
    for (int64_t i = 0; i < n; ++i) {
      double sum = 0;
      for (int64_t kk = 0; kk < k; ++kk) {
        sum += (q[m * stride + kk] - row[static_cast<size_t>(m)].zero) * w.plain[static_cast<size_t>(i * k + kk)];
      }
      const double scaled = 0.02f * static_cast<double>(w.view.scale[i]) * sum;
      const double exact = scaled + w.view.bias[i];
      // Three roundings of the product and one of the sum, 2^-24 each.
      EXPECT_NEAR(y[static_cast<size_t>(m * n + i)], exact,
                  std::ldexp(3.1 * std::fabs(scaled) + std::fabs(exact), -24));
    }
  }
}

LITENAT_INSTANTIATE_FOR_TABLES(GemmS8Test);

}  // namespace
}  // namespace litenat::kernels
