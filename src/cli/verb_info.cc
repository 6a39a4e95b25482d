// litenat info: what a model is.
#include <iostream>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "base/json_fields.h"
#include "cli/json_output.h"
#include "cli/model_facts.h"
#include "cli/program.h"
#include "cli/text_table.h"
#include "cli/verbs.h"

namespace litenat::cli {
namespace {

struct InfoOptions {
  std::string model;
  int64_t length = 16;
  int64_t target_length = 0;
  bool show_graph = false;
};

JsonResult parsed(const std::string& text) {
  JsonResult json = JsonResult::parse(text, nullptr, false);
  return json.is_discarded() ? JsonResult(text) : json;
}

JsonResult metadata_json(const runtime::Model& model, const char* key) {
  const std::string* text = model.container().metadata(key);
  return text == nullptr ? JsonResult() : parsed(*text);
}

JsonResult ngram_counts(const text::NgramModel* model) {
  JsonResult counts = JsonResult::array();
  for (int order = 1; model != nullptr && order <= model->order(); ++order) counts.push_back(model->num_ngrams(order));
  return counts;
}

JsonResult text_json(const runtime::Model& model) {
  JsonResult json = JsonResult::object();
  for (const auto& [name, tensor] : model.container().tensors())
    if (name.compare(0, 5, "text.") == 0) json[name + " bytes"] = tensor.bytes.size();
  if (model.source_dictionary() != nullptr) json["source dictionary"] = model.source_dictionary()->size();
  if (model.target_dictionary() != nullptr) json["target dictionary"] = model.target_dictionary()->size();
  const decode::ImeResources* ime = model.ime();
  if (ime == nullptr) return json;
  json["words"] = ime->lexicon.num_words();
  json["word n-grams"] = ngram_counts(ime->word_model);
  json["unit n-grams"] = ngram_counts(ime->unit_model);
  return json;
}

/// The settings of the family's decoder.
JsonResult decode_json(const runtime::Model& model) {
  switch (model.spec().family) {
    case graph::Family::kSequence:
      return parsed(fields_to_json(model.beam_options()).dump());
    case graph::Family::kNonAutoregressive:
      return parsed(fields_to_json(model.parallel_options()).dump());
    case graph::Family::kTagger:
      break;
  }
  return parsed(fields_to_json(model.ime_options()).dump());
}

/// Longest sentence of a side in rows; null = any.
JsonResult longest(const graph::EmbeddingSpec& embedding) {
  return embedding.positions == graph::Positions::kLearned ? JsonResult(embedding.max_positions) : JsonResult();
}

/// Lengths and sharing of a model with a decoder; null without one.
JsonResult sides_json(const graph::ModelSpec& spec) {
  if (!graph::has_decoder(spec)) return {};
  JsonResult json = {{"shared_tables", graph::kSharingNames.name(spec.decoder.share)},
                     {"longest_source", longest(spec.embedding)},
                     {"longest_target", longest(spec.decoder.embedding)}};
  if (spec.family != graph::Family::kNonAutoregressive) return json;
  json["target_length"] = graph::kLengthKindNames.name(spec.decoder.length);
  if (spec.decoder.length == graph::LengthKind::kRatio) {
    json["length_ratio"] = spec.decoder.length_ratio;
  } else {
    json["length_classes"] = spec.decoder.length_classes;
    json["length_offset"] = spec.decoder.length_offset;
  }
  return json;
}

JsonResult parts_json(const ModelFacts& facts) {
  JsonResult parts = JsonResult::array();
  for (const graph::PartCost& part : facts.parts)
    parts.push_back({{"part", part.part},
                     {"parameters", part.cost.parameters()},
                     {"embedding_parameters", part.cost.embedding_parameters},
                     {"multiply_adds", part.cost.multiply_adds}});
  return parts;
}

JsonResult info_json(const export_model::ResolvedModel& resolved, const ModelFacts& facts) {
  const runtime::Model& model = *resolved.model;
  return {{"model", resolved.path},
          {"family", graph::kFamilyNames.name(model.spec().family)},
          {"input", graph::kInputKindNames.name(model.spec().input)},
          {"precision", facts.precision},
          {"size_bytes", facts.size_bytes},
          {"weight_bytes", facts.weight_bytes},
          {"text_bytes", facts.text_bytes},
          {"length", facts.source_length},
          {"target_length", facts.target_length},
          {"sides", sides_json(model.spec())},
          {"parts", parts_json(facts)},
          {"body", {{"parameters", facts.body().parameters()}, {"multiply_adds", facts.body().multiply_adds}}},
          {"text", text_json(model)},
          {"quantization", metadata_json(model, runtime::kMetaQuantization)},
          {"decode", decode_json(model)},
          {"training", metadata_json(model, runtime::kMetaTraining)},
          {"spec", parsed(graph::to_json(model.spec()))}};
}

/// "  key = value" for every scalar of `object`; longer texts are left out.
void print_members(const JsonResult& object, const std::string& prefix) {
  for (const auto& [key, value] : object.items()) {
    const std::string text = value.dump();
    if (text.size() <= 100) std::cout << "  " << prefix << key << " = " << text << '\n';
  }
}

void print_parts(const ModelFacts& facts) {
  TextTable table({"part", "parameters", "multiply-adds"});
  for (const graph::PartCost& part : facts.parts)
    table.add({part.part, std::to_string(part.cost.parameters()), std::to_string(part.cost.multiply_adds)});
  std::cout << "parts (multiply-adds of " << facts.source_length;
  if (facts.target_length > 0) std::cout << " + " << facts.target_length;
  std::cout << " rows):\n"
            << table.to_string() << "without tables and output: " << facts.body().parameters() << " parameters, "
            << facts.body().multiply_adds << " multiply-adds\n";
}

void print_info(const export_model::ResolvedModel& resolved, const ModelFacts& facts) {
  const runtime::Model& model = *resolved.model;
  std::cout << resolved.path << ": " << graph::kFamilyNames.name(model.spec().family) << ", input "
            << graph::kInputKindNames.name(model.spec().input) << ", " << facts.precision << '\n'
            << "size: " << file_size(static_cast<double>(facts.size_bytes)) << " (weights "
            << file_size(static_cast<double>(facts.weight_bytes)) << ", text "
            << file_size(static_cast<double>(facts.text_bytes)) << ")\n";
  print_parts(facts);
  const std::pair<const char*, JsonResult> sections[] = {
      {"sides", sides_json(model.spec())},
      {"text", text_json(model)},
      {"quantization", metadata_json(model, runtime::kMetaQuantization)},
      {"training", metadata_json(model, runtime::kMetaTraining)}};
  for (const auto& [title, section] : sections) {
    if (!section.is_object() || section.empty()) continue;
    std::cout << title << ":\n";
    print_members(section, "");
  }
  std::cout << "decoder (change with --set):\n";
  print_members(decode_json(model), "decode.");
}

void info(const InfoOptions& options, const Context& context) {
  const export_model::ResolvedModel resolved = export_model::resolve_model(options.model);
  const ModelFacts facts = model_facts(resolved, options.length, options.target_length);
  if (context.json) {
    print_json(info_json(resolved, facts));
    return;
  }
  print_info(resolved, facts);
  if (options.show_graph) std::cout << "graph:\n" << graph::print(resolved.model->graph());
}

}  // namespace

void add_info(Program& program) {
  auto options = std::make_shared<InfoOptions>();
  Verb verb = program.add_verb("info", "Says what a model is: parts, parameters, compute, size, provenance");
  verb.app->add_option("MODEL", options->model, "run folder, checkpoint or .litenat file")->required();
  verb.app->add_option("--length", options->length, "rows of the sentence that multiply-adds are counted for")
      ->check(CLI::Range(int64_t{1}, int64_t{65536}))
      ->capture_default_str();
  verb.app
      ->add_option("--target-length", options->target_length,
                   "rows of the decoder for that sentence (default: what the model would make of it)")
      ->check(CLI::Range(int64_t{1}, int64_t{65536}));
  verb.app->add_flag("--graph", options->show_graph, "also print the inference graph, a node a line");
  verb.with_json();
  verb.examples({"litenat info model.litenat", "litenat info runs/ime --length 32 --json",
                 "litenat info runs/en-de --length 30 --target-length 30", "litenat info model.int8.litenat --graph"});
  verb.run([options](const Context& context) { info(*options, context); });
}

}  // namespace litenat::cli
