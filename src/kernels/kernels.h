// The CPU kernels: one table of functions per instruction set, picked once at run time.
//
// Every function of every table gives the same bits: integers are exact; floating point follows one
// order of operations (16 virtual lanes, explicit fused multiply-adds, our own exp and erf), which the
// scalar table spells out. Matrices are row-major, `*_stride` counts elements between rows; pointers need
// the alignment of their element only; rows or columns may be 0. No function allocates, throws, or reads or writes
// outside its arguments. Infinities and denormals are values like others; the bits of a result that is NaN are
// unspecified.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "numerics/quantization.h"

namespace litenat::kernels {

enum class Isa { kScalar, kAvx2, kAvx512Vnni, kNeon, kNeonDotprod };
const char* name_of(Isa isa);  // "scalar", "avx2", "avx512_vnni", "neon", "neon_dotprod"

/// How the activations of one row were quantised.
struct RowQuantization {
  float scale;
  int32_t zero;
};

/// An int8 weight matrix [n, k] as the file holds it.
struct PackedWeights {
  const int8_t* packed = nullptr;       // numerics::packed_size(n, k) bytes, order "k4n16"
  const float* scale = nullptr;         // [n]
  const int32_t* column_sum = nullptr;  // [n], never null: the bare integers need it too on some instruction sets
  const float* bias = nullptr;          // [n] or null
  int64_t n = 0;
  int64_t k = 0;
};

struct Kernels {
  Isa isa;

  /// Rows of x [rows, columns] to u8, each with its own scale and zero from its minimum and maximum
  /// (numerics::activation_quantization). q has `q_stride` >= padded_depth(columns) bytes a row; the
  /// padding is set to 0.
  void (*quantize_rows_dynamic)(const float* x, int64_t x_stride, int64_t rows, int64_t columns, uint8_t* q,
                                int64_t q_stride, RowQuantization* row);
  /// The same with one given pair for all rows.
  void (*quantize_rows_static)(const float* x, int64_t x_stride, int64_t rows, int64_t columns,
                               numerics::ActivationQuantization params, uint8_t* q, int64_t q_stride,
                               RowQuantization* row);

  /// acc[m, n] = sum_k q[m, k] w[n, k]: the bare integers (tests, QAT checks).
  void (*gemm_u8s8_s32)(const uint8_t* q, int64_t q_stride, int64_t rows, const PackedWeights& w, int32_t* acc,
                        int64_t acc_stride);
  /// y = dequantised product plus bias, as numerics/quantization.h defines it.
  void (*gemm_u8s8_f32)(const uint8_t* q, int64_t q_stride, const RowQuantization* row, int64_t rows,
                        const PackedWeights& w, float* y, int64_t y_stride);
  /// y[m, n] = bias[n] + sum_k x[m, k] w[n, k], a chain of fused multiply-adds over ascending k that starts
  /// at the bias (0 when null). w is packed in panels of 16 columns: w_packed[(n / 16 * k + kk) * 16 + n % 16],
  /// columns padded to 16 with zeros (pack_f32).
  void (*gemm_f32)(const float* x, int64_t x_stride, int64_t rows, int64_t k, const float* w_packed, int64_t n,
                   const float* bias, float* y, int64_t y_stride);

  /// y = (x - mean) / sqrt(variance + epsilon) * gain + bias over each row; variance is the mean squared
  /// deviation. x and y may be the same.
  void (*layer_norm)(const float* x, int64_t x_stride, int64_t rows, int64_t columns, const float* gain,
                     const float* bias, float epsilon, float* y, int64_t y_stride);
  /// y = x + z, elementwise; y may be x or z.
  void (*add)(const float* x, int64_t x_stride, const float* z, int64_t z_stride, int64_t rows, int64_t columns,
              float* y, int64_t y_stride);
  void (*relu)(const float* x, int64_t x_stride, int64_t rows, int64_t columns, float* y, int64_t y_stride);
  /// x * Phi(x), within 2e-6 of the exact value (absolute, for |x| <= 10).
  void (*gelu)(const float* x, int64_t x_stride, int64_t rows, int64_t columns, float* y, int64_t y_stride);
  /// y[:, c] = x[:, c] * sigmoid(x[:, columns + c]), c < columns; x has 2 * columns columns.
  void (*glu)(const float* x, int64_t x_stride, int64_t rows, int64_t columns, float* y, int64_t y_stride);
  /// Softmax over each consecutive group of `group` columns (columns = groups * group); y may be x. A column that
  /// lies more than 87 below the largest of its group gives exactly 0; a group must not be -infinity throughout.
  void (*softmax_groups)(const float* x, int64_t x_stride, int64_t rows, int64_t groups, int64_t group, float* y,
                         int64_t y_stride);
  /// One sentence of `rows` rows: y[t, c] = sum_k taps[(t *) heads * kernel + c / (channels / heads) * kernel + k]
  /// * x[t + k - pad_left, c]; rows outside are 0. taps_stride = 0: the same taps for every row (lightweight);
  /// else taps of row t at taps + t * taps_stride (dynamic, already soft-maxed). y must not overlap x.
  void (*conv)(const float* x, int64_t x_stride, int64_t rows, int64_t channels, const float* taps, int64_t taps_stride,
               int heads, int kernel, int pad_left, float* y, int64_t y_stride);
  /// log(sum(exp(x))), shifted by the largest value, of x[index[0..count)]: the normaliser over a candidate set.
  /// -infinity when count is 0; NaN when one of them is NaN and none is infinite.
  float (*log_sum_exp_gather)(const float* x, const int32_t* index, int64_t count);
  /// The same of x[0..count): the bits of log_sum_exp_gather over the indices 0, 1, ....
  float (*log_sum_exp)(const float* x, int64_t count);
  /// y[i] = largest of x[i group .. (i + 1) group), the last group ending at `count`; y has ceil(count / group) values.
  void (*max_groups)(const float* x, int64_t count, int64_t group, float* y);
  /// s[i] = dot(a, b[i]) for count rows of b (CRF transitions), 16 lanes then a fixed tree.
  void (*dot_rows)(const float* a, const float* b, int64_t b_stride, int64_t count, int64_t columns, float* s);

  // One row against `count` rows that lie anywhere: row i is rows[i] + offset, [heads * width]. What a decoder that
  // works step by step needs.
  /// s[h * s_stride + i] = dot(q, row i) over the columns of head h, in the order of dot_rows.
  void (*dot_heads)(const float* q, const float* const* rows, int64_t offset, int64_t count, int heads, int64_t width,
                    float* s, int64_t s_stride);
  /// y[c] = sum_i weights[c / width * weights_stride + i] * row i[c], a chain of fused multiply-adds over ascending i
  /// that starts at 0, as in conv and gemm_f32. y overlaps no row.
  void (*sum_heads)(const float* const* rows, int64_t offset, int64_t count, const float* weights,
                    int64_t weights_stride, int heads, int64_t width, float* y);
};

/// The table this process uses: the best the CPU has, or the one that the environment variable
/// LITENAT_FORCE_ISA names. Chosen at the first call. A forced name that is unknown, not built or not
/// supported by this CPU is an error (never a silent fall-back).
Result<const Kernels*> kernels();
/// The table of `isa`, or kUnsupported with the reason. For tests and benchmarks.
Result<const Kernels*> kernels_for(Isa isa);
/// Every table that this build has and this CPU can run, scalar first.
const Kernels* const* available_kernels(int* count);
/// "avx2 fma avx512_vnni ...": features that matter here, for --version.
const char* cpu_features();

/// Packs a row-major [n, k] matrix for gemm_f32; `out` has padded_columns(n) * k floats.
void pack_f32(const float* w, int64_t n, int64_t k, float* out);
/// Packs quantised weights q [n, k] row-major, each in [-127, 127], into order "k4n16"; `out` has packed_size(n, k)
/// bytes.
void pack_s8(const int8_t* q, int64_t n, int64_t k, int8_t* out);

}  // namespace litenat::kernels
