// Multi-head self-attention of one sentence, composed of the kernels.
#pragma once

#include <cstdint>

#include "kernels/kernels.h"
#include "runtime/aligned_buffer.h"

namespace litenat::runtime {

/// Rows of a value inside a slot.
struct Rows {
  const float* data;
  int64_t stride;
};

/// Computes softmax(q k^T head_dim^-0.5) v head by head; keeps its scratch memory between calls.
class SelfAttention {
 public:
  /// q, k, v [rows, columns] of one sentence -> y [rows, columns], which overlaps none of them. causal: row t sees rows
  /// 0 .. t.
  Status run(const kernels::Kernels& kernels, Rows q, Rows k, Rows v, int64_t rows, int64_t columns, int heads,
             bool causal, float* y, int64_t y_stride);

 private:
  Status reserve(int64_t rows, int64_t head_dim);
  AlignedBuffer<float> query_;   // [rows, head_dim], scaled
  AlignedBuffer<float> packed_;  // k, then v, in the order of gemm_f32
  AlignedBuffer<float> scores_;  // [rows, rows]
};

}  // namespace litenat::runtime
