#include "graph/model_spec.h"

#include <algorithm>
#include <string>

#include "base/json_fields.h"

namespace litenat::graph {
namespace {

constexpr size_t kMaxBlocks = 256;
constexpr int kMaxKernel = 255;

Status expand_blocks(const std::string& path, StackSpec* stack) {
  if (stack->repeat > 0) {
    if (stack->blocks.size() != 1)
      return invalid_argument(path + ".repeat: expected one entry in " + path + ".blocks to repeat, found " +
                              std::to_string(stack->blocks.size()));
    const BlockSpec block = stack->blocks[0];
    stack->blocks.assign(static_cast<size_t>(stack->repeat), block);
    stack->repeat = 0;
  }
  if (stack->blocks.size() > kMaxBlocks)
    return invalid_argument(path + ".blocks: expected at most " + std::to_string(kMaxBlocks) + " blocks, found " +
                            std::to_string(stack->blocks.size()));
  return {};
}

Status apply_kernels(const std::string& path, StackSpec* stack) {
  if (stack->kernels.empty()) return {};
  if (stack->kernels.size() != stack->blocks.size())
    return invalid_argument(path + ".kernels: expected one kernel for each of the " +
                            std::to_string(stack->blocks.size()) + " blocks, found " +
                            std::to_string(stack->kernels.size()));
  for (size_t i = 0; i < stack->kernels.size(); ++i) {
    const int kernel = stack->kernels[i];
    if (kernel < 1 || kernel > kMaxKernel)
      return invalid_argument(path + ".kernels[" + std::to_string(i) + "]: expected a value from 1 to " +
                              std::to_string(kMaxKernel) + ", found " + std::to_string(kernel));
    stack->blocks[i].conv.kernel = kernel;
  }
  stack->kernels.clear();
  return {};
}

Status check_divides(const std::string& field, int heads, int channels) {
  if (channels % heads == 0) return {};
  return invalid_argument(field + ": expected a divisor of the " + std::to_string(channels) + " channels, found " +
                          std::to_string(heads));
}

Status resolve_conv(const std::string& path, int default_dim, ConvSpec* conv) {
  if (conv->dim == 0) conv->dim = default_dim;
  if (conv->kind == ConvKind::kDepthwise) conv->heads = conv->dim;
  LITENAT_RETURN_IF_ERROR(check_divides(path + ".heads", conv->heads, conv->dim));
  if (conv->look_ahead >= conv->kernel)
    return invalid_argument(path + ".look_ahead: expected less than the kernel " + std::to_string(conv->kernel) +
                            ", found " + std::to_string(conv->look_ahead));
  if (conv->inner_glu && !conv->inner_linear)
    return invalid_argument(path + ".inner_glu: expected inner_linear to be on too, found it off");
  return {};
}

Status resolve_attention(const std::string& path, AttentionSpec* attention) {
  return check_divides(path + ".heads", attention->heads, attention->dim);
}

Status resolve_attention_block(const std::string& path, int dim, AttentionSpec* attention) {
  if (attention->dim == 0) attention->dim = dim;
  if (attention->dim != dim)
    return invalid_argument(path + ".dim: expected the model's width " + std::to_string(dim) + ", found " +
                            std::to_string(attention->dim));
  return resolve_attention(path, attention);
}

/// Splits the D channels: what one branch leaves open is what the other leaves over; both open: half each.
Status resolve_lsra_block(const std::string& path, int dim, BlockSpec* block) {
  int& attention = block->attention.dim;
  int& conv = block->conv.dim;
  if (attention == 0) attention = conv == 0 ? dim / 2 : dim - conv;
  if (conv == 0) conv = dim - attention;
  if (attention < 1 || conv < 1 || attention + conv != dim)
    return invalid_argument(path + ": expected attention.dim + conv.dim = " + std::to_string(dim) +
                            " with both above 0" + ", found " + std::to_string(attention) + " + " +
                            std::to_string(conv));
  if (block->conv.inner_linear)
    return invalid_argument(path + ".conv.inner_linear: expected false in an lsra block, found true");
  LITENAT_RETURN_IF_ERROR(resolve_attention(path + ".attention", &block->attention));
  return resolve_conv(path + ".conv", dim, &block->conv);
}

Status resolve_block(const std::string& path, int dim, BlockSpec* block) {
  switch (block->kind) {
    case BlockKind::kConv:
      return resolve_conv(path + ".conv", dim, &block->conv);
    case BlockKind::kAttention:
      return resolve_attention_block(path + ".attention", dim, &block->attention);
    case BlockKind::kLsra:
      return resolve_lsra_block(path, dim, block);
  }
  return internal_error(path + ".kind: a value outside the enum");
}

/// Bounds and enum values of every field, by the description that files are checked with.
Status check_fields(const ModelSpec& spec) {
  ModelSpec read;
  return fields_from_json(fields_to_json(spec), &read);
}

Status resolve_stack(const std::string& path, int dim, StackSpec* stack) {
  LITENAT_RETURN_IF_ERROR(expand_blocks(path, stack));
  LITENAT_RETURN_IF_ERROR(apply_kernels(path, stack));
  for (size_t i = 0; i < stack->blocks.size(); ++i)
    LITENAT_RETURN_IF_ERROR(resolve_block(path + ".blocks[" + std::to_string(i) + "]", dim, &stack->blocks[i]));
  return {};
}

/// An autoregressive decoder reads nothing that it has yet to write.
Status forbid_look_ahead(StackSpec* stack) {
  for (size_t i = 0; i < stack->blocks.size(); ++i) {
    BlockSpec& block = stack->blocks[i];
    if (block.kind == BlockKind::kAttention) continue;
    if (block.conv.look_ahead > 0)
      return invalid_argument("decoder.stack.blocks[" + std::to_string(i) +
                              "].conv.look_ahead: expected 0 for family = \"sequence\", found " +
                              std::to_string(block.conv.look_ahead));
    block.conv.look_ahead = 0;
  }
  return {};
}

/// Tables that are shared have one shape.
Status check_sharing(const ModelSpec& spec) {
  const Sharing share = spec.decoder.share;
  if (share == Sharing::kNone) return {};
  const int width = spec.decoder.embedding.dim;
  if (spec.head.dim != width)
    return invalid_argument("head.dim: expected the width of the target embedding that it shares, " +
                            std::to_string(width) + ", found " + std::to_string(spec.head.dim));
  if (share == Sharing::kOutput) return {};
  if (spec.embedding.dim != width)
    return invalid_argument("decoder.embedding.dim: expected the width of the source embedding that it shares, " +
                            std::to_string(spec.embedding.dim) + ", found " + std::to_string(width));
  if (spec.source_vocabulary != spec.target_vocabulary)
    return invalid_argument("decoder.share: \"all\" needs one dictionary for both sides, found " +
                            std::to_string(spec.source_vocabulary) + " source and " +
                            std::to_string(spec.target_vocabulary) + " target tokens");
  return {};
}

Status check_copying(const ModelSpec& spec) {
  const DecoderSpec& decoder = spec.decoder;
  const bool positions =
      spec.embedding.positions != Positions::kNone && decoder.embedding.positions != Positions::kNone;
  if (decoder.source_copy && !positions)
    return invalid_argument("decoder.source_copy: expected position embeddings on both sides, found none");
  if (decoder.layer_positions && decoder.embedding.positions == Positions::kNone)
    return invalid_argument("decoder.layer_positions: expected decoder.embedding.positions, found none");
  return {};
}

/// What only taggers have, and what each family's decoding can use.
Status check_decoder_head(const ModelSpec& spec) {
  const std::string family = std::string("family = \"") + kFamilyNames.name(spec.family) + "\"";
  if (spec.head.boundary || spec.head.syllable)
    return invalid_argument(std::string(spec.head.boundary ? "head.boundary" : "head.syllable") +
                            ": expected false for " + family + ", found true");
  if (spec.family == Family::kSequence && spec.head.kind == HeadKind::kCrf)
    return invalid_argument("head.kind: expected softmax for " + family + ", found crf");
  return {};
}

/// A shared output projection is as wide as the table that it shares.
int default_head_width(const ModelSpec& spec) {
  const bool shared = has_decoder(spec) && spec.decoder.share != Sharing::kNone;
  return shared && spec.decoder.embedding.dim != 0 ? spec.decoder.embedding.dim : spec.dim;
}

Status resolve_decoder(ModelSpec* spec) {
  DecoderSpec& decoder = spec->decoder;
  if (decoder.embedding.dim == 0) decoder.embedding.dim = spec->dim;
  if (decoder.embedding.window_left + decoder.embedding.window_right > 0)
    return invalid_argument("decoder.embedding.window: expected no window in a decoder, found one");
  LITENAT_RETURN_IF_ERROR(check_divides("decoder.cross_heads", decoder.cross_heads, spec->dim));
  LITENAT_RETURN_IF_ERROR(resolve_stack("decoder.stack", spec->dim, &decoder.stack));
  if (decoder.stack.blocks.empty()) return invalid_argument("decoder.stack.blocks: expected at least one, found none");
  LITENAT_RETURN_IF_ERROR(check_sharing(*spec));
  LITENAT_RETURN_IF_ERROR(check_decoder_head(*spec));
  if (spec->family == Family::kSequence) return forbid_look_ahead(&decoder.stack);
  return check_copying(*spec);
}

}  // namespace

Result<ModelSpec> resolve(const ModelSpec& spec) {
  ModelSpec resolved = spec;
  LITENAT_RETURN_IF_ERROR(check_fields(spec));
  if (resolved.embedding.dim == 0) resolved.embedding.dim = resolved.dim;
  LITENAT_RETURN_IF_ERROR(resolve_stack("encoder", resolved.dim, &resolved.encoder));
  if (resolved.head.dim == 0) resolved.head.dim = default_head_width(resolved);
  if (has_decoder(resolved)) LITENAT_RETURN_IF_ERROR(resolve_decoder(&resolved));
  return resolved;
}

std::string to_json(const ModelSpec& spec) { return fields_to_json(spec).dump(); }

Result<ModelSpec> model_spec_from_json(const std::string& json) {
  LITENAT_ASSIGN_OR_RETURN(const Json parsed, Json::parse(json));
  ModelSpec spec;
  LITENAT_RETURN_IF_ERROR(fields_from_json(parsed, &spec));
  return spec;
}

}  // namespace litenat::graph
