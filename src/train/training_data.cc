#include "train/training_data.h"

#include <filesystem>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mapped_file.h"
#include "format/container.h"
#include "text/units.h"
#include "train/objective.h"
#include "train/pair_batches.h"
#include "train/pair_validation.h"
#include "train/tagging_batches.h"

namespace litenat::train {
namespace {

using graph::InputKind;

constexpr const char* kTargetDictionary = "text.target_dictionary";
constexpr const char* kSourceDictionary = "text.source_dictionary";
constexpr const char* kLexicon = "text.lexicon";
constexpr const char* kTokenizer = "text.tokenizer";

int64_t source_vocabulary(InputKind input, const Dictionaries& dictionaries) {
  switch (input) {
    case InputKind::kUnits:
      return text::kFirstUnit + text::num_units();
    case InputKind::kKeys:
      return text::num_key_tokens();
    case InputKind::kTokens:
      return dictionaries.source.size();
  }
  throw Error("model.input: a value outside the enum");
}

/// A size that follows from the data; a configuration may repeat it but not contradict it.
void set_size(const char* name, int64_t size, int64_t* field) {
  if (*field != 0 && *field != size)
    throw Error(std::string("model.") + name + ": expected " + std::to_string(size) + " (from the data) or 0, found " +
                std::to_string(*field));
  *field = size;
}

void set_model_sizes(const Dictionaries& dictionaries, graph::ModelSpec* model) {
  set_size("source_vocabulary", source_vocabulary(model->input, dictionaries), &model->source_vocabulary);
  set_size("target_vocabulary", dictionaries.target.size(), &model->target_vocabulary);
  if (model->head.syllable) set_size("syllable_vocabulary", text::num_syllables(), &model->syllable_vocabulary);
  if (model->input != InputKind::kKeys && model->head.boundary)
    throw Error("model.head.boundary: expected false unless model.input = \"keys\", found true");
  if (model->input == InputKind::kTokens && model->head.syllable)
    throw Error("model.head.syllable: expected false for model.input = \"tokens\", found true");
  const Result<graph::ModelSpec> resolved = graph::resolve(*model);
  if (!resolved.ok()) throw Error("model." + resolved.status().message());  // the key as a configuration names it
  *model = resolved.value();
}

/// Opens a split as a data set of type T; `kind`: the input of a tagger, the family of another model.
template <typename T, typename Kind>
std::unique_ptr<T> open_split(const DataSpec& spec, const std::string& split, Kind kind,
                              const Dictionaries& dictionaries, int64_t limit, const char* left_out) {
  auto dataset = std::make_unique<T>(spec, split, kind, dictionaries, limit);
  log_info(split + ": " + std::to_string(dataset->size()) + " sentences, " + std::to_string(dataset->num_tokens()) +
           " tokens; " + std::to_string(dataset->num_left_out()) + " left out (" + left_out + ")");
  if (dataset->size() == 0) throw Error(spec.dir + "/" + split + ": has no sentence that can be used");
  return dataset;
}

template <typename T, typename Kind>
void open_splits(const DataSpec& spec, Kind kind, const Dictionaries& dictionaries, const char* left_out,
                 std::unique_ptr<T>* train, std::unique_ptr<T>* valid) {
  *train = open_split<T>(spec, spec.train, kind, dictionaries, 0, left_out);
  if (spec.valid.empty()) return;
  *valid = open_split<T>(spec, spec.valid, kind, dictionaries, spec.valid_sentences, left_out);
}

bool is_equal(const text::Dictionary& a, const text::Dictionary& b) {
  bool equal = a.size() == b.size();
  for (int32_t id = 0; equal && id < a.size(); ++id) equal = a.token(id) == b.token(id);
  return equal;
}

/// The model's ids mean what the data's ids mean.
void check_dictionary(const format::Container& resources, const text::Dictionary& targets) {
  const format::Tensor* blob = resources.find(kTargetDictionary);
  if (blob == nullptr) throw Error(resources.name() + ": has no tensor " + kTargetDictionary);
  const std::string_view text(reinterpret_cast<const char*>(blob->bytes.data()), blob->bytes.size());
  const auto stored = value_or_throw(text::Dictionary::parse(text, resources.name() + ", " + kTargetDictionary));
  if (!is_equal(stored, targets))
    throw Error(resources.name() + ": its target dictionary (" + std::to_string(stored.size()) +
                " tokens) is not that of the training data (" + std::to_string(targets.size()) +
                " tokens): build the resources from the same dict.txt");
}

void copy_file(const std::string& from, const std::string& to) {
  std::error_code error;
  if (std::filesystem::equivalent(from, to, error)) return;
  const auto file = value_or_throw(MappedFile::open(from));
  throw_if_error(write_file_atomically(to, file->bytes().data(), file->bytes().size()));
}

/// The tokenizer's file, or an empty path.
std::string find_tokenizer(const DataSpec& spec) {
  if (!spec.tokenizer.empty()) return spec.tokenizer;
  const std::string path = spec.dir + "/tokenizer.model";
  return std::filesystem::exists(path) ? path : "";
}

/// The text resources of a model of tokens: dictionaries, and the tokenizer where there is one.
void write_dictionaries(const Dictionaries& dictionaries, const data::TextTokenizer* tokenizer,
                        const std::string& path) {
  std::vector<std::pair<const char*, std::string>> blobs = {{kSourceDictionary, dictionaries.source.to_text()},
                                                            {kTargetDictionary, dictionaries.target.to_text()}};
  if (tokenizer != nullptr && !tokenizer->blob().empty()) blobs.emplace_back(kTokenizer, tokenizer->blob());
  format::ContainerWriter writer;
  for (const auto& [name, text] : blobs)
    writer.add_copy(name, format::TensorType::kU8, {static_cast<int64_t>(text.size())}, text.data(), text.size());
  throw_if_error(writer.write(path));
}

std::shared_ptr<const nn::CandidateSets> read_candidates(const format::Container& resources, int64_t num_targets) {
  const format::Tensor* blob = resources.find(kLexicon);
  if (blob == nullptr)
    throw Error(resources.name() + ": has no tensor " + kLexicon +
                ", which objective.candidates needs: build it with `litenat lexicon`, or set candidates = false");
  const auto lexicon = value_or_throw(text::Lexicon::parse(blob->bytes, resources.name() + ", " + kLexicon));
  if (lexicon.num_targets() != num_targets)
    throw Error(resources.name() + ": its lexicon is for " + std::to_string(lexicon.num_targets()) +
                " targets, expected " + std::to_string(num_targets));
  return candidate_sets(lexicon, num_targets);
}

}  // namespace

const Dataset& TrainingData::training_set() const {
  if (train_pairs) return *train_pairs;
  return *train;
}

std::unique_ptr<BatchMaker> TrainingData::make_batches(const TrainConfig& config) const {
  const auto seed = static_cast<uint64_t>(config.train.seed);
  if (train)
    return std::make_unique<TaggingBatches>(train.get(), config.model.input, config.data.batch,
                                            mixture_sampler(config.data.keys), seed);
  return std::make_unique<PairBatches>(train_pairs.get(), config.model, config.data.batch, glances(config.objective),
                                       seed);
}

std::unique_ptr<Validator> TrainingData::make_validator(const TrainConfig& config) const {
  if (config.train.best_metric == Metric::kBleu && (!valid_pairs || config.train.bleu_sentences == 0))
    throw Error(
        "train.best_metric: bleu needs a model with a decoder, a validation split and train.bleu_sentences > 0");
  if (valid) return std::make_unique<TaggingValidator>(valid.get(), config.model.input, config.data);
  if (!valid_pairs) return nullptr;
  return std::make_unique<PairValidator>(valid_pairs.get(), dictionaries.get(), tokenizer.get(), config.model,
                                         config.data.batch, config.train);
}

TrainingData open_training_data(TrainConfig* config, const std::string& resources_path) {
  TrainingData data;
  data.dictionaries = std::make_unique<Dictionaries>(Dictionaries::load(config->data));
  set_model_sizes(*data.dictionaries, &config->model);
  const bool pairs = graph::has_decoder(config->model);
  if (pairs && config->model.decoder.share == graph::Sharing::kAll &&
      !is_equal(data.dictionaries->source, data.dictionaries->target))
    throw Error("model.decoder.share: all needs one dictionary for both sides, found two in " + config->data.dir +
                ": preprocess with --joined-dictionary, or set share = \"output\"");
  if (config->model.input == InputKind::kTokens) {
    if (const std::string path = pairs ? find_tokenizer(config->data) : ""; !path.empty())
      data.tokenizer = data::load_text_tokenizer(path);
    if (!resources_path.empty()) write_dictionaries(*data.dictionaries, data.tokenizer.get(), resources_path);
  } else {
    const std::string path =
        config->data.resources.empty() ? config->data.dir + "/resources.litenat" : config->data.resources;
    if (!std::filesystem::exists(path))
      throw Error(path + ": no such file: build the text resources with `litenat lexicon`, or set data.resources");
    const auto resources = value_or_throw(format::Container::open(path));
    check_dictionary(*resources, data.dictionaries->target);
    if (config->objective.candidates) data.candidates = read_candidates(*resources, config->model.target_vocabulary);
    if (!resources_path.empty()) copy_file(path, resources_path);
  }
  if (pairs)
    open_splits(config->data, config->model.family, *data.dictionaries, "with an empty side", &data.train_pairs,
                &data.valid_pairs);
  else
    open_splits(config->data, config->model.input, *data.dictionaries, "empty or with an unknown token", &data.train,
                &data.valid);
  return data;
}

}  // namespace litenat::train
