#include "train/training_data.h"

#include <filesystem>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mapped_file.h"
#include "format/container.h"
#include "text/units.h"
#include "train/objective.h"

namespace litenat::train {
namespace {

using graph::InputKind;

constexpr const char* kTargetDictionary = "text.target_dictionary";
constexpr const char* kSourceDictionary = "text.source_dictionary";
constexpr const char* kLexicon = "text.lexicon";

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
  *model = value_or_throw(graph::resolve(*model));
}

std::unique_ptr<TaggingDataset> open_split(const TrainConfig& config, const std::string& split,
                                           const Dictionaries& dictionaries, int64_t limit) {
  auto dataset = std::make_unique<TaggingDataset>(config.data, split, config.model.input, dictionaries, limit);
  log_info(split + ": " + std::to_string(dataset->size()) + " sentences, " + std::to_string(dataset->num_tokens()) +
           " tokens; " + std::to_string(dataset->num_left_out()) + " left out (empty or with an unknown token)");
  if (dataset->size() == 0) throw Error(config.data.dir + "/" + split + ": has no sentence that can be used");
  return dataset;
}

/// The model's ids mean what the data's ids mean.
void check_dictionary(const format::Container& resources, const text::Dictionary& targets) {
  const format::Tensor* blob = resources.find(kTargetDictionary);
  if (blob == nullptr) throw Error(resources.name() + ": has no tensor " + kTargetDictionary);
  const std::string_view text(reinterpret_cast<const char*>(blob->bytes.data()), blob->bytes.size());
  const auto stored = value_or_throw(text::Dictionary::parse(text, resources.name() + ", " + kTargetDictionary));
  bool equal = stored.size() == targets.size();
  for (int32_t id = 0; equal && id < targets.size(); ++id) equal = stored.token(id) == targets.token(id);
  if (!equal)
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

/// Dictionaries are all the text resources of a tagger of tokens.
void write_dictionaries(const Dictionaries& dictionaries, const std::string& path) {
  const std::string source = dictionaries.source.to_text(), target = dictionaries.target.to_text();
  format::ContainerWriter writer;
  for (const auto& [name, text] : {std::pair(kSourceDictionary, &source), std::pair(kTargetDictionary, &target)})
    writer.add_copy(name, format::TensorType::kU8, {static_cast<int64_t>(text->size())}, text->data(), text->size());
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

TrainingData open_training_data(TrainConfig* config, const std::string& resources_path) {
  TrainingData data;
  data.dictionaries = std::make_unique<Dictionaries>(Dictionaries::load(config->data));
  set_model_sizes(*data.dictionaries, &config->model);
  if (config->model.input == InputKind::kTokens) {
    write_dictionaries(*data.dictionaries, resources_path);
  } else {
    const std::string path =
        config->data.resources.empty() ? config->data.dir + "/resources.litenat" : config->data.resources;
    if (!std::filesystem::exists(path))
      throw Error(path + ": no such file: build the text resources with `litenat lexicon`, or set data.resources");
    const auto resources = value_or_throw(format::Container::open(path));
    check_dictionary(*resources, data.dictionaries->target);
    if (config->objective.candidates) data.candidates = read_candidates(*resources, config->model.target_vocabulary);
    copy_file(path, resources_path);
  }
  data.train = open_split(*config, config->data.train, *data.dictionaries, 0);
  if (!config->data.valid.empty())
    data.valid = open_split(*config, config->data.valid, *data.dictionaries, config->data.valid_sentences);
  return data;
}

}  // namespace litenat::train
