#include <cmath>

#include "kernels/kernel_testing.h"

namespace litenat::kernels {
namespace {

class GemmF32Test : public TableTest {
 protected:
  void expect_equal(int64_t rows, int64_t n, int64_t k, Edge edge) {
    const int64_t x_stride = k + rows % 3, y_stride = n + n % 4;
    GuardedMatrix x(rows, k, x_stride, edge), w(1, numerics::padded_columns(n) * k, 0, edge), bias(1, n, n, edge);
    const std::vector<float> plain = random_weights(n, k);
    pack_f32(plain.data(), n, k, w.data());
    x.fill(random_);
    bias.fill(random_);
    const float* bias_or_null = n % 3 != 0 ? bias.data() : nullptr;
    GuardedMatrix y(rows, n, y_stride, edge), expected(rows, n, y_stride, edge);
    table().gemm_f32(x.data(), x_stride, rows, k, w.data(), n, bias_or_null, y.data(), y_stride);
    scalar().gemm_f32(x.data(), x_stride, rows, k, w.data(), n, bias_or_null, expected.data(), y_stride);
    EXPECT_TRUE(y.same_bits(expected)) << "rows " << rows << " n " << n << " k " << k;
  }

  std::vector<float> random_weights(int64_t n, int64_t k) {
    std::normal_distribution<float> normal;
    std::vector<float> w(static_cast<size_t>(n * k));
    for (float& v : w) v = normal(random_);
    return w;
  }
};

TEST_P(GemmF32Test, EqualsScalarInEveryTileShape) {
  for (int64_t rows = 0; rows <= 17; ++rows) {
    for (int64_t n : {1, 15, 16, 17, 31, 32, 33, 48, 64, 65}) expect_equal(rows, n, 5, Edge::kBack);
  }
}

TEST_P(GemmF32Test, EqualsScalarAtEveryWidthAndDepth) {
  for (int64_t n = 0; n <= 65; ++n) expect_equal(3, n, 7, n % 2 == 0 ? Edge::kBack : Edge::kFront);
  for (int64_t k = 0; k <= 33; ++k) expect_equal(9, 35, k, k % 2 == 0 ? Edge::kBack : Edge::kFront);
  expect_equal(5, 40, 515, Edge::kBack);
}

TEST_P(GemmF32Test, KeepsInfinitiesAndDenormals) {
  const float w[2] = {1.0f, 1.0f};
  std::vector<float> packed(32);
  pack_f32(w, 1, 2, packed.data());
  const float infinity = std::numeric_limits<float>::infinity();
  const float denormal = std::numeric_limits<float>::denorm_min();
  const float x[] = {infinity, 1.0f, -infinity, 3e38f, denormal, denormal, 3e38f, 3e38f};
  float y[4];
  table().gemm_f32(x, 2, 4, 2, packed.data(), 1, nullptr, y, 1);
  EXPECT_EQ(y[0], infinity);
  EXPECT_EQ(y[1], -infinity);
  EXPECT_EQ(y[2], 2 * denormal);
  EXPECT_EQ(y[3], infinity);
}

TEST_P(GemmF32Test, IsWithinTheRoundingOfItsChain) {
  const int64_t rows = 7, n = 37, k = 300;
  const std::vector<float> plain = random_weights(n, k);
  std::vector<float> packed(static_cast<size_t>(numerics::padded_columns(n) * k));
  pack_f32(plain.data(), n, k, packed.data());
  GuardedMatrix x(rows, k, k), bias(1, n, n), y(rows, n, n);
  x.fill(random_);
  bias.fill(random_);
  table().gemm_f32(x.data(), k, rows, k, packed.data(), n, bias.data(), y.data(), n);
  for (int64_t m = 0; m < rows; ++m) {
    for (int64_t i = 0; i < n; ++i) {
      double sum = bias[i], norm = std::fabs(sum);
      for (int64_t kk = 0; kk < k; ++kk) {
        const double product = static_cast<double>(x[m * k + kk]) * plain[static_cast<size_t>(i * k + kk)];
        sum += product;
        norm += std::fabs(product);
      }
      EXPECT_NEAR(y[m * n + i], sum, std::ldexp(static_cast<double>(k) * norm, -24));
    }
  }
}

LITENAT_INSTANTIATE_FOR_TABLES(GemmF32Test);

}  // namespace
}  // namespace litenat::kernels
