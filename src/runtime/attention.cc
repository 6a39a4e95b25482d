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
    for (int64_t column = 0; column < columns; ++column) panel[column * kPanelColumns] = x.row(row)[column];
  }
}

/// The transposed matrix x [rows, columns]^T as the weights [n = columns, k = rows] of gemm_f32.
void pack_columns(Rows x, int64_t rows, int64_t columns, float* out) {
  for (int64_t first = 0; first < columns; first += kPanelColumns) {
    const int64_t width = std::min<int64_t>(kPanelColumns, columns - first);
    for (int64_t row = 0; row < rows; ++row, out += kPanelColumns) {
      std::copy_n(x.row(row) + first, width, out);
      std::fill_n(out + width, kPanelColumns - width, 0.0f);
    }
  }
}

int64_t packed_keys_size(int64_t rows, int64_t columns) { return numerics::padded_columns(rows) * columns; }
int64_t packed_values_size(int64_t rows, int64_t columns) { return numerics::padded_columns(columns) * rows; }

float default_scale(int64_t head_dim) { return 1.0f / std::sqrt(static_cast<float>(head_dim)); }

void scale_row(const float* x, int64_t columns, float scale, float* y) {
  for (int64_t c = 0; c < columns; ++c) y[c] = x[c] * scale;
}

}  // namespace

int64_t packed_memory_size(int64_t rows, int64_t key_columns, int64_t value_columns, int heads) {
  return heads * (packed_keys_size(rows, key_columns) + packed_values_size(rows, value_columns));
}

PackedMemory pack_memory(Rows k, Rows v, int64_t rows, int64_t key_columns, int64_t value_columns, int heads,
                         float* out) {
  const PackedMemory memory{out, rows, key_columns, value_columns};
  for (int64_t head = 0; head < heads; ++head) {
    pack_rows({k.data + head * key_columns, k.stride}, rows, key_columns, out);
    out += packed_keys_size(rows, key_columns);
    pack_columns({v.data + head * value_columns, v.stride}, rows, value_columns, out);
    out += packed_values_size(rows, value_columns);
  }
  return memory;
}

Status Attention::attend(const kernels::Kernels& kernels, Rows q, int64_t rows, const PackedMemory& memory, int heads,
                         float scale, float* y, int64_t y_stride) {
  const int64_t width = memory.key_columns;
  LITENAT_RETURN_IF_ERROR(query_.reserve(rows * width));
  LITENAT_RETURN_IF_ERROR(scores_.reserve(rows * memory.rows));
  float* scores = scores_.data();
  const float* packed = memory.data;
  for (int64_t head = 0; head < heads; ++head) {
    for (int64_t row = 0; row < rows; ++row)
      scale_row(q.row(row) + head * width, width, scale, query_.data() + row * width);
    kernels.gemm_f32(query_.data(), width, rows, width, packed, memory.rows, nullptr, scores, memory.rows);
    packed += packed_keys_size(memory.rows, width);
    kernels.softmax_groups(scores, memory.rows, rows, 1, memory.rows, scores, memory.rows);
    kernels.gemm_f32(scores, memory.rows, rows, memory.rows, packed, memory.value_columns, nullptr,
                     y + head * memory.value_columns, y_stride);
    packed += packed_values_size(memory.rows, memory.value_columns);
  }
  return {};
}

Status Attention::attend_sentence(const kernels::Kernels& kernels, Rows q, Rows k, Rows v, int64_t rows,
                                  int64_t columns, int heads, bool causal, float* y, int64_t y_stride) {
  if (causal) return attend_causally(kernels, q, k, v, rows, columns, heads, y, y_stride);
  const int64_t head_dim = columns / heads;
  LITENAT_RETURN_IF_ERROR(packed_.reserve(packed_memory_size(rows, head_dim, head_dim, heads)));
  const PackedMemory memory = pack_memory(k, v, rows, head_dim, head_dim, heads, packed_.data());
  return attend(kernels, q, rows, memory, heads, default_scale(head_dim), y, y_stride);
}

Status Attention::attend_causally(const kernels::Kernels& kernels, Rows q, Rows k, Rows v, int64_t rows,
                                  int64_t columns, int heads, float* y, int64_t y_stride) {
  LITENAT_RETURN_IF_ERROR(packed_.reserve(rows * 2 * columns));  // key and value of a row side by side
  keys_.clear();
  for (int64_t row = 0; row < rows; ++row) {
    float* both = packed_.data() + row * 2 * columns;
    std::copy_n(k.row(row), columns, both);
    std::copy_n(v.row(row), columns, both + columns);
    keys_.push_back(both);
  }
  for (int64_t row = 0; row < rows; ++row)
    LITENAT_RETURN_IF_ERROR(
        attend_row(kernels, q.row(row), {keys_.data(), 0, columns, row + 1}, columns, heads, y + row * y_stride));
  return {};
}

Status Attention::attend_row(const kernels::Kernels& kernels, const float* q, const Scattered& memory, int64_t columns,
                             int heads, float* y) {
  const int64_t head_dim = columns / heads;
  const int64_t count = memory.count;
  LITENAT_RETURN_IF_ERROR(query_.reserve(columns));
  LITENAT_RETURN_IF_ERROR(scores_.reserve(heads * count));
  float* scores = scores_.data();
  scale_row(q, columns, default_scale(head_dim), query_.data());
  kernels.dot_heads(query_.data(), memory.rows, memory.key_offset, count, heads, head_dim, scores, count);
  kernels.softmax_groups(scores, heads * count, 1, heads, count, scores, heads * count);
  kernels.sum_heads(memory.rows, memory.value_offset, count, scores, count, heads, head_dim, y);
  return {};
}

}  // namespace litenat::runtime
