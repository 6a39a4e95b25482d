#include <cmath>
#include <memory>

#include "kernels/kernel_testing.h"

namespace litenat::kernels {
namespace {

/// Rows that lie apart from each other, each at the edge of accessible memory, in an order of their own.
class HeadsTest : public TableTest {
 protected:
  void make_rows(int64_t count, int64_t columns, int64_t offset, Edge edge) {
    rows_.clear();
    pointers_.clear();
    for (int64_t i = 0; i < count; ++i) {
      rows_.push_back(std::make_unique<GuardedMatrix>(1, columns, columns, edge));
      rows_.back()->fill(random_);
      pointers_.insert(i % 2 == 0 ? pointers_.end() : pointers_.begin(), rows_.back()->data() - offset);
    }
  }
  const float* row(int64_t i, int64_t offset) const { return pointers_[static_cast<size_t>(i)] + offset; }

  std::vector<std::unique_ptr<GuardedMatrix>> rows_;
  std::vector<const float*> pointers_;
};

TEST_P(HeadsTest, DotHeadsEqualsDotRows) {
  for (int64_t width = 0; width <= 65; ++width)
    for (int heads : {1, 3})
      for (int64_t count : {0, 1, 5}) {
        const int64_t columns = heads * width, offset = width % 7;
        make_rows(count, columns, offset, width % 2 == 0 ? Edge::kFront : Edge::kBack);
        GuardedMatrix q(1, columns, columns);
        q.fill(random_);
        const int64_t stride = count + 2;
        GuardedMatrix s(heads, count, stride), expected(heads, count, stride);
        table().dot_heads(q.data(), pointers_.data(), offset, count, heads, width, s.data(), stride);
        for (int h = 0; h < heads; ++h)
          for (int64_t i = 0; i < count; ++i)
            scalar().dot_rows(q.data() + h * width, row(i, offset) + h * width, 0, 1, width,
                              expected.data() + h * stride + i);
        ASSERT_TRUE(s.same_bits(expected)) << "width " << width << " heads " << heads << " count " << count;
      }
}

/// One chain of fused multiply-adds a channel, whatever the width of a head.
TEST_P(HeadsTest, SumHeadsEqualsTheChain) {
  for (int64_t width = 0; width <= 130; ++width)
    for (int heads : {1, 3, 17})
      for (int64_t count : {0, 1, 4}) {
        if (width > 65 && heads > 1) continue;
        const int64_t columns = heads * width, offset = width % 5, stride = count + 1;
        make_rows(count, columns, offset, width % 2 == 0 ? Edge::kFront : Edge::kBack);
        GuardedMatrix weights(heads, count, stride), y(1, columns, columns), expected(1, columns, columns);
        weights.fill(random_);
        table().sum_heads(pointers_.data(), offset, count, weights.data(), stride, heads, width, y.data());
        for (int64_t c = 0; c < columns; ++c) {
          float sum = 0;
          for (int64_t i = 0; i < count; ++i) sum = std::fma(weights[c / width * stride + i], row(i, offset)[c], sum);
          expected[c] = sum;
        }
        ASSERT_TRUE(y.same_bits(expected)) << "width " << width << " heads " << heads << " count " << count;
      }
}

TEST_P(HeadsTest, SumHeadsEqualsConvOfTheLastRow) {
  for (const int64_t width : {1, 6, 20, 64})
    for (const int kernel : {1, 3, 31}) {
      const int heads = 5;
      const int64_t columns = heads * width;
      make_rows(kernel, columns, 0, Edge::kBack);
      GuardedMatrix taps(heads, kernel, kernel), x(kernel, columns, columns), y(kernel, columns, columns);
      GuardedMatrix last(1, columns, columns);
      taps.fill(random_);
      for (int64_t i = 0; i < kernel; ++i) std::copy_n(row(i, 0), columns, x.data() + i * columns);
      table().conv(x.data(), columns, kernel, columns, taps.data(), 0, heads, kernel, kernel - 1, y.data(), columns);
      table().sum_heads(pointers_.data(), 0, kernel, taps.data(), kernel, heads, width, last.data());
      EXPECT_EQ(std::memcmp(last.data(), y.data() + (kernel - 1) * columns, last.size() * sizeof(float)), 0)
          << "width " << width << " kernel " << kernel;
    }
}

LITENAT_INSTANTIATE_FOR_TABLES(HeadsTest);

}  // namespace
}  // namespace litenat::kernels
