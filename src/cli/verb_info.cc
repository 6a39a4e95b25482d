// litenat info: what a model is.
#include <iostream>

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
  const decode::ImeResources* ime = model.ime();
  if (ime == nullptr) return json;
  json["target dictionary"] = ime->targets.size();
  json["words"] = ime->lexicon.num_words();
  json["word n-grams"] = ngram_counts(ime->word_model);
  json["unit n-grams"] = ngram_counts(ime->unit_model);
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

JsonResult info_json(const export_model::ResolvedModel& resolved, const ModelFacts& facts, int64_t length) {
  const runtime::Model& model = *resolved.model;
  return {{"model", resolved.path},
          {"family", graph::kFamilyNames.name(model.spec().family)},
          {"input", graph::kInputKindNames.name(model.spec().input)},
          {"precision", facts.precision},
          {"size_bytes", facts.size_bytes},
          {"weight_bytes", facts.weight_bytes},
          {"text_bytes", facts.text_bytes},
          {"length", length},
          {"parts", parts_json(facts)},
          {"text", text_json(model)},
          {"quantization", metadata_json(model, runtime::kMetaQuantization)},
          {"decode", parsed(fields_to_json(model.ime_options()).dump())},
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

void print_parts(const ModelFacts& facts, int64_t length) {
  TextTable table({"part", "parameters", "multiply-adds"});
  for (const graph::PartCost& part : facts.parts)
    table.add({part.part, std::to_string(part.cost.parameters()), std::to_string(part.cost.multiply_adds)});
  std::cout << "parts (multiply-adds of " << length << " rows):\n" << table.to_string();
}

void print_info(const export_model::ResolvedModel& resolved, const ModelFacts& facts, int64_t length) {
  const runtime::Model& model = *resolved.model;
  std::cout << resolved.path << ": " << graph::kFamilyNames.name(model.spec().family) << ", input "
            << graph::kInputKindNames.name(model.spec().input) << ", " << facts.precision << '\n'
            << "size: " << file_size(static_cast<double>(facts.size_bytes)) << " (weights "
            << file_size(static_cast<double>(facts.weight_bytes)) << ", text "
            << file_size(static_cast<double>(facts.text_bytes)) << ")\n";
  print_parts(facts, length);
  const std::pair<const char*, JsonResult> sections[] = {
      {"text", text_json(model)},
      {"quantization", metadata_json(model, runtime::kMetaQuantization)},
      {"training", metadata_json(model, runtime::kMetaTraining)}};
  for (const auto& [title, section] : sections) {
    if (!section.is_object() || section.empty()) continue;
    std::cout << title << ":\n";
    print_members(section, "");
  }
  std::cout << "decoder (change with --set):\n";
  print_members(parsed(fields_to_json(model.ime_options()).dump()), "decode.");
}

void info(const InfoOptions& options, const Context& context) {
  const export_model::ResolvedModel resolved = export_model::resolve_model(options.model);
  const ModelFacts facts = model_facts(resolved, options.length);
  if (context.json) {
    print_json(info_json(resolved, facts, options.length));
    return;
  }
  print_info(resolved, facts, options.length);
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
  verb.app->add_flag("--graph", options->show_graph, "also print the inference graph, a node a line");
  verb.with_json();
  verb.examples({"litenat info model.litenat", "litenat info runs/ime --length 32 --json",
                 "litenat info model.int8.litenat --graph"});
  verb.run([options](const Context& context) { info(*options, context); });
}

}  // namespace litenat::cli
