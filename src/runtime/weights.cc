#include "runtime/weights.h"

#include <array>
#include <cmath>
#include <cstring>
#include <string>

namespace litenat::runtime {
namespace {

using format::Container;
using format::Tensor;
using format::TensorType;

Status fail(const Container& container, const std::string& name, const std::string& what) {
  return corrupt(container.name() + ": tensor '" + name + "': " + what);
}

/// Index of the first infinity or NaN, or -1.
int64_t find_non_finite(const float* x, int64_t size) {
  uint32_t bad = 0;
  for (int64_t i = 0; i < size; ++i) {
    uint32_t bits;
    std::memcpy(&bits, x + i, sizeof(bits));
    bad |= (bits & 0x7f800000u) == 0x7f800000u ? 1u : 0u;
  }
  if (bad == 0) return -1;
  for (int64_t i = 0; i < size; ++i)
    if (!std::isfinite(x[i])) return i;
  return -1;
}

/// The floats of `name`, all finite.
Status get_floats(const Container& container, const std::string& name, const std::vector<int64_t>& shape,
                  const float** data) {
  LITENAT_ASSIGN_OR_RETURN(const Tensor tensor, container.get(name, TensorType::kF32, shape));
  *data = tensor.data<float>();
  const int64_t at = find_non_finite(*data, tensor.num_elements());
  if (at < 0) return {};
  return fail(container, name, "value " + std::to_string(at) + " is not finite");
}

bool is_int8(const Container& container, const std::string& name) {
  const Tensor* tensor = container.find(name);
  return tensor != nullptr && tensor->type == TensorType::kI8;
}

/// Sums of the 16 columns of one packed panel of `groups` groups of 4 weights; `lowest` is the smallest weight.
void sum_panel(const int8_t* panel, int64_t groups, std::array<int32_t, numerics::kPanelColumns>* sums, int* lowest) {
  for (int64_t g = 0; g < groups; ++g)
    for (size_t c = 0; c < sums->size(); ++c) {
      for (int j = 0; j < numerics::kGroupDepth; ++j) {
        const int weight = *panel++;
        (*sums)[c] += weight;
        *lowest = weight < *lowest ? weight : *lowest;
      }
    }
}

/// Makes the column sums, which kernels trust, from the weights, and checks the weights' range on the way.
Status sum_columns(const Container& container, const std::string& name, const kernels::PackedWeights& w,
                   std::vector<int32_t>* column_sums) {
  const int64_t groups = numerics::padded_depth(w.k) / numerics::kGroupDepth;
  int lowest = 0;
  column_sums->clear();
  for (int64_t first = 0; first < w.n; first += numerics::kPanelColumns) {
    std::array<int32_t, numerics::kPanelColumns> sums{};
    sum_panel(w.packed + first * groups * numerics::kGroupDepth, groups, &sums, &lowest);
    column_sums->insert(column_sums->end(), sums.begin(), sums.end());
  }
  if (lowest < -numerics::kWeightMax) return fail(container, name, "expected weights from -127 to 127, found -128");
  return {};
}

Status check_scale(const Container& container, const std::string& name, const float* scale, int64_t size) {
  for (int64_t i = 0; i < size; ++i)
    if (!(scale[i] > 0)) return fail(container, name, "scale " + std::to_string(i) + " is not above 0");
  return {};
}

Status load_static_input(const Container& container, const std::string& name, Model::LinearWeights* linear) {
  if (container.find(name) == nullptr) return {};
  const float* pair = nullptr;
  LITENAT_RETURN_IF_ERROR(get_floats(container, name, {2}, &pair));
  LITENAT_RETURN_IF_ERROR(check_scale(container, name, pair, 1));
  if (!(pair[1] >= 0 && pair[1] <= numerics::kActivationMax && pair[1] == std::floor(pair[1])))
    return fail(container, name, "expected a whole zero point from 0 to 255");
  linear->is_static = true;
  linear->input = {pair[0], static_cast<int32_t>(pair[1])};
  return {};
}

Status load_int8_linear(const Container& container, const std::string& name, Model::LinearWeights* linear) {
  const int64_t n = linear->n;
  const int64_t k = linear->k;
  if (k > numerics::kMaxDepth)
    return unsupported(container.name() + ": tensor '" + name + "': an int8 product takes at most " +
                       std::to_string(numerics::kMaxDepth) + " inputs, found " + std::to_string(k));
  LITENAT_ASSIGN_OR_RETURN(const Tensor packed, container.get(name, TensorType::kI8, {numerics::packed_size(n, k)}));
  linear->is_int8 = true;
  kernels::PackedWeights& w = linear->int8;
  LITENAT_RETURN_IF_ERROR(get_floats(container, name + ".scale", {n}, &w.scale));
  LITENAT_RETURN_IF_ERROR(check_scale(container, name + ".scale", w.scale, n));
  w.packed = packed.data<int8_t>();
  w.bias = linear->bias;
  w.n = n;
  w.k = k;
  LITENAT_RETURN_IF_ERROR(sum_columns(container, name, w, &linear->column_sums));
  w.column_sum = linear->column_sums.data();
  return load_static_input(container, name + ".input", linear);
}

Status load_f32_linear(const Container& container, const std::string& name, Model::LinearWeights* linear) {
  const float* w = nullptr;
  LITENAT_RETURN_IF_ERROR(get_floats(container, name, {linear->n, linear->k}, &w));
  LITENAT_RETURN_IF_ERROR(linear->packed.reserve(numerics::padded_columns(linear->n) * linear->k));
  kernels::pack_f32(w, linear->n, linear->k, linear->packed.data());
  return {};
}

/// An int8 table that a kLinear uses too, which checks its weights.
Status load_packed_table(const Container& container, const graph::Weight& weight, Model::EmbeddingWeights* table) {
  table->rows = weight.shape[0];
  table->columns = weight.shape[1];
  table->is_packed = true;
  const int64_t size = numerics::packed_size(table->rows, table->columns);
  LITENAT_ASSIGN_OR_RETURN(const Tensor packed, container.get(weight.name, TensorType::kI8, {size}));
  table->int8 = packed.data<int8_t>();
  LITENAT_RETURN_IF_ERROR(get_floats(container, weight.name + ".scale", {table->rows}, &table->scale));
  return check_scale(container, weight.name + ".scale", table->scale, table->rows);
}

/// Loads the weights of one graph, node by node.
class Loader {
 public:
  Loader(const Container& container, const graph::Graph& graph, Model::Weights* weights)
      : container_(container), graph_(graph), weights_(*weights), is_product_(graph.weights.size(), false) {
    for (const graph::Node& node : graph.nodes)
      if (node.op == graph::Op::kLinear) is_product_[static_cast<size_t>(node.weights[0])] = true;
  }

  Status load_node(size_t i) {
    const graph::Node& node = graph_.nodes[i];
    if (node.weights.empty()) return {};
    switch (node.op) {
      case graph::Op::kLinear:
        return load_linear(node, &weights_.linear[i]);
      case graph::Op::kEmbedding:
      case graph::Op::kPositions:
        return load_table_of(node, &weights_.tables[i]);
      case graph::Op::kLayerNorm:
        LITENAT_RETURN_IF_ERROR(load_floats(weight(node, 1), &weights_.second[i]));
        return load_floats(weight(node, 0), &weights_.first[i]);
      case graph::Op::kLightConv:
        return load_floats(weight(node, 0), &weights_.first[i]);
      default:
        return internal_error("graph node '" + node.name + "' has weights that nothing loads");
    }
  }

 private:
  const graph::Weight& weight(const graph::Node& node, size_t i) const {
    return graph_.weights[static_cast<size_t>(node.weights[i])];
  }
  Status load_floats(const graph::Weight& weight, const float** data) const {
    return get_floats(container_, weight.name, weight.shape, data);
  }
  Status load_table_of(const graph::Node& node, Model::EmbeddingWeights* table) const {
    const graph::Weight& weight = this->weight(node, 0);
    if (is_product_[static_cast<size_t>(node.weights[0])] && is_int8(container_, weight.name))
      return load_packed_table(container_, weight, table);
    return load_table(container_, weight.name, weight.shape[0], weight.shape[1], table);
  }
  Status load_linear(const graph::Node& node, Model::LinearWeights* linear) {
    const graph::Weight& matrix = weight(node, 0);
    linear->n = matrix.shape[0];
    linear->k = matrix.shape[1];
    if (node.weights.size() == 2) LITENAT_RETURN_IF_ERROR(load_floats(weight(node, 1), &linear->bias));
    if (!is_int8(container_, matrix.name)) return load_f32_linear(container_, matrix.name, linear);
    return load_int8_linear(container_, matrix.name, linear);
  }

  const Container& container_;
  const graph::Graph& graph_;
  Model::Weights& weights_;
  std::vector<bool> is_product_;  // by weight: a kLinear uses it
};

}  // namespace

Status load_table(const Container& container, const std::string& name, int64_t rows, int64_t columns,
                  Model::EmbeddingWeights* table) {
  table->rows = rows;
  table->columns = columns;
  if (!is_int8(container, name)) return get_floats(container, name, {rows, columns}, &table->f32);
  LITENAT_ASSIGN_OR_RETURN(const Tensor tensor, container.get(name, TensorType::kI8, {rows, columns}));
  table->int8 = tensor.data<int8_t>();
  LITENAT_RETURN_IF_ERROR(get_floats(container, name + ".scale", {rows}, &table->scale));
  return check_scale(container, name + ".scale", table->scale, rows);
}

Status load_weights(const Container& container, const graph::Graph& graph, Model::Weights* weights) {
  const size_t count = graph.nodes.size();
  weights->linear.resize(count);
  weights->tables.resize(count);
  weights->first.assign(count, nullptr);
  weights->second.assign(count, nullptr);
  Loader loader(container, graph, weights);
  for (size_t i = 0; i < count; ++i) {
    LITENAT_RETURN_IF_ERROR(loader.load_node(i));
    weights->has_int8 = weights->has_int8 || weights->linear[i].is_int8 || weights->tables[i].int8 != nullptr;
  }
  return {};
}

}  // namespace litenat::runtime
