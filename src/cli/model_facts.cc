#include "cli/model_facts.h"

#include "base/json.h"

namespace litenat::cli {
namespace {

bool is_text(const std::string& name) { return name.compare(0, 5, "text.") == 0; }
bool is_padding(const std::string& name) { return name.compare(0, 6, "__pad.") == 0; }

std::string precision_of(const runtime::Model& model) {
  if (!model.is_quantized()) return "fp32";
  const std::string* text = model.container().metadata(runtime::kMetaQuantization);
  const Result<Json> json = text == nullptr ? Result<Json>(Json::object()) : Json::parse(*text);
  const Json* mode = json.ok() ? json.value().find("activations") : nullptr;
  return mode != nullptr && mode->is_string() ? "int8 (" + mode->string() + " activations)" : "int8";
}

}  // namespace

uint64_t weight_bytes(const runtime::Model& model) {
  uint64_t bytes = 0;
  for (const auto& [name, tensor] : model.container().tensors())
    if (!is_text(name) && !is_padding(name)) bytes += tensor.bytes.size();
  return bytes;
}

ModelFacts model_facts(const export_model::ResolvedModel& resolved, int64_t length) {
  const runtime::Model& model = *resolved.model;
  ModelFacts facts;
  facts.precision = precision_of(model);
  facts.size_bytes = resolved.size_bytes;
  facts.weight_bytes = weight_bytes(model);
  for (const auto& [name, tensor] : model.container().tensors())
    if (is_text(name)) facts.text_bytes += tensor.bytes.size();
  facts.parts = graph::count_cost(model.graph(), model.spec(), length, length);
  return facts;
}

}  // namespace litenat::cli
