// Multi-head attention of a few rows, composed of the kernels.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/kernels.h"
#include "runtime/aligned_buffer.h"

namespace litenat::runtime {

/// Rows of a value inside a slot.
struct Rows {
  const float* data;
  int64_t stride;
  const float* row(int64_t i) const { return data + i * stride; }
};

/// The keys and values of one sentence as products want them; made once, read by any number of queries.
struct PackedMemory {
  const float* data = nullptr;  // packed_memory_size() values
  int64_t rows = 0;
  int64_t key_columns = 0;  // of a head
  int64_t value_columns = 0;
};
int64_t packed_memory_size(int64_t rows, int64_t key_columns, int64_t value_columns, int heads);
/// k [rows, heads * key_columns], v [rows, heads * value_columns] -> out, head after head: the keys as the weights of
/// one product, the values as those of the next.
PackedMemory pack_memory(Rows k, Rows v, int64_t rows, int64_t key_columns, int64_t value_columns, int heads,
                         float* out);

/// Keeps its scratch memory between calls. Results of a row do not depend on the other rows of a call, bit for bit.
class Attention {
 public:
  /// softmax(scale q m_k^T) m_v head by head: q [rows, heads * key_columns] -> y [rows, heads * value_columns], which
  /// overlaps nothing.
  Status attend(const kernels::Kernels& kernels, Rows q, int64_t rows, const PackedMemory& memory, int heads,
                float scale, float* y, int64_t y_stride);

  /// The same of one sentence: q, k, v [rows, columns] -> y [rows, columns]; scale head_dim^-0.5. causal: row t sees
  /// rows 0 .. t, and gets what attend_row() gives.
  Status attend_sentence(const kernels::Kernels& kernels, Rows q, Rows k, Rows v, int64_t rows, int64_t columns,
                         int heads, bool causal, float* y, int64_t y_stride);

  /// Where the keys and values of earlier rows are: those of row i at rows[i] + key_offset and rows[i] + value_offset.
  struct Scattered {
    const float* const* rows;
    int64_t key_offset;
    int64_t value_offset;
    int64_t count;
  };
  /// One query q [columns] over `memory`.
  Status attend_row(const kernels::Kernels& kernels, const float* q, const Scattered& memory, int64_t columns,
                    int heads, float* y);

 private:
  Status attend_causally(const kernels::Kernels& kernels, Rows q, Rows k, Rows v, int64_t rows, int64_t columns,
                         int heads, float* y, int64_t y_stride);

  AlignedBuffer<float> query_;   // scaled: [rows, head_dim], or all columns of one row
  AlignedBuffer<float> packed_;  // of attend_sentence
  AlignedBuffer<float> scores_;
  std::vector<const float*> keys_;  // row by row, of attend_causally
};

}  // namespace litenat::runtime
