#include "export/fairseq_import.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <numeric>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "base/mapped_file.h"
#include "data/text_tokenizer.h"
#include "export/fairseq_names.h"
#include "export/fairseq_settings.h"
#include "export/fairseq_spec.h"
#include "format/container.h"
#include "runtime/model.h"

namespace litenat::export_model {
namespace {

namespace fs = std::filesystem;
using format::ContainerWriter;
using format::TensorType;
using Shape = std::vector<int64_t>;

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

int64_t num_elements(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

/// Taps are [heads, 1, kernel] in most checkpoints, [heads, kernel] here.
Shape squeezed(Shape shape) {
  if (shape.size() == 3 && shape[1] == 1) shape.erase(shape.begin() + 1);
  return shape;
}

/// The parameters of a model: those of the graph, and those beside it that decoding needs.
std::vector<graph::Weight> weights_of(const graph::ModelSpec& spec, const std::string& path) {
  const Result<graph::Graph> graph = graph::build_graph(spec);
  throw_if_error(graph.status().with_context(path));
  std::vector<graph::Weight> weights = graph.value().weights;
  if (spec.head.kind != graph::HeadKind::kCrf) return weights;
  for (const char* name : {"crf_layer.E1.weight", "crf_layer.E2.weight"}) {
    const auto is_it = [name](const graph::Weight& weight) { return weight.name == name; };
    if (std::none_of(weights.begin(), weights.end(), is_it))
      weights.push_back({name, {spec.target_vocabulary, spec.head.crf_rank}});
  }
  return weights;
}

std::string read_text(const std::string& path) {
  const auto file = value_or_throw(MappedFile::open(path));
  return {file->bytes().begin(), file->bytes().end()};
}

/// The text of dict.<language>.txt, checked to have as many tokens as the model's table has rows.
std::string load_dictionary(const fs::path& folder, const std::string& language, int64_t rows, const char* side) {
  const std::string path = (folder / ("dict." + language + ".txt")).string();
  std::error_code error;
  if (!fs::exists(path, error))
    throw Error(path + ": does not exist, expected the dictionary that the model was trained with: name its folder " +
                "with --data");
  std::string text = read_text(path);
  const int64_t tokens = value_or_throw(text::Dictionary::parse(text, path)).size();
  if (tokens != rows)
    throw Error(path + ": has " + std::to_string(tokens) + " tokens, expected " + std::to_string(rows) +
                " as the checkpoint's " + side + " table: name the folder of its own dictionaries with --data");
  return text;
}

/// The two languages of the data in `folder`, from file names train.de-en.de.idx, as fairseq finds them.
std::pair<std::string, std::string> languages_of(const fs::path& folder, const std::string& checkpoint) {
  std::set<std::pair<std::string, std::string>> pairs;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    const size_t first = name.find('.');
    const size_t second = first == std::string::npos ? first : name.find('.', first + 1);
    const size_t dash = first == std::string::npos ? first : name.find('-', first + 1);
    if (second == std::string::npos || dash == std::string::npos || dash > second) continue;
    pairs.emplace(name.substr(first + 1, dash - first - 1), name.substr(dash + 1, second - dash - 1));
  }
  if (pairs.size() == 1) return *pairs.begin();
  throw Error(checkpoint + ": does not say its languages, and " + folder.string() + " has data of " +
              std::to_string(pairs.size()) + " pairs of languages, expected one: name them with --source-lang and " +
              "--target-lang");
}

void add_blob(const char* name, const std::string& blob, ContainerWriter* writer) {
  writer->add_copy(name, TensorType::kU8, {static_cast<int64_t>(blob.size())}, blob.data(), blob.size());
}

void make_folder_of(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  std::error_code error;
  if (!folder.empty()) fs::create_directories(folder, error);
  if (error) throw Error(folder.string() + ": cannot be made: " + error.message());
}

}  // namespace

FairseqImport::FairseqImport(const std::string& path, const FairseqImportOptions& options)
    : path_(path), archive_(TorchArchive::open(path)) {
  const Pickle& pickle = archive_.pickle();
  load_tensors(pickle.find(pickle.root(), "model"));
  const FairseqSettings settings(pickle, path);
  architecture_ =
      options.architecture.empty() ? settings.text("arch", settings.text("_name", "")) : options.architecture;
  FairseqShapes shapes;
  for (const auto& [name, tensor] : tensors_) shapes[name] = tensor.shape;
  spec_ = spec_of_fairseq(architecture_, settings, shapes, path);
  weights_ = weights_of(spec_, path);
  load_dictionaries(settings, options);
  match();
  const auto& history = pickle[pickle.find(pickle.root(), "optimizer_history")].items;
  if (!history.empty()) update_ = std::max<int64_t>(0, pickle[pickle.find(history.back(), "num_updates")].integer);
  const PickleId extra = pickle.find(pickle.root(), "extra_state");
  epoch_ = std::max<int64_t>(1, pickle[pickle.find(pickle.find(extra, "train_iterator"), "epoch")].integer);
}

void FairseqImport::load_tensors(PickleId model) {
  const Pickle& pickle = archive_.pickle();
  for (const auto& [key, value] : pickle[model].entries) {
    const std::string name(pickle[key].text);
    if (const auto tensor = archive_.tensor(value, name)) tensors_[name] = *tensor;
  }
  if (tensors_.empty())
    throw Error(path_ + ": has no parameters under the key 'model', so it is no checkpoint of fairseq-train");
}

void FairseqImport::load_dictionaries(const FairseqSettings& settings, const FairseqImportOptions& options) {
  const fs::path folder =
      options.data_folder.empty() ? fs::absolute(path_).parent_path() : fs::path(options.data_folder);
  const auto setting = [&](const std::string& given, const char* key) {
    return given.empty() ? settings.text(key, "") : given;
  };
  std::string source = setting(options.source_language, "source_lang");
  std::string target = setting(options.target_language, "target_lang");
  if (source.empty() || target.empty()) {
    const auto [first, second] = languages_of(folder, path_);
    if (source.empty()) source = first;
    if (target.empty()) target = second;
  }
  source_dictionary_ = load_dictionary(folder, source, spec_.source_vocabulary, "source");
  target_dictionary_ = load_dictionary(folder, target, spec_.target_vocabulary, "target");
  if (!options.tokenizer.empty()) tokenizer_ = data::load_text_tokenizer(options.tokenizer)->blob();
}

void FairseqImport::match() {
  for (const auto& [name, tensor] : tensors_) {
    const FairseqName ours = name_of_fairseq(name, spec_);
    if (ours.use == FairseqName::Use::kNothing) report_.skipped.push_back(name);
    for (size_t i = 0; i < ours.names.size(); ++i) add_source(ours.names[i], {name, tensor, i, ours.names.size()});
  }
  check_shapes();
}

/// A second tensor of the same parameter (of a shared table) has to have the same values.
void FairseqImport::add_source(const std::string& parameter, const Source& source) {
  const auto is_it = [&](const graph::Weight& weight) { return weight.name == parameter; };
  if (std::none_of(weights_.begin(), weights_.end(), is_it)) {
    report_.unused.push_back(source.name);
    return;
  }
  const auto [it, added] = sources_.emplace(parameter, source);
  if (added) return;
  const TorchTensor& first = it->second.tensor;
  const bool same_bytes = first.storage.data() == source.tensor.storage.data() &&
                          first.strides == source.tensor.strides && first.type == source.tensor.type;
  if (first.shape != source.tensor.shape || (!same_bytes && first.to_floats() != source.tensor.to_floats())) {
    report_.mismatched.push_back(source.name + ": expected the values of " + it->second.name +
                                 ", which it is shared with, found others");
  } else {
    report_.skipped.push_back(source.name);
  }
}

void FairseqImport::check_shapes() {
  for (const graph::Weight& weight : weights_) {
    const auto it = sources_.find(weight.name);
    if (it == sources_.end()) {
      report_.missing.push_back(weight.name);
      continue;
    }
    Shape found = squeezed(it->second.tensor.shape);
    const auto parts = static_cast<int64_t>(it->second.parts);
    if (parts > 1 && !found.empty() && found[0] % parts == 0) found[0] /= parts;
    if (found != weight.shape)
      report_.mismatched.push_back(it->second.name + ": expected " + to_string(weight.shape) + ", found " +
                                   to_string(found));
  }
}

int64_t FairseqImport::num_parameters() const {
  int64_t sum = 0;
  for (const graph::Weight& weight : weights_) sum += num_elements(weight.shape);
  return sum;
}

std::vector<float> FairseqImport::values_of(const graph::Weight& weight, const Source& source) const {
  std::vector<float> values = source.tensor.to_floats();
  const size_t size = values.size() / source.parts;
  if (source.parts > 1)
    values = std::vector<float>(values.begin() + static_cast<std::ptrdiff_t>(source.part * size),
                                values.begin() + static_cast<std::ptrdiff_t>((source.part + 1) * size));
  for (size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      throw Error(path_ + ": parameter " + source.name + ": element " + std::to_string(source.part * size + i) +
                  " is not finite, expected a number: import an earlier checkpoint (" + weight.name + ")");
  return values;
}

void FairseqImport::write(const std::string& checkpoint_path, const std::string& resources_path) const {
  if (!report_.complete())
    throw Error(path_ + ": " + std::to_string(report_.missing.size()) + " parameters are missing and " +
                std::to_string(report_.mismatched.size()) + " do not fit the model of architecture '" + architecture_ +
                "'");
  ContainerWriter checkpoint;
  for (const graph::Weight& weight : weights_) {
    const std::vector<float> values = values_of(weight, sources_.at(weight.name));
    checkpoint.add_copy("model/" + weight.name, TensorType::kF32, weight.shape, values.data(),
                        values.size() * sizeof(float));
  }
  Json state = Json::object();
  state.set("update", Json(update_));
  state.set("epoch", Json(epoch_));
  checkpoint.set_metadata(runtime::kMetaSpec, graph::to_json(spec_));
  checkpoint.set_metadata("litenat.state", state.dump());
  checkpoint.set_metadata("litenat.config",
                          "# Imported from a checkpoint of fairseq, architecture " + architecture_ + "\n");
  ContainerWriter resources;
  add_blob(runtime::kSourceDictionary, source_dictionary_, &resources);
  add_blob(runtime::kTargetDictionary, target_dictionary_, &resources);
  if (!tokenizer_.empty()) add_blob(runtime::kTokenizer, tokenizer_, &resources);
  make_folder_of(checkpoint_path);
  make_folder_of(resources_path);
  throw_if_error(resources.write(resources_path));
  throw_if_error(checkpoint.write(checkpoint_path));
}

}  // namespace litenat::export_model
