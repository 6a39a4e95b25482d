#include "numerics/quantization.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

namespace litenat::numerics {
namespace {

TEST(ActivationQuantizationTest, RepresentsZeroExactly) {
  const float bounds[][2] = {{-1, 1}, {-3, 7}, {0, 5}, {-5, 0}, {2, 9}, {-9, -2}, {-1e-3f, 1e4f}, {-0.1f, 1e-6f}};
  for (const auto& b : bounds) {
    const ActivationQuantization p = activation_quantization(b[0], b[1]);
    EXPECT_GE(p.zero, 0);
    EXPECT_LE(p.zero, 255);
    EXPECT_EQ(quantize_activation(0.0f, 1.0f / p.scale, p.zero), p.zero);
  }
}

TEST(ActivationQuantizationTest, CoversItsRangeWithinHalfAStep) {
  for (float low : {-100.0f, -1.0f, -0.25f, 0.0f}) {
    for (float high : {0.5f, 3.0f, 1000.0f}) {
      const ActivationQuantization p = activation_quantization(low, high);
      for (int i = 0; i <= 1000; ++i) {
        const float x = low + (high - low) * static_cast<float>(i) / 1000.0f;
        const int q = quantize_activation(x, 1.0f / p.scale, p.zero);
        // The zero point's own rounding shifts the ends of the range by up to half a step more.
        EXPECT_NEAR(p.scale * static_cast<float>(q - p.zero), x, 1.001f * p.scale);
      }
    }
  }
}

TEST(ActivationQuantizationTest, DegenerateRangesGiveScaleOne) {
  for (float bound : {0.0f, -0.0f, 1e-30f, std::numeric_limits<float>::denorm_min()}) {
    const ActivationQuantization p = activation_quantization(-bound, bound);
    EXPECT_EQ(p.scale, 1.0f);
    EXPECT_EQ(p.zero, 0);
  }
}

TEST(ActivationQuantizationTest, KnownPairs) {
  const ActivationQuantization unit = activation_quantization(0.0f, 255.0f);
  EXPECT_EQ(unit.scale, 1.0f);
  EXPECT_EQ(unit.zero, 0);
  const ActivationQuantization symmetric = activation_quantization(-127.5f, 127.5f);
  EXPECT_EQ(symmetric.scale, 1.0f);
  EXPECT_EQ(symmetric.zero, 128);  // 127.5 is a tie: to even
  const ActivationQuantization negative = activation_quantization(-510.0f, -3.0f);
  EXPECT_EQ(negative.scale, 2.0f);
  EXPECT_EQ(negative.zero, 255);
}

TEST(QuantizeActivationTest, RoundsTiesToEven) {
  const float x[] = {0.5f, 1.5f, 2.5f, 3.5f, 0.49999997f, 2.5000002f};
  const int expected[] = {0, 2, 2, 4, 0, 3};
  for (int i = 0; i < 6; ++i) EXPECT_EQ(quantize_activation(x[i], 1.0f, 0), expected[i]) << x[i];
  EXPECT_EQ(quantize_activation(-0.5f, 1.0f, 10), 10);
  EXPECT_EQ(quantize_activation(-1.5f, 1.0f, 10), 8);
}

TEST(QuantizeActivationTest, Saturates) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (int zero : {0, 100, 255}) {
    EXPECT_EQ(quantize_activation(infinity, 1.0f, zero), 255);
    EXPECT_EQ(quantize_activation(1e30f, 1.0f, zero), 255);
    EXPECT_EQ(quantize_activation(-1e30f, 1.0f, zero), 0);
    EXPECT_EQ(quantize_activation(-infinity, 1.0f, zero), 0);
  }
}

TEST(QuantizeWeightTest, IsSymmetricAndSaturatesAt127) {
  const float scale = weight_scale(2.0f);
  EXPECT_EQ(quantize_weight(2.0f, scale), 127);
  EXPECT_EQ(quantize_weight(-2.0f, scale), -127);
  EXPECT_EQ(quantize_weight(-1e9f, scale), -127);
  EXPECT_EQ(quantize_weight(1e9f, scale), 127);
  EXPECT_EQ(quantize_weight(0.0f, scale), 0);
  for (int i = 0; i <= 100; ++i) {
    const float w = 0.02f * static_cast<float>(i);
    EXPECT_EQ(quantize_weight(-w, scale), -quantize_weight(w, scale));
  }
  EXPECT_EQ(quantize_weight(2.5f, 1.0f), 2);
  EXPECT_EQ(quantize_weight(3.5f, 1.0f), 4);
}

TEST(QuantizeWeightTest, AChannelOfZerosHasScaleOne) {
  EXPECT_EQ(weight_scale(0.0f), 1.0f);
  EXPECT_EQ(weight_scale(1e-31f), 1.0f);
}

TEST(PackedIndexTest, IsAOneToOneMapIntoThePackedBytes) {
  const int64_t sizes[][2] = {{1, 1}, {16, 4}, {17, 5}, {33, 19}, {40, 8}};
  for (const auto& size : sizes) {
    std::set<int64_t> seen;
    for (int64_t n = 0; n < size[0]; ++n) {
      for (int64_t k = 0; k < size[1]; ++k) {
        const int64_t index = packed_index(n, k, size[1]);
        EXPECT_GE(index, 0);
        EXPECT_LT(index, packed_size(size[0], size[1]));
        EXPECT_TRUE(seen.insert(index).second) << n << ' ' << k;
      }
    }
  }
}

TEST(PackedIndexTest, KnownPlaces) {
  EXPECT_EQ(packed_index(0, 0, 8), 0);
  EXPECT_EQ(packed_index(0, 3, 8), 3);
  EXPECT_EQ(packed_index(1, 0, 8), 4);
  EXPECT_EQ(packed_index(0, 4, 8), 64);
  EXPECT_EQ(packed_index(16, 0, 8), 128);
  EXPECT_EQ(packed_index(16, 0, 5), 128);  // depth 5 is padded to 8
  EXPECT_EQ(packed_size(0, 7), 0);
  EXPECT_EQ(packed_size(1, 1), 64);
}

}  // namespace
}  // namespace litenat::numerics
