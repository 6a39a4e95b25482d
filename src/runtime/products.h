// Products with the weights of kLinear nodes, fp32 and int8.
#pragma once

#include "runtime/attention.h"
#include "runtime/thread_pool.h"
#include "runtime/weights.h"

namespace litenat::runtime {

/// Keeps the quantised rows of the last product: products of the same value share them.
class Products {
 public:
  /// `threads` outlives the object.
  Products(const kernels::Kernels& kernels, const Model::Weights& weights, ThreadPool* threads);

  /// Makes room for products of `rows` rows and forgets what is quantised.
  Status begin(int64_t rows);

  /// y = x W^T + b for `rows` rows. `value` says which value x is (calls between two begin() with the same value have
  /// the same x). False: w is int8 and x has values that are not finite; then nothing is computed.
  bool run(Rows x, int64_t rows, int value, const Model::LinearWeights& w, float* y, int64_t y_stride);

 private:
  bool quantize(Rows x, int64_t rows, int value, const Model::LinearWeights& w);
  void multiply(Rows x, int64_t rows, const Model::LinearWeights& w, int64_t first, int64_t count, float* y,
                int64_t y_stride) const;

  const kernels::Kernels& kernels_;
  ThreadPool* threads_;
  AlignedBuffer<uint8_t> quantized_;
  AlignedBuffer<kernels::RowQuantization> row_quantization_;
  int64_t quantized_stride_ = 0;  // of the widest int8 input; 0: there is none
  int quantized_value_ = -1;      // what quantized_ holds
  bool quantized_static_ = false;
  numerics::ActivationQuantization quantized_input_;
};

}  // namespace litenat::runtime
