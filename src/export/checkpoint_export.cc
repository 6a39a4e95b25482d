#include "export/checkpoint_export.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/json_fields.h"
#include "base/log.h"
#include "format/container.h"
#include "graph/graph.h"
#include "runtime/model.h"
#include "text/dictionary.h"
#include "text/lexicon.h"
#include "text/ngram_model.h"

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

/// Index I of "encoder.layers.I.rest", or -1.
int block_of(const std::string& name) {
  const std::string prefix = "encoder.layers.";
  return starts_with(name, prefix) ? std::atoi(name.c_str() + prefix.size()) : -1;
}

/// Names of the lightweight taps: a checkpoint holds them before the softmax, a deployable model after it.
std::set<std::string> names_to_normalise(const graph::Graph& graph, const graph::ModelSpec& spec) {
  std::set<std::string> names;
  for (const graph::Node& node : graph.nodes) {
    if (node.op != graph::Op::kLightConv) continue;
    const std::string& name = graph.weights[static_cast<size_t>(node.weights[0])].name;
    const int block = block_of(name);
    const bool known = block >= 0 && block < static_cast<int>(spec.encoder.blocks.size());
    if (known && spec.encoder.blocks[static_cast<size_t>(block)].conv.kind == graph::ConvKind::kLightweight)
      names.insert(name);
  }
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

/// Copies the resources' blobs after checking that they parse and fit the model.
class ResourceCopier {
 public:
  ResourceCopier(const Container& resources, const graph::ModelSpec& spec) : resources_(resources), spec_(spec) {}

  void copy(ContainerWriter* writer) {
    const auto dictionary_blob = blob(runtime::kTargetDictionary);
    if (dictionary_blob.empty())
      throw Error(resources_.name() + ": has no tensor " + std::string(runtime::kTargetDictionary));
    const std::string_view text(reinterpret_cast<const char*>(dictionary_blob.data()), dictionary_blob.size());
    const auto targets = value_or_throw(text::Dictionary::parse(text, where(runtime::kTargetDictionary)));
    if (targets.size() != spec_.target_vocabulary)
      throw Error(where(runtime::kTargetDictionary) + ": has " + std::to_string(targets.size()) +
                  " tokens, expected target_vocabulary = " + std::to_string(spec_.target_vocabulary) +
                  " of the model: use the resources that the model was trained with");
    if (!blob(runtime::kLexicon).empty())
      throw_if_error(text::Lexicon::parse(blob(runtime::kLexicon), where(runtime::kLexicon)).status());
    for (const char* name : {runtime::kWordModel, runtime::kUnitModel})
      if (!blob(name).empty()) throw_if_error(text::NgramModel::parse(blob(name), where(name)).status());
    for (const auto& [name, tensor] : resources_.tensors())
      if (starts_with(name, "text.")) writer->add(name, tensor.type, tensor.shape, tensor.bytes);
  }

 private:
  Span<const uint8_t> blob(const char* name) const {
    const Tensor* tensor = resources_.find(name);
    return tensor == nullptr ? Span<const uint8_t>() : tensor->bytes;
  }
  std::string where(const char* name) const { return resources_.name() + ", tensor " + name; }

  const Container& resources_;
  const graph::ModelSpec& spec_;
};

/// resources.litenat of a checkpoint, or "" when there is none.
std::string find_resources(const std::string& checkpoint_path) {
  const fs::path folder = fs::absolute(checkpoint_path).parent_path();
  std::error_code error;
  for (const fs::path& candidate : {folder / "resources.litenat", folder.parent_path() / "resources.litenat"})
    if (fs::exists(candidate, error)) return candidate.string();
  return "";
}

std::shared_ptr<const Container> open_resources(const std::string& checkpoint_path, const std::string& given,
                                                const graph::ModelSpec& spec) {
  const std::string path = given.empty() ? find_resources(checkpoint_path) : given;
  if (!path.empty()) return value_or_throw(Container::open(path));
  if (spec.input == graph::InputKind::kTokens) return nullptr;
  throw Error(checkpoint_path +
              ": no resources.litenat in its folder or the one above: name the file with --resources");
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

std::string decode_metadata(const Container& checkpoint, const decode::ImeOptions* given) {
  decode::ImeOptions options;
  if (given != nullptr) {
    options = *given;
  } else if (const std::string* stored = checkpoint.metadata(runtime::kMetaDecode)) {
    const Json json = value_or_throw(Json::parse(*stored));
    throw_if_error(fields_from_json(json, &options).with_context(checkpoint.name() + ", " + runtime::kMetaDecode));
  }
  return fields_to_json(options).dump();
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
  if (resources != nullptr) ResourceCopier(*resources, spec).copy(&writer);
  writer.set_metadata(runtime::kMetaVersion, "1");
  writer.set_metadata(runtime::kMetaSpec, graph::to_json(spec));
  writer.set_metadata(runtime::kMetaDecode, decode_metadata(*checkpoint, options.decode));
  writer.set_metadata(runtime::kMetaTraining, training_metadata(*checkpoint, prefix));
  throw_if_error(writer.write(output_path));
}

}  // namespace litenat::export_model
