#include "runtime/products.h"

#include <algorithm>

#include "runtime/finite.h"

namespace litenat::runtime {
namespace {

constexpr double kParallelProduct = 4e6;  // multiply-adds below which waking threads costs more than it saves

}  // namespace

Products::Products(const kernels::Kernels& kernels, const Model::Weights& weights, ThreadPool* threads)
    : kernels_(kernels), threads_(threads) {
  for (const Model::LinearWeights& linear : weights.linear)
    if (linear.is_int8) quantized_stride_ = std::max(quantized_stride_, numerics::padded_depth(linear.k));
}

Status Products::begin(int64_t rows) {
  quantized_value_ = -1;
  LITENAT_RETURN_IF_ERROR(quantized_.reserve(rows * quantized_stride_));
  return row_quantization_.reserve(quantized_stride_ == 0 ? 0 : rows);
}

bool Products::run(Rows x, int64_t rows, int value, const Model::LinearWeights& w, float* y, int64_t y_stride) {
  if (w.is_int8 && !quantize(x, rows, value, w)) return false;
  const int64_t panels = numerics::padded_columns(w.n) / numerics::kPanelColumns;
  const bool worth_it = static_cast<double>(rows) * static_cast<double>(w.n * w.k) >= kParallelProduct;
  const int64_t parts = worth_it ? std::min<int64_t>(threads_->num_threads(), panels) : 1;
  threads_->run(static_cast<int>(parts), [&](int part) {
    const int64_t first = panels * part / parts * numerics::kPanelColumns;
    const int64_t end = std::min(w.n, panels * (part + 1) / parts * numerics::kPanelColumns);
    multiply(x, rows, w, first, end - first, y + first, y_stride);
  });
  return true;
}

/// Columns [first, first + count) of a product; `first` is the beginning of a panel.
void Products::multiply(Rows x, int64_t rows, const Model::LinearWeights& w, int64_t first, int64_t count, float* y,
                        int64_t y_stride) const {
  if (!w.is_int8) {
    const float* bias = w.bias == nullptr ? nullptr : w.bias + first;
    kernels_.gemm_f32(x.data, x.stride, rows, w.k, w.packed.data() + first * w.k, count, bias, y, y_stride);
    return;
  }
  kernels::PackedWeights part = w.int8;
  part.packed += first * numerics::padded_depth(w.k);
  part.scale += first;
  part.column_sum += first;
  if (part.bias != nullptr) part.bias += first;
  part.n = count;
  kernels_.gemm_u8s8_f32(quantized_.data(), numerics::padded_depth(w.k), row_quantization_.data(), rows, part, y,
                         y_stride);
}

/// Quantises x as the product with w wants it, unless the last product has done just that.
bool Products::quantize(Rows x, int64_t rows, int value, const Model::LinearWeights& w) {
  const numerics::ActivationQuantization pair = w.is_static ? w.input : numerics::ActivationQuantization{};
  if (quantized_value_ == value && quantized_static_ == w.is_static && quantized_input_.scale == pair.scale &&
      quantized_input_.zero == pair.zero)
    return true;
  for (int64_t row = 0; row < rows; ++row)
    if (!is_finite(x.row(row), w.k)) return false;
  const int64_t stride = numerics::padded_depth(w.k);
  if (w.is_static)
    kernels_.quantize_rows_static(x.data, x.stride, rows, w.k, pair, quantized_.data(), stride,
                                  row_quantization_.data());
  else
    kernels_.quantize_rows_dynamic(x.data, x.stride, rows, w.k, quantized_.data(), stride, row_quantization_.data());
  quantized_value_ = value;
  quantized_static_ = w.is_static;
  quantized_input_ = pair;
  return true;
}

}  // namespace litenat::runtime
