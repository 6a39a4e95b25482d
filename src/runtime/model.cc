#include "runtime/model.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/json_fields.h"
#include "kernels/kernels.h"
#include "runtime/weights.h"

namespace litenat::runtime {
namespace {

using format::Container;

constexpr const char* kVersion = "1";
constexpr double kMaxTransition = 1e30;  // sums of transitions stay finite, so hypotheses can be ordered

Result<std::string> get_metadata(const Container& container, const char* key) {
  const std::string* value = container.metadata(key);
  if (value == nullptr) return corrupt(container.name() + ": no LiteNAT model (metadata '" + key + "' is missing)");
  return *value;
}

Status check_version(const Container& container) {
  LITENAT_ASSIGN_OR_RETURN(const std::string version, get_metadata(container, kMetaVersion));
  if (version == kVersion) return {};
  return unsupported(container.name() + ": format version '" + version.substr(0, 16) + "', this build reads '" +
                     kVersion + "'");
}

Result<graph::ModelSpec> load_spec(const Container& container) {
  LITENAT_ASSIGN_OR_RETURN(const std::string json, get_metadata(container, kMetaSpec));
  LITENAT_ASSIGN_OR_RETURN(const graph::ModelSpec spec, graph::model_spec_from_json(json));
  return graph::resolve(spec);
}

/// The bytes of a text section; none when the model has no such section.
Result<Span<const uint8_t>> get_blob(const Container& container, const char* name) {
  if (container.find(name) == nullptr) return Span<const uint8_t>();
  LITENAT_ASSIGN_OR_RETURN(const format::Tensor tensor, container.get(name, format::TensorType::kU8, {-1}));
  if (tensor.bytes.empty()) return corrupt(container.name() + ": tensor '" + name + "' is empty");
  return tensor.bytes;
}

Result<text::Dictionary> load_dictionary(const Container& container, const char* name) {
  LITENAT_ASSIGN_OR_RETURN(const format::Tensor tensor, container.get(name, format::TensorType::kU8, {-1}));
  const std::string_view text(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
  return text::Dictionary::parse(text, container.name() + ": " + name);
}

Status load_ngram_model(const Container& container, const char* name, std::unique_ptr<text::NgramModel>* model) {
  LITENAT_ASSIGN_OR_RETURN(const Span<const uint8_t> blob, get_blob(container, name));
  if (blob.empty()) return {};
  LITENAT_ASSIGN_OR_RETURN(const text::NgramModel parsed,
                           text::NgramModel::parse(blob, container.name() + ": " + name));
  *model = std::make_unique<text::NgramModel>(parsed);
  return {};
}

Status check_vocabulary(const char* what, int64_t expected, int64_t found) {
  if (expected == found) return {};
  return corrupt(std::string(what) + ": expected " + std::to_string(expected) + " tokens, found " +
                 std::to_string(found));
}

/// What the network reads must be what the decoder feeds it.
Status check_input(const graph::ModelSpec& spec) {
  if (spec.input == graph::InputKind::kUnits)
    return check_vocabulary("source_vocabulary of units", text::kFirstUnit + text::num_units(), spec.source_vocabulary);
  if (spec.input == graph::InputKind::kKeys)
    return check_vocabulary("source_vocabulary of keys", text::num_key_tokens(), spec.source_vocabulary);
  return corrupt("a model with a lexicon must have input 'units' or 'keys', found 'tokens'");
}

/// The dictionary `name`, which has `vocabulary` ids; null when the model has no such section.
Status load_dictionary_of(const Container& container, const char* name, int64_t vocabulary,
                          std::unique_ptr<text::Dictionary>* dictionary) {
  if (container.find(name) == nullptr) return {};
  LITENAT_ASSIGN_OR_RETURN(text::Dictionary loaded, load_dictionary(container, name));
  LITENAT_RETURN_IF_ERROR(check_vocabulary(name, vocabulary, loaded.size()));
  *dictionary = std::make_unique<text::Dictionary>(std::move(loaded));
  return {};
}

/// Loads lexicon and dictionary; leaves *ime null when the model has no lexicon.
Status load_ime(const Container& container, const graph::ModelSpec& spec, std::unique_ptr<decode::ImeResources>* ime) {
  LITENAT_ASSIGN_OR_RETURN(const Span<const uint8_t> blob, get_blob(container, kLexicon));
  if (blob.empty()) return {};
  if (graph::has_decoder(spec)) return corrupt(std::string("a model with a decoder has no '") + kLexicon + "'");
  LITENAT_RETURN_IF_ERROR(check_input(spec));
  LITENAT_ASSIGN_OR_RETURN(text::Dictionary targets, load_dictionary(container, kTargetDictionary));
  LITENAT_RETURN_IF_ERROR(check_vocabulary(kTargetDictionary, spec.target_vocabulary, targets.size()));
  LITENAT_ASSIGN_OR_RETURN(text::Lexicon lexicon, text::Lexicon::parse(blob, kLexicon));
  LITENAT_RETURN_IF_ERROR(check_vocabulary(kLexicon, targets.size(), lexicon.num_targets()));
  *ime = std::make_unique<decode::ImeResources>();
  (*ime)->targets = std::move(targets);
  (*ime)->lexicon = std::move(lexicon);
  (*ime)->keys_input = spec.input == graph::InputKind::kKeys;
  return {};
}

int32_t dot(const int8_t* a, const int8_t* b, int64_t size) {
  int32_t sum = 0;
  for (int64_t i = 0; i < size; ++i) sum += static_cast<int32_t>(a[i]) * static_cast<int32_t>(b[i]);
  return sum;
}

/// An absolute value that none of the table's exceeds.
double largest_value(const Model::EmbeddingWeights& table) {
  double largest = 0;
  if (table.int8 != nullptr) {
    for (int64_t row = 0; row < table.rows; ++row) largest = std::max(largest, 128.0 * table.scale[row]);
  } else {
    for (int64_t i = 0; i < table.rows * table.columns; ++i)
      largest = std::max(largest, std::abs(static_cast<double>(table.f32[i])));
  }
  return largest;
}

}  // namespace

Model::Model() = default;
Model::~Model() = default;

Result<std::shared_ptr<const Model>> Model::open(const std::string& path) {
  LITENAT_ASSIGN_OR_RETURN(std::shared_ptr<const Container> container, Container::open(path));
  return from_container(std::move(container));
}

Result<std::shared_ptr<const Model>> Model::from_container(std::shared_ptr<const Container> container) {
  if (container == nullptr) return invalid_argument("no container");
  std::shared_ptr<Model> model(new Model());
  model->container_ = std::move(container);
  LITENAT_RETURN_IF_ERROR(check_version(*model->container_));
  LITENAT_RETURN_IF_ERROR(model->load_network());
  LITENAT_RETURN_IF_ERROR(model->load_text().with_context(model->container_->name()));
  return std::shared_ptr<const Model>(std::move(model));
}

Status Model::load_network() {
  const Container& container = *container_;
  Result<graph::ModelSpec> spec = load_spec(container);
  if (!spec.ok()) return spec.status().with_context(container.name() + ": " + kMetaSpec);
  spec_ = std::move(spec).value();
  Result<graph::Graph> graph = graph::build_graph(spec_);
  if (!graph.ok()) return graph.status().with_context(container.name());
  graph_ = std::move(graph).value();
  weights_ = std::make_unique<Weights>();
  LITENAT_RETURN_IF_ERROR(load_weights(container, graph_, weights_.get()));
  LITENAT_RETURN_IF_ERROR(load_transitions());
  is_quantized_ = weights_->has_int8;
  return {};
}

Status Model::load_transitions() {
  if (spec_.head.kind != graph::HeadKind::kCrf) return {};
  const int64_t rows = spec_.target_vocabulary;
  const int64_t rank = spec_.head.crf_rank;
  LITENAT_RETURN_IF_ERROR(load_table(*container_, "crf_layer.E1.weight", rows, rank, &weights_->crf_from));
  LITENAT_RETURN_IF_ERROR(load_table(*container_, "crf_layer.E2.weight", rows, rank, &weights_->crf_to));
  if ((weights_->crf_from.int8 == nullptr) != (weights_->crf_to.int8 == nullptr))
    return corrupt(container_->name() + ": expected crf_layer.E1.weight and crf_layer.E2.weight of one type");
  const double bound = largest_value(weights_->crf_from) * largest_value(weights_->crf_to) * static_cast<double>(rank);
  if (bound > kMaxTransition)
    return corrupt(container_->name() + ": the weights of crf_layer.E1 and crf_layer.E2 are too large");
  LITENAT_ASSIGN_OR_RETURN(kernels_, kernels::kernels());
  has_transitions_ = true;
  return {};
}

Status Model::load_decode_options() {
  const std::string* text = container_->metadata(kMetaDecode);
  if (text == nullptr) return {};
  LITENAT_ASSIGN_OR_RETURN(const Json json, Json::parse(*text));
  switch (spec_.family) {
    case graph::Family::kSequence:
      return fields_from_json(json, &beam_options_);
    case graph::Family::kNonAutoregressive:
      return fields_from_json(json, &parallel_options_);
    case graph::Family::kTagger:
      break;
  }
  return fields_from_json(json, &ime_options_);
}

Status Model::load_dictionaries() {
  target_dictionary_ = ime_ != nullptr ? &ime_->targets : nullptr;
  if (ime_ == nullptr) {
    LITENAT_RETURN_IF_ERROR(
        load_dictionary_of(*container_, kTargetDictionary, spec_.target_vocabulary, &owned_target_));
    target_dictionary_ = owned_target_.get();
  }
  LITENAT_RETURN_IF_ERROR(load_dictionary_of(*container_, kSourceDictionary, spec_.source_vocabulary, &owned_source_));
  source_dictionary_ = owned_source_.get();
  const bool shared = graph::has_decoder(spec_) && spec_.decoder.share == graph::Sharing::kAll;
  if (source_dictionary_ == nullptr && shared) source_dictionary_ = target_dictionary_;
  return {};
}

Status Model::load_text() {
  LITENAT_RETURN_IF_ERROR(load_decode_options().with_context(kMetaDecode));
  LITENAT_RETURN_IF_ERROR(load_ime(*container_, spec_, &ime_));
  LITENAT_RETURN_IF_ERROR(load_dictionaries());
  LITENAT_ASSIGN_OR_RETURN(tokenizer_, get_blob(*container_, kTokenizer));
  if (ime_ == nullptr) return {};
  LITENAT_RETURN_IF_ERROR(load_ngram_model(*container_, kWordModel, &word_model_));
  LITENAT_RETURN_IF_ERROR(load_ngram_model(*container_, kUnitModel, &unit_model_));
  ime_->word_model = word_model_.get();
  ime_->unit_model = unit_model_.get();
  return {};
}

float Model::transition(int32_t previous, int32_t next) const {
  if (!has_transitions_) return 0;
  const EmbeddingWeights& from = weights_->crf_from;
  const EmbeddingWeights& to = weights_->crf_to;
  if (previous < 0 || previous >= from.rows || next < 0 || next >= to.rows) return 0;
  const int64_t a = previous * from.columns;
  const int64_t b = next * to.columns;
  if (from.int8 == nullptr) {
    float product = 0;
    kernels_->dot_rows(from.f32 + a, to.f32 + b, to.columns, 1, from.columns, &product);
    return product;
  }
  return from.scale[previous] * to.scale[next] * static_cast<float>(dot(from.int8 + a, to.int8 + b, from.columns));
}

}  // namespace litenat::runtime
