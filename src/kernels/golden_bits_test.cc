// The same bits not only on every instruction set of one machine but on every machine: hashes of what the kernels make
// of inputs that come from integers alone.
#include "kernels/kernel_testing.h"

namespace litenat::kernels {
namespace {

class GoldenBitsTest : public TableTest {
 protected:
  static constexpr int64_t kRows = 5, kColumns = 37;

  void SetUp() override {
    for (float& v : x_) v = next();
    for (float& v : z_) v = next();
  }

  /// The next of a sequence of floats in [-8, 8), by Knuth's 64-bit linear congruential generator.
  float next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<float>(static_cast<int32_t>(state_ >> 40) - (1 << 23)) * 0x1p-20f;
  }

  /// FNV-1a over the bytes of the result.
  template <class T>
  static uint64_t hash(const std::vector<T>& values) {
    uint64_t h = 14695981039346656037u;
    const auto* bytes = reinterpret_cast<const unsigned char*>(values.data());
    for (size_t i = 0; i < values.size() * sizeof(T); ++i) h = (h ^ bytes[i]) * 1099511628211u;
    return h;
  }

  uint64_t state_ = 1;
  std::vector<float> x_ = std::vector<float>(kRows * kColumns * 2);
  std::vector<float> z_ = std::vector<float>(kRows * kColumns * 2);
  std::vector<float> y_ = std::vector<float>(kRows * kColumns);
};

TEST_P(GoldenBitsTest, RowwiseKernels) {
  const int64_t n = kColumns;
  table().layer_norm(x_.data(), n, kRows, n, z_.data(), z_.data() + n, 1e-5f, y_.data(), n);
  EXPECT_EQ(hash(y_), 0x6a4b60673f9bac6fu) << "layer_norm";
  table().gelu(x_.data(), n, kRows, n, y_.data(), n);
  EXPECT_EQ(hash(y_), 0xb700cfea9777907au) << "gelu";
  table().glu(x_.data(), 2 * n, kRows, n, y_.data(), n);
  EXPECT_EQ(hash(y_), 0x03330ee8a914f88cu) << "glu";
  table().softmax_groups(x_.data(), n, kRows, 1, n, y_.data(), n);
  EXPECT_EQ(hash(y_), 0x238095b4597217d8u) << "softmax_groups";
  table().conv(x_.data(), n, kRows, 36, z_.data(), 12, 4, 3, 1, y_.data(), n);
  EXPECT_EQ(hash(y_), 0x38ebe81383fa52d1u) << "conv";
  table().dot_rows(x_.data(), z_.data(), n, kRows, n, y_.data());
  EXPECT_EQ(hash(y_), 0x86fef5329a535a17u) << "dot_rows";
  std::vector<int32_t> index;
  for (int32_t i = 0; i < 50; ++i) index.push_back(i * 7);
  EXPECT_EQ(hash(std::vector<float>{table().log_sum_exp_gather(x_.data(), index.data(), 50)}), 0x2b3cbd8ce9ab702fu)
      << "log_sum_exp_gather";
  EXPECT_EQ(hash(std::vector<float>{table().log_sum_exp(x_.data(), 50)}), 0xa4aebb5f25d86a66u) << "log_sum_exp";
}

TEST_P(GoldenBitsTest, HeadKernels) {
  const float* rows[kRows];
  for (int64_t i = 0; i < kRows; ++i) rows[i] = z_.data() + i * kColumns;
  table().dot_heads(x_.data(), rows, 1, kRows, 2, 18, y_.data(), kRows);
  EXPECT_EQ(hash(y_), 0x6fdf3d25e41509a6u) << "dot_heads";
  table().sum_heads(rows, 1, kRows, x_.data(), kRows, 2, 18, y_.data());
  EXPECT_EQ(hash(y_), 0xb9ba71273ad930e6u) << "sum_heads";
}

TEST_P(GoldenBitsTest, Products) {
  const int64_t k = kColumns, n = 24, padded = numerics::padded_depth(k);
  std::vector<float> packed(static_cast<size_t>(numerics::padded_columns(n) * k));
  std::vector<float> weights(static_cast<size_t>(n * k)), y(static_cast<size_t>(kRows * n));
  for (float& v : weights) v = next();
  pack_f32(weights.data(), n, k, packed.data());
  table().gemm_f32(x_.data(), k, kRows, k, packed.data(), n, z_.data(), y.data(), n);
  EXPECT_EQ(hash(y), 0xd1c971563653025au) << "gemm_f32";

  std::vector<uint8_t> q(static_cast<size_t>(kRows * padded));
  std::vector<RowQuantization> row(kRows);
  table().quantize_rows_dynamic(x_.data(), k, kRows, k, q.data(), padded, row.data());
  EXPECT_EQ(hash(q), 0xa49c3a30e4c4a3fdu) << "quantize_rows_dynamic";
  std::vector<int8_t> q_w;
  std::vector<int32_t> column_sum(static_cast<size_t>(n));
  for (int64_t i = 0; i < n * k; ++i) {
    q_w.push_back(static_cast<int8_t>(next() * 15.0f));
    column_sum[static_cast<size_t>(i / k)] += q_w.back();
  }
  std::vector<int8_t> packed_s8(static_cast<size_t>(numerics::packed_size(n, k)));
  pack_s8(q_w.data(), n, k, packed_s8.data());
  const std::vector<float> scale(static_cast<size_t>(n), 0.0123f);
  const PackedWeights w{packed_s8.data(), scale.data(), column_sum.data(), z_.data(), n, k};
  table().gemm_u8s8_f32(q.data(), padded, row.data(), kRows, w, y.data(), n);
  EXPECT_EQ(hash(y), 0xb748c8f51d1bfffdu) << "gemm_u8s8_f32";
}

LITENAT_INSTANTIATE_FOR_TABLES(GoldenBitsTest);

}  // namespace
}  // namespace litenat::kernels
