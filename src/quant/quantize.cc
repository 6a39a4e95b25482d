#include "quant/quantize.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/json_fields.h"
#include "base/log.h"
#include "base/nearest.h"
#include "format/container.h"
#include "numerics/quantization.h"
#include "quant/activation_range.h"
#include "quant/model_runner.h"
#include "quant/weight_quantization.h"

namespace litenat::quant {
namespace {

using format::ContainerWriter;
using format::Tensor;
using format::TensorType;
using runtime::Model;

/// The classifier of the target's length has too few weights to be worth an error in the length.
constexpr const char* kLengthWeight = "decoder.embed_length.weight";

/// How a weight is stored when quantised. Of a weight with several uses, the first one here counts: a packed matrix can
/// be looked up by rows too.
enum class Layout { kFloat, kPacked, kRowMajor };

Layout layout_of_product(const graph::Weight& weight) {
  return weight.shape[1] <= numerics::kMaxDepth && weight.name != kLengthWeight ? Layout::kPacked : Layout::kFloat;
}

bool names_part_of(const std::string& part, const std::string& name) {
  return name.compare(0, part.size(), part) == 0 &&
         (name.size() == part.size() || name[part.size()] == '.' || part.empty());
}

/// Decides for every matrix of the model.
std::map<std::string, Layout> choose_layouts(const Model& model) {
  std::map<std::string, Layout> layouts;
  const auto assign = [&](const std::string& name, Layout layout) {
    const auto [at, is_new] = layouts.emplace(name, layout);
    if (!is_new) at->second = std::min(at->second, layout);
  };
  const graph::Graph& graph = model.graph();
  for (const graph::Node& node : graph.nodes) {
    if (node.weights.empty()) continue;
    const graph::Weight& weight = graph.weights[static_cast<size_t>(node.weights[0])];
    if (node.op == graph::Op::kLinear) assign(weight.name, layout_of_product(weight));
    if (node.op == graph::Op::kEmbedding || node.op == graph::Op::kPositions) assign(weight.name, Layout::kRowMajor);
  }
  if (model.has_transitions())
    for (const char* name : {"crf_layer.E1.weight", "crf_layer.E2.weight"}) assign(name, Layout::kRowMajor);
  return layouts;
}

/// Sets the layouts under `keep` to kFloat.
void keep_in_float(const std::vector<std::string>& keep, std::map<std::string, Layout>* layouts) {
  std::vector<std::string> names;
  for (const auto& [name, layout] : *layouts) names.push_back(name);
  for (const std::string& part : keep) {
    bool found = false;
    for (auto& [name, layout] : *layouts) {
      if (!names_part_of(part, name)) continue;
      layout = Layout::kFloat;
      found = true;
    }
    if (found) continue;
    const std::string nearest = nearest_name(part, names);
    throw UsageError(
        "--keep " + part + ": no quantised layer has that name" +
        (nearest.empty() ? ": `litenat info MODEL --graph` lists them" : "; did you mean " + nearest + "?"));
  }
}

/// Histograms of the values that linear layers read, by index of the node that makes them.
class ActivationObserver {
 public:
  explicit ActivationObserver(const Model& model) {
    const graph::Graph& graph = model.graph();
    for (const graph::Node& node : graph.nodes)
      if (node.op == graph::Op::kLinear) histograms_[graph.nodes[static_cast<size_t>(node.inputs[0])].name];
  }

  void observe(const std::shared_ptr<const Model>& model, const CalibrationSample& sample) {
    pass(model, sample, &ActivationHistogram::observe_bounds);
    pass(model, sample, &ActivationHistogram::observe_counts);
  }
  const ActivationHistogram& histogram(const std::string& node_name) const { return histograms_.at(node_name); }

 private:
  void pass(const std::shared_ptr<const Model>& model, const CalibrationSample& sample,
            void (ActivationHistogram::*add)(Span<const float>)) {
    const auto runner = ModelRunner::create(model);
    runner->set_observer([&](const graph::Node& node, Span<const float> value, int64_t /*rows*/) {
      const auto found = histograms_.find(node.name);
      if (found != histograms_.end()) (found->second.*add)(value);
    });
    for (const CalibrationBatch& batch : sample.batches) {
      throw_if_interrupted();
      runner->run(batch);
    }
  }

  std::map<std::string, ActivationHistogram> histograms_;
};

/// {scale, zero} of the input of every product, by name of its weight.
std::map<std::string, numerics::ActivationQuantization> static_inputs(const std::shared_ptr<const Model>& model,
                                                                      const CalibrationSample& sample,
                                                                      const QuantizationSpec& spec) {
  ActivationObserver observer(*model);
  observer.observe(model, sample);
  std::map<std::string, numerics::ActivationQuantization> inputs;
  const graph::Graph& graph = model->graph();
  for (const graph::Node& node : graph.nodes) {
    if (node.op != graph::Op::kLinear) continue;
    const std::string& source = graph.nodes[static_cast<size_t>(node.inputs[0])].name;
    const std::string& weight = graph.weights[static_cast<size_t>(node.weights[0])].name;
    inputs.emplace(weight, observer.histogram(source).choose(spec.range, spec.percentile));
  }
  return inputs;
}

template <typename T>
void add_vector(ContainerWriter* writer, const std::string& name, TensorType type, const std::vector<T>& values) {
  writer->add_copy(name, type, {static_cast<int64_t>(values.size())}, values.data(), values.size() * sizeof(T));
}

void add_quantized(ContainerWriter* writer, const std::string& name, const Tensor& tensor, Layout layout) {
  const int64_t n = tensor.shape[0];
  const int64_t k = tensor.shape[1];
  const Span<const float> weights(tensor.data<float>(), static_cast<size_t>(n * k));
  const QuantizedMatrix matrix = quantize_matrix(weights, n, k);
  if (layout == Layout::kPacked)
    add_vector(writer, name, TensorType::kI8, packed_k4n16(matrix));
  else
    writer->add_copy(name, TensorType::kI8, {n, k}, matrix.values.data(), matrix.values.size());
  add_vector(writer, name + ".scale", TensorType::kF32, matrix.scale);
}

}  // namespace

void write_quantized(const std::shared_ptr<const Model>& model, const CalibrationSample& sample, QuantizationSpec spec,
                     const std::string& output_path) {
  const format::Container& container = model->container();
  if (model->is_quantized()) throw Error(container.name() + ": is quantised already, expected an fp32 model");
  std::map<std::string, Layout> layouts = choose_layouts(*model);
  keep_in_float(spec.keep, &layouts);
  std::map<std::string, numerics::ActivationQuantization> inputs;
  if (spec.activations == ActivationMode::kStatic) inputs = static_inputs(model, sample, spec);

  ContainerWriter writer;
  for (const auto& [name, tensor] : container.tensors()) {
    const auto found = layouts.find(name);
    if (found == layouts.end() || found->second == Layout::kFloat) {
      if (name.compare(0, 6, "__pad.") != 0) writer.add(name, tensor.type, tensor.shape, tensor.bytes);
      continue;
    }
    add_quantized(&writer, name, tensor, found->second);
    const auto input = inputs.find(name);
    if (input != inputs.end())
      add_vector<float>(&writer, name + ".input", TensorType::kF32,
                        {input->second.scale, static_cast<float>(input->second.zero)});
  }
  for (const auto& [key, value] : container.metadata()) writer.set_metadata(key, value);
  spec.calibration_lines = sample.num_lines;
  spec.calibration_rows = sample.num_rows;
  writer.set_metadata(runtime::kMetaQuantization, fields_to_json(spec).dump());
  throw_if_error(writer.write(output_path));
}

}  // namespace litenat::quant
