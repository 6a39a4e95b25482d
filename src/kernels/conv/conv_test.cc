#include <cmath>

#include "kernels/kernel_testing.h"

namespace litenat::kernels {
namespace {

struct Shape {
  int64_t rows;
  int heads;
  int64_t width;  // channels of a head
  int kernel;
  int pad_left;
};

class ConvTest : public TableTest {
 protected:
  void expect_equal(const Shape& s, bool dynamic, Edge edge) {
    const int64_t channels = s.heads * s.width, stride = channels + 3, taps = s.heads * s.kernel;
    const int64_t taps_stride = dynamic ? taps + 1 : 0;
    GuardedMatrix x(s.rows, channels, stride, edge), w(dynamic ? s.rows : 1, taps, taps_stride, edge);
    x.fill(random_);
    w.fill(random_);
    GuardedMatrix y(s.rows, channels, stride, edge), expected(s.rows, channels, stride, edge);
    const auto run = [&](const Kernels& t, float* to) {
      t.conv(x.data(), stride, s.rows, channels, w.data(), taps_stride, s.heads, s.kernel, s.pad_left, to, stride);
    };
    run(table(), y.data());
    run(scalar(), expected.data());
    EXPECT_TRUE(y.same_bits(expected)) << "rows " << s.rows << " heads " << s.heads << " width " << s.width
                                       << " kernel " << s.kernel << " pad_left " << s.pad_left;
  }
};

TEST_P(ConvTest, EqualsScalarAtEveryWidthOfAHead) {
  for (int64_t width = 0; width <= 129; ++width) {
    for (bool dynamic : {false, true}) {
      expect_equal({4, 2, width, 3, 1}, dynamic, width % 2 == 0 ? Edge::kBack : Edge::kFront);
    }
  }
}

TEST_P(ConvTest, EqualsScalarForEveryPadding) {
  for (int64_t rows = 0; rows <= 9; ++rows) {
    for (int kernel : {1, 2, 3, 5, 15}) {
      for (int pad_left = 0; pad_left <= kernel + 1; ++pad_left) {
        for (bool dynamic : {false, true}) expect_equal({rows, 3, 20, kernel, pad_left}, dynamic, Edge::kBack);
      }
    }
  }
}

TEST_P(ConvTest, EqualsScalarForNarrowHeads) {
  for (int64_t width : {1, 2, 5, 15}) {
    for (int heads : {1, 15, 16, 17, 33}) {
      for (int kernel : {1, 3, 16, 17, 40}) {
        for (bool dynamic : {false, true}) expect_equal({21, heads, width, kernel, kernel / 2}, dynamic, Edge::kBack);
      }
    }
  }
}

/// One chain of fused multiply-adds a channel, whatever the width of a head: the bits of the definition in that order.
TEST_P(ConvTest, EqualsTheChainBitForBit) {
  for (const Shape& s : {Shape{23, 37, 1, 3, 1}, Shape{23, 37, 1, 15, 7}, Shape{23, 19, 1, 33, 32},
                         Shape{9, 20, 1, 40, 0}, Shape{23, 7, 6, 5, 2}, Shape{23, 3, 20, 17, 8}}) {
    const int64_t channels = s.heads * s.width;
    GuardedMatrix x(s.rows, channels, channels), w(s.heads, s.kernel, s.kernel), y(s.rows, channels, channels);
    x.fill(random_);
    w.fill(random_);
    table().conv(x.data(), channels, s.rows, channels, w.data(), 0, s.heads, s.kernel, s.pad_left, y.data(), channels);
    GuardedMatrix expected(s.rows, channels, channels);
    for (int64_t t = 0; t < s.rows; ++t) {
      for (int64_t c = 0; c < channels; ++c) {
        float sum = 0;
        for (int64_t k = 0; k < s.kernel; ++k) {
          const int64_t from = t + k - s.pad_left;
          if (from < 0 || from >= s.rows) continue;
          sum = std::fma(w[c / s.width * s.kernel + k], x[from * channels + c], sum);
        }
        expected[t * channels + c] = sum;
      }
    }
    EXPECT_TRUE(y.same_bits(expected)) << "heads " << s.heads << " width " << s.width << " kernel " << s.kernel;
  }
}

TEST_P(ConvTest, EqualsTheDefinition) {
  const int64_t rows = 12, channels = 40, width = 10;
  const int heads = 4, kernel = 7, pad_left = 3, taps = heads * kernel;
  GuardedMatrix x(rows, channels, channels), w(rows, taps, taps), y(rows, channels, channels);
  x.fill(random_);
  w.fill(random_);
  table().conv(x.data(), channels, rows, channels, w.data(), taps, heads, kernel, pad_left, y.data(), channels);
  for (int64_t t = 0; t < rows; ++t) {
    for (int64_t c = 0; c < channels; ++c) {
      double sum = 0, norm = 0;
      for (int64_t k = 0; k < kernel; ++k) {
        const int64_t from = t + k - pad_left;
        if (from < 0 || from >= rows) continue;
        const double product = static_cast<double>(w[t * taps + c / width * kernel + k]) * x[from * channels + c];
        sum += product;
        norm += std::fabs(product);
      }
      EXPECT_NEAR(y[t * channels + c], sum, std::ldexp(kernel * norm, -24));
    }
  }
}

LITENAT_INSTANTIATE_FOR_TABLES(ConvTest);

}  // namespace
}  // namespace litenat::kernels
