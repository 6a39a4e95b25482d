#include "export/fairseq_names.h"

#include <array>

namespace litenat::export_model {
namespace {

using Use = FairseqName::Use;

bool ends_with(const std::string& text, const std::string& suffix) {
  return text.size() >= suffix.size() && text.compare(text.size() - suffix.size(), suffix.size(), suffix) == 0;
}

bool starts_with(const std::string& text, const std::string& prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

/// "encoder.layers.3.rest" -> "encoder.layers.3." and "rest"; false for other names.
bool split_layer(const std::string& name, std::string* layer, std::string* rest) {
  const std::string marker = ".layers.";
  const size_t at = name.find(marker);
  if (at == std::string::npos) return false;
  const size_t dot = name.find('.', at + marker.size());
  if (dot == std::string::npos) return false;
  *layer = name.substr(0, dot + 1);
  *rest = name.substr(dot + 1);
  return true;
}

/// Versions, caches of sinusoidal tables.
bool is_buffer(const std::string& name) {
  return name == "encoder.version" || name == "decoder.version" || ends_with(name, ".embed_positions._float_tensor") ||
         ends_with(name, ".embed_positions.weights");
}

/// fairseq 0.12 keeps the weights of encoder layers a second time, for torch's fused layer.
bool is_copy(const std::string& rest) {
  for (const char* part : {"in_proj", "out_proj", "fc1", "fc2"})
    for (const char* kind : {"_weight", "_bias"})
      if (rest == std::string(part) + kind) return true;
  return false;
}

/// The three projections of attentions that were saved as one.
FairseqName split_projections(const std::string& prefix, const std::string& kind) {
  FairseqName result;
  result.use = Use::kRows;
  for (const char* part : {"q_proj.", "k_proj.", "v_proj."}) result.names.push_back(prefix + part + kind);
  return result;
}

struct Rename {
  const char* from;
  const char* to;
};
// Prefixes of names inside a layer.
constexpr std::array<Rename, 3> kLayerNames{{{"self_attn_layer_norm.", "layer_norms.0."},
                                             {"conv_layer_norm.", "layer_norms.0."},
                                             {"final_layer_norm.", "layer_norms.1."}}};
// Decoders of early checkpoints number their norms.
constexpr std::array<Rename, 3> kEarlyDecoderNames{{{"layer_norms.0.", "layer_norms.0."},
                                                    {"layer_norms.1.", "encoder_attn_layer_norm."},
                                                    {"layer_norms.2.", "layer_norms.1."}}};
constexpr std::array<Rename, 4> kOtherNames{{{"decoder.output_projection.weight", "head.output.weight"},
                                             {"decoder.embed_out", "head.output.weight"},
                                             {"decoder.project_out_dim.weight", "head.project.weight"},
                                             {"decoder.project_in_dim.weight", "decoder.embed_project.weight"}}};

template <size_t N>
std::string rename_prefix(const std::array<Rename, N>& table, const std::string& name) {
  for (const Rename& row : table)
    if (starts_with(name, row.from)) return row.to + name.substr(std::string(row.from).size());
  return name;
}

FairseqName layer_name(const std::string& layer, const std::string& rest) {
  if (starts_with(layer, "encoder.") && is_copy(rest)) return {Use::kNothing, {}};
  for (const char* kind : {"weight", "bias"}) {
    const std::string joined = std::string("in_proj_") + kind;
    if (ends_with(rest, "attn." + joined) || ends_with(rest, "branches.0." + joined))
      return split_projections(layer + rest.substr(0, rest.size() - joined.size()), kind);
  }
  const std::string early = starts_with(layer, "decoder.") ? rename_prefix(kEarlyDecoderNames, rest) : rest;
  return {Use::kParameter, {layer + (early != rest ? early : rename_prefix(kLayerNames, rest))}};
}

std::string shared_name(const std::string& name, graph::Sharing share) {
  if (share != graph::Sharing::kNone && name == "head.output.weight")
    return share == graph::Sharing::kAll ? "encoder.embed_tokens.weight" : "decoder.embed_tokens.weight";
  if (share == graph::Sharing::kAll && name == "decoder.embed_tokens.weight") return "encoder.embed_tokens.weight";
  return name;
}

}  // namespace

FairseqName name_of_fairseq(const std::string& name, const graph::ModelSpec& spec) {
  if (is_buffer(name)) return {Use::kNothing, {}};
  // Every NAT decoder of fairseq has the table, also one that is told the length.
  if (name == "decoder.embed_length.weight" && spec.decoder.length == graph::LengthKind::kRatio)
    return {Use::kNothing, {}};
  std::string layer;
  std::string rest;
  if (split_layer(name, &layer, &rest)) return layer_name(layer, rest);
  for (const Rename& row : kOtherNames)
    if (name == row.from) return {Use::kParameter, {shared_name(row.to, spec.decoder.share)}};
  return {Use::kParameter, {shared_name(name, spec.decoder.share)}};
}

}  // namespace litenat::export_model
