// What the layers of an autoregressive decoder remember of the rows that they have read.
#pragma once

#include "nn/torch.h"

namespace litenat::nn {

/// Rows of attention's keys or values, appended one a step.
class RowCache {
 public:
  /// row [N, heads, 1, d].
  void append(const torch::Tensor& row);
  /// [N, heads, T, d] of the T rows so far: a view, valid until the next append() or select().
  torch::Tensor rows() const;
  /// Sentence i becomes what sentence parents[i] ([N'] int64) was.
  void select(const torch::Tensor& parents);

 private:
  torch::Tensor buffer_;  // [N, heads, capacity, d]
  int64_t used_ = 0;
};

/// Of one mixer: attention uses the caches, a convolution the window, LSRA both.
struct MixerState {
  RowCache keys, values;
  torch::Tensor window;  // [N, K - 1, C] of the last inputs, zeros before the first

  void select(const torch::Tensor& parents);
};

}  // namespace litenat::nn
