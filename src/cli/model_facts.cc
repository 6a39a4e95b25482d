#include "cli/model_facts.h"

#include "base/json.h"
#include "decode/parallel_decoder.h"

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

int64_t usual_target_length(const graph::ModelSpec& spec, int64_t source_length) {
  const bool by_ratio =
      spec.family == graph::Family::kNonAutoregressive && spec.decoder.length == graph::LengthKind::kRatio;
  return by_ratio ? decode::rows_by_ratio(spec.decoder.length_ratio, static_cast<int32_t>(source_length))
                  : source_length;
}

}  // namespace

uint64_t weight_bytes(const runtime::Model& model) {
  uint64_t bytes = 0;
  for (const auto& [name, tensor] : model.container().tensors())
    if (!is_text(name) && !is_padding(name)) bytes += tensor.bytes.size();
  return bytes;
}

graph::Cost ModelFacts::body() const {
  graph::Cost cost;
  cost.other_parameters = total().other_parameters;
  cost.multiply_adds = total().multiply_adds;
  for (const graph::PartCost& part : parts)
    if (part.part == "head") cost.multiply_adds -= part.cost.multiply_adds;
  return cost;
}

ModelFacts model_facts(const export_model::ResolvedModel& resolved, int64_t source_length, int64_t target_length) {
  const runtime::Model& model = *resolved.model;
  ModelFacts facts;
  facts.precision = precision_of(model);
  facts.size_bytes = resolved.size_bytes;
  facts.weight_bytes = weight_bytes(model);
  for (const auto& [name, tensor] : model.container().tensors())
    if (is_text(name)) facts.text_bytes += tensor.bytes.size();
  facts.source_length = source_length;
  if (graph::has_decoder(model.spec()))
    facts.target_length = target_length > 0 ? target_length : usual_target_length(model.spec(), source_length);
  facts.parts = graph::count_cost(model.graph(), model.spec(), source_length, facts.target_length);
  return facts;
}

}  // namespace litenat::cli
