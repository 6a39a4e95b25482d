#include "kernels/dispatch.h"

#include <cstdlib>

#include "kernels/cpu_features.h"
#include "kernels/kernel_testing.h"

namespace litenat::kernels {
namespace {

constexpr Isa kAllIsas[] = {Isa::kScalar, Isa::kAvx2, Isa::kAvx512Vnni, Isa::kNeon, Isa::kNeonDotprod};

TEST(DispatchTest, ScalarIsAlwaysThereAndFirst) {
  const std::vector<const Kernels*> tables = all_tables();
  ASSERT_FALSE(tables.empty());
  EXPECT_EQ(tables[0]->isa, Isa::kScalar);
}

TEST(DispatchTest, PrefersTheLastAvailableTable) {
  for (const char* nothing : {static_cast<const char*>(nullptr), ""}) {
    const auto chosen = choose_kernels(nothing);
    ASSERT_TRUE(chosen.ok());
    EXPECT_EQ(chosen.value(), all_tables().back());
  }
}

TEST(DispatchTest, TheProcessUsesWhatTheEnvironmentSays) {
  const auto expected = choose_kernels(std::getenv("LITENAT_FORCE_ISA"));
  const auto actual = kernels();
  ASSERT_EQ(actual.ok(), expected.ok());
  if (expected.ok()) {
    EXPECT_EQ(actual.value(), expected.value());
  }
}

TEST(DispatchTest, EveryTableSaysItsOwnNameAndHasEveryFunction) {
  for (const Kernels* table : all_tables()) {
    const auto forced = choose_kernels(name_of(table->isa));
    ASSERT_TRUE(forced.ok()) << forced.status().message();
    EXPECT_EQ(forced.value(), table);
    EXPECT_EQ(kernels_for(table->isa).value(), table);
    EXPECT_TRUE(table->quantize_rows_dynamic && table->quantize_rows_static && table->gemm_u8s8_s32 &&
                table->gemm_u8s8_f32 && table->gemm_f32 && table->layer_norm && table->add && table->relu &&
                table->gelu && table->glu && table->softmax_groups && table->conv && table->log_sum_exp_gather &&
                table->dot_rows);
  }
}

TEST(DispatchTest, AnUnknownNameIsAnErrorThatListsTheKnownOnes) {
  for (const char* name : {"sse9", "AVX2", "avx2 ", "scalar,avx2"}) {
    const auto forced = choose_kernels(name);
    ASSERT_FALSE(forced.ok()) << name;
    EXPECT_EQ(forced.status().code(), StatusCode::kInvalidArgument);
    EXPECT_NE(forced.status().message().find(name), std::string::npos);
    EXPECT_NE(forced.status().message().find("scalar, avx2, avx512_vnni, neon, neon_dotprod"), std::string::npos);
  }
}

TEST(DispatchTest, ATableThatCannotRunHereIsAnErrorThatSaysWhy) {
  int refused = 0;
  for (Isa isa : kAllIsas) {
    const auto forced = choose_kernels(name_of(isa));
    if (forced.ok()) continue;
    ++refused;
    EXPECT_EQ(forced.status().code(), StatusCode::kUnsupported);
    EXPECT_EQ(forced.status().message().rfind("LITENAT_FORCE_ISA: ", 0), 0u);
    EXPECT_NE(forced.status().message().find(name_of(isa)), std::string::npos);
    EXPECT_FALSE(kernels_for(isa).ok());
  }
  EXPECT_GE(refused, 2);  // no build has both the x86 and the ARM tables
}

TEST(DispatchTest, AvailableTablesAreWhatTheFeaturesAllow) {
  const std::string features = cpu_features();
  const auto has = [&](Isa isa) { return kernels_for(isa).ok(); };
  const auto lists = [&](const char* name) { return (" " + features + " ").find(name) != std::string::npos; };
  EXPECT_EQ(has(Isa::kAvx2), lists(" avx2 ") && lists(" fma "));
  EXPECT_EQ(has(Isa::kNeon), lists(" asimd "));
  EXPECT_EQ(has(Isa::kNeonDotprod), lists(" asimddp "));
  EXPECT_LE(has(Isa::kAvx512Vnni), lists(" avx512_vnni "));
}

/// Names each table that this build has but this CPU cannot run: its tests did not run either.
class TableOfThisBuildTest : public testing::TestWithParam<Isa> {};

TEST_P(TableOfThisBuildTest, IsTestedOnThisCpu) {
  const auto table = kernels_for(GetParam());
  if (!table.ok()) GTEST_SKIP() << table.status().message();
  EXPECT_EQ(table.value()->isa, GetParam());
}

std::vector<Isa> isas_of_this_build() {
#if defined(__x86_64__)
  return {Isa::kScalar, Isa::kAvx2, Isa::kAvx512Vnni};
#elif defined(__aarch64__)
  return {Isa::kScalar, Isa::kNeon, Isa::kNeonDotprod};
#else
  return {Isa::kScalar};
#endif
}

std::string isa_name(const testing::TestParamInfo<Isa>& param) { return name_of(param.param); }

INSTANTIATE_TEST_SUITE_P(Tables, TableOfThisBuildTest, testing::ValuesIn(isas_of_this_build()), isa_name);

TEST(PackTest, FloatPanelsHoldEveryWeightAndZerosElsewhere) {
  const int64_t n = 19, k = 3;
  std::vector<float> w(static_cast<size_t>(n * k));
  for (size_t i = 0; i < w.size(); ++i) w[i] = static_cast<float>(i + 1);
  GuardedArray<float> packed(numerics::padded_columns(n) * k);
  pack_f32(w.data(), n, k, packed.data());
  for (int64_t i = 0; i < 32; ++i) {
    for (int64_t kk = 0; kk < k; ++kk) {
      const float expected = i < n ? w[static_cast<size_t>(i * k + kk)] : 0.0f;
      EXPECT_EQ(packed[(i / 16 * k + kk) * 16 + i % 16], expected);
    }
  }
}

TEST(PackTest, ByteGroupsHoldEveryWeightAndZerosElsewhere) {
  const int64_t n = 19, k = 6;
  std::vector<int8_t> w(static_cast<size_t>(n * k));
  for (size_t i = 0; i < w.size(); ++i) w[i] = static_cast<int8_t>(i + 1);
  GuardedArray<int8_t> packed(numerics::packed_size(n, k));
  pack_s8(w.data(), n, k, packed.data());
  int64_t nonzero = 0;
  for (int8_t b : packed) nonzero += b != 0;
  EXPECT_EQ(nonzero, n * k);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t kk = 0; kk < k; ++kk) {
      EXPECT_EQ(packed[((i / 16 * 2 + kk / 4) * 16 + i % 16) * 4 + kk % 4], w[static_cast<size_t>(i * k + kk)]);
    }
  }
}

}  // namespace
}  // namespace litenat::kernels
