#include <cmath>
#include <string>

#include "graph/build_blocks.h"
#include "graph/graph.h"
#include "graph/graph_builder.h"

namespace litenat::graph {
namespace {

constexpr int kFirstPosition = 2;  // rows 0 and 1 of a position table belong to padding
constexpr int kUnknownToken = 3;   // the mask of non-autoregressive inputs
constexpr const char* kSourceTable = "encoder.embed_tokens.weight";
constexpr const char* kTargetTable = "decoder.embed_tokens.weight";

Status check_vocabulary(const char* field, int64_t size) {
  if (size > 0) return {};
  return invalid_argument(std::string(field) + ": expected the number of tokens, found " + std::to_string(size));
}

/// One side's input: its table and what stands beside it in the graph.
struct EmbeddingSide {
  std::string prefix;  // "encoder", "decoder"
  std::string table;   // name of the weight, which the other side or the output may share
  int64_t vocabulary = 0;
  int64_t width = 0;  // D
};

/// The nodes of an embedded input.
struct Embedded {
  int tokens = 0;      // the tokens alone
  int positions = -1;  // -1: none
};

Embedded build_embedding(GraphBuilder* builder, const EmbeddingSpec& spec, const EmbeddingSide& side, int ids) {
  Embedded result;
  const std::string prefix = side.prefix + ".embed_";
  const float scale = spec.scale ? static_cast<float>(std::sqrt(static_cast<double>(side.width))) : 1.0f;
  int x = builder->embedding(prefix + "tokens", side.table, ids, side.vocabulary, spec.dim, scale);
  const bool windowed = spec.window_left + spec.window_right > 0;
  if (windowed) x = builder->window(prefix + "window", x, spec.window_left, spec.window_right);
  if (windowed || spec.dim != side.width) x = builder->linear(prefix + "project", x, side.width, true);
  result.tokens = x;
  if (spec.positions == Positions::kLearned)
    result.positions = builder->learned_positions(
        prefix + "positions", ids, int64_t{spec.max_positions} + kFirstPosition, side.width, kFirstPosition);
  if (spec.positions == Positions::kSinusoidal)
    result.positions = builder->sinusoidal_positions(prefix + "positions", ids, side.width, kFirstPosition);
  return result;
}

int add_positions(GraphBuilder* builder, const std::string& prefix, int x, int positions) {
  return positions < 0 ? x : builder->add(prefix + ".embed_sum", x, positions);
}

Embedded embed_source(GraphBuilder* builder, const ModelSpec& spec) {
  const int ids = builder->input(kSourceInput, Domain::kSource);
  return build_embedding(builder, spec.embedding, {"encoder", kSourceTable, spec.source_vocabulary, spec.dim}, ids);
}

/// Name of the weight that the output projection uses.
std::string output_table(const ModelSpec& spec) {
  if (!has_decoder(spec) || spec.decoder.share == Sharing::kNone) return "head.output.weight";
  return spec.decoder.share == Sharing::kAll ? kSourceTable : kTargetTable;
}

void build_head(GraphBuilder* builder, const ModelSpec& spec, int states) {
  int x = states;
  if (spec.head.dim != spec.dim) x = builder->linear("head.project", x, spec.head.dim, false);
  builder->output(kEmissions,
                  builder->linear_with("head.output", output_table(spec), x, spec.target_vocabulary, spec.head.bias));
  if (spec.head.boundary) builder->output(kBoundary, builder->linear("head.boundary", states, 1, true));
}

Graph build_tagger(const ModelSpec& spec) {
  GraphBuilder builder;
  const Embedded source = embed_source(&builder, spec);
  const int x = add_positions(&builder, "encoder", source.tokens, source.positions);
  build_head(&builder, spec, build_stack(&builder, "encoder", spec.encoder, x, false));
  return builder.take();
}

/// Logits of the target's length from the mean of the encoder's states.
void build_length(GraphBuilder* builder, const ModelSpec& spec, int states) {
  const int mean = builder->mean_pool("decoder.embed_length.mean", states);
  builder->output(kLength, builder->linear("decoder.embed_length", mean, spec.decoder.length_classes, false));
}

Embedded embed_target(GraphBuilder* builder, const ModelSpec& spec, int ids) {
  const std::string table = spec.decoder.share == Sharing::kAll ? kSourceTable : kTargetTable;
  return build_embedding(builder, spec.decoder.embedding, {"decoder", table, spec.target_vocabulary, spec.dim}, ids);
}

/// softmax(W p_t . (e_s + p_s)) e_s in the place of <unk> (Qian et al. 2021, arXiv:2008.07905).
int copy_source(GraphBuilder* builder, const Embedded& source, int source_sum, const Embedded& target, int ids) {
  const std::string name = "decoder.copy_attn";
  const int queries = builder->linear(name, target.positions, builder->columns(target.positions), false);
  const int copied = builder->cross_attention(name + ".mix", queries, source_sum, source.tokens, 1, 1.0f);
  return builder->choose(name + ".choose", ids, copied, target.tokens, kUnknownToken);
}

/// Families sequence and non_autoregressive. All nodes over the source and over sentences precede those over the
/// target.
Graph build_encoder_decoder(const ModelSpec& spec) {
  const DecoderSpec& decoder = spec.decoder;
  const bool parallel = spec.family == Family::kNonAutoregressive;
  GraphBuilder builder;
  const Embedded source = embed_source(&builder, spec);
  const int source_sum = add_positions(&builder, "encoder", source.tokens, source.positions);
  const int states = build_stack(&builder, "encoder", spec.encoder, source_sum, false);
  if (parallel && decoder.length == LengthKind::kPredicted) build_length(&builder, spec, states);
  const SourceAttention attention = build_source_attention(&builder, "decoder", decoder.stack.blocks.size(), states);

  const int ids = builder.input(kTargetInput, Domain::kTarget);
  const Embedded target = embed_target(&builder, spec, ids);
  int x = target.tokens;
  if (parallel && decoder.source_copy) x = copy_source(&builder, source, source_sum, target, ids);
  x = add_positions(&builder, "decoder", x, target.positions);
  const int repeated = parallel && decoder.layer_positions ? target.positions : -1;
  x = build_decoder_stack(&builder, "decoder", decoder, attention, x, repeated, !parallel);
  build_head(&builder, spec, x);
  return builder.take();
}

}  // namespace

Result<Graph> build_graph(const ModelSpec& spec) {
  LITENAT_ASSIGN_OR_RETURN(const ModelSpec resolved, resolve(spec));
  LITENAT_RETURN_IF_ERROR(check_vocabulary("source_vocabulary", resolved.source_vocabulary));
  LITENAT_RETURN_IF_ERROR(check_vocabulary("target_vocabulary", resolved.target_vocabulary));
  if (resolved.head.kind == HeadKind::kJoint)
    return unsupported("head.kind: this version has no graph for 'joint', expected softmax or crf");
  Graph graph = has_decoder(resolved) ? build_encoder_decoder(resolved) : build_tagger(resolved);
  LITENAT_RETURN_IF_ERROR(graph.check());
  return graph;
}

}  // namespace litenat::graph
