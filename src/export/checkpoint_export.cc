#include "export/checkpoint_export.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/json_fields.h"
#include "decode/beam_search.h"
#include "decode/ime_decoder.h"
#include "decode/parallel_decoder.h"
#include "export/resource_copier.h"
#include "format/container.h"
#include "graph/graph.h"
#include "runtime/model.h"

namespace litenat::export_model {
namespace {

namespace fs = std::filesystem;
using format::Container;
using format::ContainerWriter;
using format::Tensor;
using format::TensorType;

constexpr const char* kMetaConfig = "litenat.config";
constexpr const char* kMetaState = "litenat.state";
constexpr const char* kAverage = "average/";
constexpr const char* kModel = "model/";

bool starts_with(const std::string& text, const std::string& prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

/// "average/" or "model/": where the weights to export are.
std::string weight_prefix(const Container& checkpoint, bool use_average) {
  bool has_average = false;
  bool has_model = false;
  for (const auto& [name, tensor] : checkpoint.tensors()) {
    has_average = has_average || starts_with(name, kAverage);
    has_model = has_model || starts_with(name, kModel);
  }
  if (use_average && has_average) return kAverage;
  if (has_model) return kModel;
  throw Error(checkpoint.name() + ": has no tensor model/..., so it is no checkpoint of `litenat train`");
}

graph::ModelSpec read_spec(const Container& checkpoint) {
  const std::string* json = checkpoint.metadata(runtime::kMetaSpec);
  if (json == nullptr)
    throw Error(checkpoint.name() + ": has no metadata " + runtime::kMetaSpec +
                ", so it is no checkpoint of `litenat train`");
  const Result<graph::ModelSpec> spec = graph::model_spec_from_json(*json);
  throw_if_error(spec.status().with_context(checkpoint.name() + ", metadata " + runtime::kMetaSpec));
  return value_or_throw(graph::resolve(spec.value()));
}

/// Adds the names of the lightweight taps of "<prefix>.layers.I.*".
void add_lightweight_taps(const graph::Graph& graph, const std::string& prefix, const graph::StackSpec& stack,
                          std::set<std::string>* names) {
  for (size_t i = 0; i < stack.blocks.size(); ++i) {
    if (stack.blocks[i].conv.kind != graph::ConvKind::kLightweight) continue;
    const std::string layer = prefix + ".layers." + std::to_string(i) + ".";
    for (const graph::Node& node : graph.nodes)
      if (node.op == graph::Op::kLightConv && starts_with(node.name, layer))
        names->insert(graph.weights[static_cast<size_t>(node.weights[0])].name);
  }
}

/// Names of the lightweight taps: a checkpoint holds them before the softmax, a deployable model after it.
std::set<std::string> names_to_normalise(const graph::Graph& graph, const graph::ModelSpec& spec) {
  std::set<std::string> names;
  add_lightweight_taps(graph, "encoder", spec.encoder, &names);
  if (graph::has_decoder(spec)) add_lightweight_taps(graph, "decoder", spec.decoder.stack, &names);
  return names;
}

/// Softmax over each row of taps [heads, kernel], in double.
std::vector<float> normalised_taps(const Tensor& taps) {
  const size_t kernel = static_cast<size_t>(taps.shape[1]);
  std::vector<float> out(static_cast<size_t>(taps.num_elements()));
  const float* in = taps.data<float>();
  for (size_t row = 0; row < out.size(); row += kernel) {
    const double largest = *std::max_element(in + row, in + row + kernel);
    double sum = 0;
    for (size_t i = row; i < row + kernel; ++i) sum += std::exp(in[i] - largest);
    for (size_t i = row; i < row + kernel; ++i) out[i] = static_cast<float>(std::exp(in[i] - largest) / sum);
  }
  return out;
}

void check_finite(const Tensor& tensor, const std::string& name, const Container& checkpoint) {
  const float* values = tensor.data<float>();
  for (int64_t i = 0; i < tensor.num_elements(); ++i)
    if (!std::isfinite(values[i]))
      throw Error(checkpoint.name() + ": tensor " + name + ": element " + std::to_string(i) +
                  " is not finite, expected a number: train again from an earlier checkpoint");
}

/// The checkpoint's own JSON, or null when it has none or it does not parse.
Json metadata_json(const Container& checkpoint, const char* key) {
  const std::string* text = checkpoint.metadata(key);
  if (text == nullptr) return Json();
  Result<Json> parsed = Json::parse(*text);
  return parsed.ok() ? std::move(parsed).value() : Json(*text);
}

std::string training_metadata(const Container& checkpoint, const std::string& prefix) {
  Json training = Json::object();
  training.set("checkpoint", Json(fs::path(checkpoint.name()).filename().string()));
  training.set("weights", Json(prefix.substr(0, prefix.size() - 1)));
  const Json state = metadata_json(checkpoint, kMetaState);
  // Only scalars: how far and how well it was trained, not the random state.
  for (const auto& [key, value] : state.members())
    if (value.is_number() || (value.is_string() && value.string().size() <= 256)) training.set(key, value);
  if (const std::string* config = checkpoint.metadata(kMetaConfig)) training.set("config", Json(*config));
  return training.dump();
}

/// The settings of the checkpoint, or the defaults, with those of `given` in their place.
template <class Options>
std::string decode_settings(const Container& checkpoint, const Json& given) {
  Options options;
  if (const std::string* stored = checkpoint.metadata(runtime::kMetaDecode)) {
    const Json json = value_or_throw(Json::parse(*stored));
    throw_if_error(fields_from_json(json, &options).with_context(checkpoint.name() + ", " + runtime::kMetaDecode));
  }
  const Status status = given.is_object() ? fields_from_json(given, &options) : Status();
  if (!status.ok()) throw UsageError("--set decode." + status.message());
  return fields_to_json(options).dump();
}

std::string decode_metadata(const Container& checkpoint, graph::Family family, const Json& given) {
  switch (family) {
    case graph::Family::kSequence:
      return decode_settings<decode::BeamOptions>(checkpoint, given);
    case graph::Family::kNonAutoregressive:
      return decode_settings<decode::ParallelOptions>(checkpoint, given);
    case graph::Family::kTagger:
      break;
  }
  return decode_settings<decode::ImeOptions>(checkpoint, given);
}

/// Parameters outside the graph that decoding needs.
std::vector<graph::Weight> extra_weights(const graph::Graph& graph, const graph::ModelSpec& spec) {
  std::vector<graph::Weight> extra;
  if (spec.head.kind != graph::HeadKind::kCrf) return extra;
  for (const char* name : {"crf_layer.E1.weight", "crf_layer.E2.weight"}) {
    const bool known = std::any_of(graph.weights.begin(), graph.weights.end(),
                                   [name](const graph::Weight& weight) { return weight.name == name; });
    if (!known) extra.push_back({name, {spec.target_vocabulary, spec.head.crf_rank}});
  }
  return extra;
}

}  // namespace

void export_checkpoint(const std::string& checkpoint_path, const std::string& output_path,
                       const ExportOptions& options) {
  const auto checkpoint = value_or_throw(Container::open(checkpoint_path));
  const std::string prefix = weight_prefix(*checkpoint, options.use_average);
  const graph::ModelSpec spec = read_spec(*checkpoint);
  const graph::Graph graph = value_or_throw(graph::build_graph(spec));
  const std::set<std::string> to_normalise = names_to_normalise(graph, spec);

  ContainerWriter writer;
  std::vector<graph::Weight> weights = graph.weights;
  for (const graph::Weight& weight : extra_weights(graph, spec)) weights.push_back(weight);
  for (const graph::Weight& weight : weights) {
    const Tensor tensor = value_or_throw(checkpoint->get(prefix + weight.name, TensorType::kF32, weight.shape));
    check_finite(tensor, prefix + weight.name, *checkpoint);
    if (to_normalise.count(weight.name) != 0) {
      const std::vector<float> taps = normalised_taps(tensor);
      writer.add_copy(weight.name, TensorType::kF32, weight.shape, taps.data(), taps.size() * sizeof(float));
    } else {
      writer.add(weight.name, TensorType::kF32, weight.shape, tensor.bytes);
    }
  }
  const auto resources = open_resources(checkpoint_path, options.resources_path, spec);
  if (resources != nullptr) copy_resources(*resources, spec, &writer);
  writer.set_metadata(runtime::kMetaVersion, "1");
  writer.set_metadata(runtime::kMetaSpec, graph::to_json(spec));
  writer.set_metadata(runtime::kMetaDecode, decode_metadata(*checkpoint, spec.family, options.decode));
  writer.set_metadata(runtime::kMetaTraining, training_metadata(*checkpoint, prefix));
  throw_if_error(writer.write(output_path));
}

}  // namespace litenat::export_model
