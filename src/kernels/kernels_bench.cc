// Speed of the kernels, per table, beside the peak of this core in the same run: a loop of nothing but the table's
// multiply-accumulate instruction on registers. A multiplication and an addition count as two operations.
//
//   kernels_bench --benchmark_filter='gemm_u8s8/.*'
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "kernels/kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace litenat::kernels {
namespace {

using benchmark::Counter;
using benchmark::State;

void report_operations(State& state, double per_iteration) {
  state.counters["GOPS"] = Counter(per_iteration * 1e-9, Counter::kIsIterationInvariantRate);
}

std::vector<float> random_floats(int64_t count) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> x(static_cast<size_t>(count));
  for (float& v : x) v = normal(random);
  return x;
}

/// As in a mapped model file: 64-byte aligned.
struct CacheLine {
  alignas(64) int8_t bytes[64];
};

/// A quantised layer [dim, dim] and `rows` inputs of it.
struct Int8Layer {
  std::vector<CacheLine> packed;
  std::vector<float> scale, bias, y;
  std::vector<int32_t> column_sum;
  std::vector<uint8_t> q;
  std::vector<RowQuantization> row;
  PackedWeights view;

  Int8Layer(int64_t rows, int64_t dim)
      : packed(static_cast<size_t>(numerics::packed_size(dim, dim)) / sizeof(CacheLine)),
        scale(static_cast<size_t>(dim), 0.01f),
        bias(static_cast<size_t>(dim), 0.5f),
        y(static_cast<size_t>(rows * dim)),
        column_sum(static_cast<size_t>(dim)),
        q(static_cast<size_t>(rows * numerics::padded_depth(dim))),
        row(static_cast<size_t>(rows), RowQuantization{0.02f, 128}) {
    std::mt19937 random(1);
    std::vector<int8_t> plain(static_cast<size_t>(dim * dim));
    for (size_t i = 0; i < plain.size(); ++i) {
      plain[i] = static_cast<int8_t>(static_cast<int>(random() % 255) - 127);
      column_sum[i / static_cast<size_t>(dim)] += plain[i];
    }
    for (uint8_t& a : q) a = static_cast<uint8_t>(random());
    pack_s8(plain.data(), dim, dim, packed.data()->bytes);
    view = {packed.data()->bytes, scale.data(), column_sum.data(), bias.data(), dim, dim};
  }
};

void gemm_u8s8(State& state, const Kernels* table) {
  const int64_t dim = state.range(0), rows = state.range(1);
  Int8Layer layer(rows, dim);
  for (auto _ : state) {
    table->gemm_u8s8_f32(layer.q.data(), dim, layer.row.data(), rows, layer.view, layer.y.data(), dim);
    benchmark::ClobberMemory();
  }
  report_operations(state, 2.0 * static_cast<double>(rows * dim * dim));
}

void gemm_f32(State& state, const Kernels* table) {
  const int64_t dim = state.range(0), rows = state.range(1);
  const std::vector<float> x = random_floats(rows * dim), w = random_floats(dim * dim), bias = random_floats(dim);
  std::vector<float> packed(w.size()), y(x.size());
  pack_f32(w.data(), dim, dim, packed.data());
  for (auto _ : state) {
    table->gemm_f32(x.data(), dim, rows, dim, packed.data(), dim, bias.data(), y.data(), dim);
    benchmark::ClobberMemory();
  }
  report_operations(state, 2.0 * static_cast<double>(rows * dim * dim));
}

/// Elements a second of a kernel f(x, columns, y) on 16 rows of `columns`.
template <class Function>
void rowwise(State& state, Function f) {
  const int64_t columns = state.range(0), rows = 16;
  const std::vector<float> x = random_floats(rows * columns * 2);
  std::vector<float> y(static_cast<size_t>(rows * columns * 2));
  for (auto _ : state) {
    f(x.data(), rows, columns, y.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * rows * columns);
}

void layer_norm(State& state, const Kernels* table) {
  const std::vector<float> gain = random_floats(state.range(0));
  rowwise(state, [&](const float* x, int64_t rows, int64_t columns, float* y) {
    table->layer_norm(x, columns, rows, columns, gain.data(), gain.data(), 1e-5f, y, columns);
  });
}

void gelu(State& state, const Kernels* table) {
  rowwise(state, [&](const float* x, int64_t rows, int64_t columns, float* y) {
    table->gelu(x, columns, rows, columns, y, columns);
  });
}

void glu(State& state, const Kernels* table) {
  rowwise(state, [&](const float* x, int64_t rows, int64_t columns, float* y) {
    table->glu(x, 2 * columns, rows, columns, y, columns);
  });
}

void softmax_of_taps(State& state, const Kernels* table) {
  rowwise(state, [&](const float* x, int64_t rows, int64_t columns, float* y) {
    table->softmax_groups(x, columns, rows, columns / 15, 15, y, columns);
  });
}

void conv_of_15_taps(State& state, const Kernels* table) {
  const std::vector<float> taps = random_floats(8 * 15);
  rowwise(state, [&](const float* x, int64_t rows, int64_t columns, float* y) {
    table->conv(x, columns, rows, columns, taps.data(), 0, 8, 15, 7, y, columns);
  });
}

void depthwise_conv_of_7_taps(State& state, const Kernels* table) {
  const std::vector<float> taps = random_floats(state.range(0) * 7);
  rowwise(state, [&](const float* x, int64_t rows, int64_t columns, float* y) {
    table->conv(x, columns, rows, columns, taps.data(), 0, static_cast<int>(columns), 7, 3, y, columns);
  });
}

void quantize_rows(State& state, const Kernels* table) {
  std::vector<uint8_t> q(static_cast<size_t>(16 * state.range(0)));
  std::vector<RowQuantization> row(16);
  rowwise(state, [&](const float* x, int64_t rows, int64_t columns, float*) {
    table->quantize_rows_dynamic(x, columns, rows, columns, q.data(), columns, row.data());
  });
}

#if defined(__x86_64__)

constexpr int kChains = 12;   // enough to hide the latency of each instruction below
constexpr int kSteps = 1000;  // instructions of each chain

// The empty asm hides that an operand stays the same, or the compiler would multiply only once.
#define LITENAT_PEAK_LOOP(name, features, Vector, zero, step)                                            \
  __attribute__((target(features))) void name() {                                                        \
    Vector sum[kChains], a = zero, b = zero;                                                             \
    _Pragma("GCC unroll 12") for (int i = 0; i < kChains; ++i) sum[i] = zero;                            \
    for (int s = 0; s < kSteps; ++s) {                                                                   \
      _Pragma("GCC unroll 12") for (int i = 0; i < kChains; ++i) {                                       \
        __asm__ volatile("" : "+v"(a), "+v"(b));                                                         \
        sum[i] = step;                                                                                   \
      }                                                                                                  \
    }                                                                                                    \
    _Pragma("GCC unroll 12") for (int i = 0; i < kChains; ++i) { __asm__ volatile("" : : "v"(sum[i])); } \
  }

LITENAT_PEAK_LOOP(peak_vnni, "avx512f,avx512vnni", __m512i, _mm512_setzero_si512(), _mm512_dpbusd_epi32(sum[i], a, b))
LITENAT_PEAK_LOOP(peak_avx512_fma, "avx512f", __m512, _mm512_setzero_ps(), _mm512_fmadd_ps(a, b, sum[i]))
LITENAT_PEAK_LOOP(peak_avx2_words, "avx2", __m256i, _mm256_setzero_si256(),
                  _mm256_add_epi32(sum[i], _mm256_madd_epi16(a, b)))
LITENAT_PEAK_LOOP(peak_avx2_fma, "avx2,fma", __m256, _mm256_setzero_ps(), _mm256_fmadd_ps(a, b, sum[i]))

void peak(State& state, void (*loop)(), int multiplications_of_instruction) {
  for (auto _ : state) loop();
  report_operations(state, 2.0 * kChains * kSteps * multiplications_of_instruction);
}

void register_peaks() {
  if (kernels_for(Isa::kAvx2).ok()) {
    benchmark::RegisterBenchmark("peak/avx2_s8", peak, peak_avx2_words, 16);
    benchmark::RegisterBenchmark("peak/avx2_f32", peak, peak_avx2_fma, 8);
  }
  if (kernels_for(Isa::kAvx512Vnni).ok()) {
    benchmark::RegisterBenchmark("peak/avx512_vnni_s8", peak, peak_vnni, 64);
    benchmark::RegisterBenchmark("peak/avx512_vnni_f32", peak, peak_avx512_fma, 16);
  }
}

#else

void register_peaks() {}

#endif

void register_table(const Kernels* table) {
  const auto name = [&](const char* kernel) { return std::string(kernel) + "/" + name_of(table->isa); };
  for (int64_t dim : {256, 512}) {
    for (int64_t rows : {1, 2, 4, 8, 12, 16, 32, 64}) {
      benchmark::RegisterBenchmark(name("gemm_u8s8").c_str(), gemm_u8s8, table)
          ->ArgNames({"D", "M"})
          ->Args({dim, rows});
      benchmark::RegisterBenchmark(name("gemm_f32").c_str(), gemm_f32, table)->ArgNames({"D", "M"})->Args({dim, rows});
    }
  }
  constexpr struct {
    const char* name;
    void (*function)(State&, const Kernels*);
  } kRowwise[] = {{"layer_norm", layer_norm},
                  {"gelu", gelu},
                  {"glu", glu},
                  {"softmax_15", softmax_of_taps},
                  {"conv_15", conv_of_15_taps},
                  {"depthwise_conv_7", depthwise_conv_of_7_taps},
                  {"quantize_rows", quantize_rows}};
  for (const auto& kernel : kRowwise) {
    benchmark::RegisterBenchmark(name(kernel.name).c_str(), kernel.function, table)->ArgName("D")->Arg(480);
  }
}

}  // namespace
}  // namespace litenat::kernels

int main(int argc, char** argv) {
  using namespace litenat::kernels;
  register_peaks();
  int count = 0;
  const Kernels* const* tables = available_kernels(&count);
  for (int i = 0; i < count; ++i) register_table(tables[i]);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::AddCustomContext("cpu_features", cpu_features());
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
