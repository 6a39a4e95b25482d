#include <algorithm>
#include <cmath>
#include <map>

#include "base/interrupt.h"
#include "quant/model_runner.h"
#include "quant/quantize.h"
#include "quant/weight_quantization.h"

namespace litenat::quant {
namespace {

using runtime::Model;

/// Sums over the elements of one layer's results.
struct ErrorSums {
  int64_t rows = 0;
  double signal = 0;
  double restored = 0;
  double product = 0;
  double noise = 0;
  double largest = 0;

  void add(Span<const float> expected, Span<const float> found) {
    for (size_t i = 0; i < expected.size(); ++i) {
      const double e = expected[i];
      const double f = found[i];
      signal += e * e;
      restored += f * f;
      product += e * f;
      noise += (e - f) * (e - f);
      largest = std::max(largest, std::fabs(e - f));
    }
  }
  double cosine() const {
    if (signal <= 0 || restored <= 0) return signal <= 0 && restored <= 0 ? 1 : 0;
    return product / std::sqrt(signal * restored);
  }
};

bool is_compared(const graph::Node& node) {
  return node.op == graph::Op::kLinear || node.op == graph::Op::kEmbedding || node.op == graph::Op::kOutput;
}

/// Whether the first weight of `node` is int8 in `model`.
bool has_int8_weight(const Model& model, const graph::Node& node) {
  if (node.weights.empty()) return false;
  const std::string& name = model.graph().weights[static_cast<size_t>(node.weights[0])].name;
  const format::Tensor* tensor = model.container().find(name);
  return tensor != nullptr && tensor->type == format::TensorType::kI8;
}

LayerError summary(const graph::Node& node, const ErrorSums& sums, const Model& quantized) {
  LayerError error;
  error.name = node.name;
  error.operation = graph::name_of(node.op);
  error.quantized = has_int8_weight(quantized, node);
  error.rows = sums.rows;
  error.sqnr_db = decibels(sums.signal, sums.noise);
  error.max_abs_error = sums.largest;
  error.cosine = sums.cosine();
  return error;
}

}  // namespace

std::vector<LayerError> compare_layers(const std::shared_ptr<const Model>& reference,
                                       const std::shared_ptr<const Model>& quantized, const CalibrationSample& sample) {
  const auto reference_runner = ModelRunner::create(reference);
  const auto quantized_runner = ModelRunner::create(quantized);
  std::map<std::string, std::vector<float>> expected;
  std::map<std::string, ErrorSums> sums;
  reference_runner->set_observer([&](const graph::Node& node, Span<const float> value, int64_t /*rows*/) {
    if (is_compared(node)) expected[node.name].assign(value.begin(), value.end());
  });
  quantized_runner->set_observer([&](const graph::Node& node, Span<const float> value, int64_t rows) {
    const auto found = expected.find(node.name);
    if (!is_compared(node) || found == expected.end() || found->second.size() != value.size()) return;
    sums[node.name].rows += rows;
    sums[node.name].add(found->second, value);
  });
  for (const CalibrationBatch& batch : sample.batches) {
    throw_if_interrupted();
    reference_runner->run(batch);
    quantized_runner->run(batch);
  }
  std::vector<LayerError> errors;
  for (const graph::Node& node : quantized->graph().nodes)
    if (sums.count(node.name) != 0) errors.push_back(summary(node, sums[node.name], *quantized));
  return errors;
}

}  // namespace litenat::quant
