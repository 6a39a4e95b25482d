// Models with random weights, for tests: as plain numbers and as a deployable container.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "format/container.h"
#include "graph/graph.h"
#include "kernels/kernels.h"
#include "numerics/quantization.h"
#include "runtime/model.h"

namespace litenat::runtime::testing {

struct RandomTensor {
  std::vector<int64_t> shape;
  std::vector<float> values;
  bool is_product = false;  // a kLinear multiplies by it: int8 is packed
};
using RandomWeights = std::map<std::string, RandomTensor>;

inline bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

inline RandomTensor random_tensor(std::vector<int64_t> shape, double scale, double offset, SplitMix64* random) {
  int64_t size = 1;
  for (const int64_t extent : shape) size *= extent;
  RandomTensor tensor;
  tensor.shape = std::move(shape);
  for (int64_t i = 0; i < size; ++i)
    tensor.values.push_back(static_cast<float>(offset + scale * (2 * random->uniform() - 1)));
  return tensor;
}

/// Softmax over the last dimension: how a deployable model holds lightweight taps.
inline void normalise_taps(RandomTensor* taps) {
  const size_t kernel = static_cast<size_t>(taps->shape.back());
  for (size_t first = 0; first < taps->values.size(); first += kernel) {
    double sum = 0;
    for (size_t k = 0; k < kernel; ++k) sum += std::exp(static_cast<double>(taps->values[first + k]));
    for (size_t k = 0; k < kernel; ++k)
      taps->values[first + k] = static_cast<float>(std::exp(static_cast<double>(taps->values[first + k])) / sum);
  }
}

/// Every weight that the graph of `spec` names, and the CRF's tables.
inline RandomWeights random_weights(const graph::ModelSpec& spec, uint64_t seed) {
  SplitMix64 random(seed);
  RandomWeights weights;
  Result<graph::Graph> graph = graph::build_graph(spec);
  EXPECT_TRUE(graph.ok()) << graph.status().message();
  for (const graph::Weight& weight : graph.value().weights) {
    const bool gain = weight.name.find("norm") != std::string::npos && ends_with(weight.name, ".weight");
    const double fan_in = weight.shape.size() > 1 ? static_cast<double>(weight.shape[1]) : 4.0;
    weights[weight.name] = random_tensor(weight.shape, 1.5 / std::sqrt(fan_in), gain ? 1.0 : 0.0, &random);
  }
  for (const graph::Node& node : graph.value().nodes) {
    if (node.weights.empty()) continue;
    RandomTensor& first = weights[graph.value().weights[static_cast<size_t>(node.weights[0])].name];
    if (node.op == graph::Op::kLightConv) normalise_taps(&first);
    if (node.op == graph::Op::kLinear) first.is_product = true;
  }
  if (spec.head.kind == graph::HeadKind::kCrf)
    for (const char* name : {"crf_layer.E1.weight", "crf_layer.E2.weight"})
      weights[name] = random_tensor({spec.target_vocabulary, spec.head.crf_rank}, 0.5, 0.0, &random);
  return weights;
}

enum class Precision { kF32, kDynamicInt8, kStaticInt8 };

template <typename T>
void add_vector(format::ContainerWriter* writer, const std::string& name, format::TensorType type,
                const std::vector<int64_t>& shape, const std::vector<T>& values) {
  writer->add_copy(name, type, shape, values.data(), values.size() * sizeof(T));
}

/// Quantises by row and writes "name" (packed or by row) and "name.scale". The weights become what the
/// integers stand for.
inline void add_int8(format::ContainerWriter* writer, const std::string& name, bool packed, RandomTensor* tensor) {
  const int64_t n = tensor->shape[0];
  const int64_t k = tensor->shape[1];
  std::vector<int8_t> q(static_cast<size_t>(n * k));
  std::vector<float> scale(static_cast<size_t>(n));
  for (int64_t row = 0; row < n; ++row) {
    float* values = tensor->values.data() + row * k;
    float largest = 0;
    for (int64_t c = 0; c < k; ++c) largest = std::max(largest, std::abs(values[c]));
    const float s = scale[static_cast<size_t>(row)] = numerics::weight_scale(largest);
    for (int64_t c = 0; c < k; ++c) {
      const int8_t weight = q[static_cast<size_t>(row * k + c)] = numerics::quantize_weight(values[c], s);
      values[c] = static_cast<float>(weight) * s;
    }
  }
  add_vector(writer, name + ".scale", format::TensorType::kF32, {n}, scale);
  if (!packed) return add_vector(writer, name, format::TensorType::kI8, {n, k}, q);
  std::vector<int8_t> bytes(static_cast<size_t>(numerics::packed_size(n, k)));
  kernels::pack_s8(q.data(), n, k, bytes.data());
  add_vector(writer, name, format::TensorType::kI8, {numerics::packed_size(n, k)}, bytes);
}

/// A table that is stored by row when no product shares it.
inline bool is_table(const std::string& name) {
  return name.find("embed_tokens") != std::string::npos || name.find("embed_positions") != std::string::npos ||
         name.find("crf_layer") != std::string::npos;
}
inline bool is_taps(const std::string& name) {
  return ends_with(name, ".conv.weight") || ends_with(name, ".branches.1.weight");
}

/// Adds all weights to `writer`; int8: every matrix but taps.
inline void add_weights(format::ContainerWriter* writer, Precision precision, RandomWeights* weights) {
  for (auto& [name, tensor] : *weights) {
    if (precision == Precision::kF32 || tensor.shape.size() != 2 || is_taps(name)) {
      add_vector(writer, name, format::TensorType::kF32, tensor.shape, tensor.values);
      continue;
    }
    add_int8(writer, name, tensor.is_product, &tensor);
    if (precision == Precision::kStaticInt8 && tensor.is_product)
      add_vector(writer, name + ".input", format::TensorType::kF32, {2}, std::vector<float>{6.0f / 255.0f, 128.0f});
  }
}

/// A file that is gone with this object.
class ScopedFile {
 public:
  explicit ScopedFile(const std::string& name)
      : path_(::testing::TempDir() + "litenat." + std::to_string(getpid()) + "." + name) {}
  ~ScopedFile() { std::remove(path_.c_str()); }
  ScopedFile(const ScopedFile&) = delete;
  ScopedFile& operator=(const ScopedFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline void set_model_metadata(const graph::ModelSpec& spec, format::ContainerWriter* writer) {
  writer->set_metadata(kMetaVersion, "1");
  writer->set_metadata(kMetaSpec, graph::to_json(spec));
}

/// Writes a deployable model and opens it. For int8, *weights become the dequantised ones.
inline std::shared_ptr<const Model> make_model(const graph::ModelSpec& spec, Precision precision,
                                               RandomWeights* weights) {
  const ScopedFile file("model.litenat");
  format::ContainerWriter writer;
  set_model_metadata(spec, &writer);
  add_weights(&writer, precision, weights);
  EXPECT_TRUE(writer.write(file.path()).ok());
  Result<std::shared_ptr<const Model>> model = Model::open(file.path());
  EXPECT_TRUE(model.ok()) << model.status().message();
  return model.ok() ? model.value() : nullptr;
}

}  // namespace litenat::runtime::testing
