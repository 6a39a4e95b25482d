#include "runtime/attention.h"

#include <algorithm>
#include <cmath>

namespace litenat::runtime {
namespace {

using numerics::kPanelColumns;

/// The matrix x [rows, columns] as the weights [n = rows, k = columns] of gemm_f32.
void pack_rows(Rows x, int64_t rows, int64_t columns, float* out) {
  std::fill_n(out, numerics::padded_columns(rows) * columns, 0.0f);
  for (int64_t row = 0; row < rows; ++row) {
    float* panel = out + row / kPanelColumns * columns * kPanelColumns + row % kPanelColumns;
    for (int64_t column = 0; column < columns; ++column)
      panel[column * kPanelColumns] = x.data[row * x.stride + column];
  }
}

/// The transposed matrix x [rows, columns]^T as the weights [n = columns, k = rows] of gemm_f32.
void pack_columns(Rows x, int64_t rows, int64_t columns, float* out) {
  for (int64_t first = 0; first < columns; first += kPanelColumns) {
    const int64_t width = std::min<int64_t>(kPanelColumns, columns - first);
    for (int64_t row = 0; row < rows; ++row, out += kPanelColumns) {
      std::copy_n(x.data + row * x.stride + first, width, out);
      std::fill_n(out + width, kPanelColumns - width, 0.0f);
    }
  }
}

void softmax_causal(const kernels::Kernels& kernels, float* scores, int64_t rows) {
  for (int64_t row = 0; row < rows; ++row) {
    float* line = scores + row * rows;
    kernels.softmax_groups(line, rows, 1, 1, row + 1, line, rows);
    std::fill(line + row + 1, line + rows, 0.0f);
  }
}

}  // namespace

Status SelfAttention::reserve(int64_t rows, int64_t head_dim) {
  const int64_t packed = std::max(numerics::padded_columns(rows) * head_dim, numerics::padded_columns(head_dim) * rows);
  LITENAT_RETURN_IF_ERROR(query_.reserve(rows * head_dim));
  LITENAT_RETURN_IF_ERROR(packed_.reserve(packed));
  return scores_.reserve(rows * rows);
}

Status SelfAttention::run(const kernels::Kernels& kernels, Rows q, Rows k, Rows v, int64_t rows, int64_t columns,
                          int heads, bool causal, float* y, int64_t y_stride) {
  const int64_t head_dim = columns / heads;
  LITENAT_RETURN_IF_ERROR(reserve(rows, head_dim));
  const float scale = 1.0f / std::sqrt(static_cast<float>(head_dim));
  float* scores = scores_.data();
  for (int64_t first = 0; first < columns; first += head_dim) {
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t c = 0; c < head_dim; ++c)
        query_.data()[row * head_dim + c] = q.data[row * q.stride + first + c] * scale;
    pack_rows({k.data + first, k.stride}, rows, head_dim, packed_.data());
    kernels.gemm_f32(query_.data(), head_dim, rows, head_dim, packed_.data(), rows, nullptr, scores, rows);
    if (causal)
      softmax_causal(kernels, scores, rows);
    else
      kernels.softmax_groups(scores, rows, rows, 1, rows, scores, rows);
    pack_columns({v.data + first, v.stride}, rows, head_dim, packed_.data());
    kernels.gemm_f32(scores, rows, rows, rows, packed_.data(), head_dim, nullptr, y + first, y_stride);
  }
  return {};
}

}  // namespace litenat::runtime
