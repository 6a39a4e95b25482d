// The weights of a model as the executor uses them, by node of the graph.
#pragma once

#include <vector>

#include "format/container.h"
#include "graph/graph.h"
#include "kernels/kernels.h"
#include "numerics/quantization.h"
#include "runtime/aligned_buffer.h"
#include "runtime/model.h"

namespace litenat::runtime {

/// Of a kLinear node: fp32 (packed at load) or int8 (in place).
struct Model::LinearWeights {
  bool is_int8 = false;
  AlignedBuffer<float> packed;       // fp32: kernels::pack_f32 order
  kernels::PackedWeights int8;       // int8: into the container, but for the bias and the sums
  std::vector<int32_t> column_sums;  // int8: made at load, [n] padded to whole panels
  const float* bias = nullptr;       // [n] or null
  bool is_static = false;            // int8: one calibrated pair instead of one a row
  numerics::ActivationQuantization input;
  int64_t n = 0;
  int64_t k = 0;
};

/// A table of vectors [rows, columns]: embeddings, learned positions, factors of the CRF.
struct Model::EmbeddingWeights {
  const float* f32 = nullptr;  // or
  const int8_t* int8 = nullptr;
  bool is_packed = false;        // int8: in the order of a kLinear that shares the table, else row-major
  const float* scale = nullptr;  // [rows], int8 only
  int64_t rows = 0;
  int64_t columns = 0;
};

/// Every entry is indexed by node; those of other kinds of node are empty.
struct Model::Weights {
  std::vector<LinearWeights> linear;
  std::vector<EmbeddingWeights> tables;
  std::vector<const float*> first;   // gain of a kLayerNorm, taps of a kLightConv
  std::vector<const float*> second;  // bias of a kLayerNorm
  EmbeddingWeights crf_from;         // E1, E2 of the CRF head
  EmbeddingWeights crf_to;
  bool has_int8 = false;
};

/// Finds and checks every weight of `graph` in `container`: type, shape, scales; every float must be finite. Column
/// sums are made from the weights, so that no later arithmetic can overflow an integer or round a NaN to one. Errors
/// name the tensor.
Status load_weights(const format::Container& container, const graph::Graph& graph, Model::Weights* weights);

/// Loads the table `name` [rows, columns], fp32 or int8 with a scale for each row.
Status load_table(const format::Container& container, const std::string& name, int64_t rows, int64_t columns,
                  Model::EmbeddingWeights* table);

}  // namespace litenat::runtime
