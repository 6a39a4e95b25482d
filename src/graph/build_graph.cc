#include <cmath>

#include "graph/build_blocks.h"
#include "graph/graph.h"
#include "graph/graph_builder.h"

namespace litenat::graph {
namespace {

constexpr int kFirstPosition = 2;  // rows 0 and 1 of a position table belong to padding

Status check_vocabulary(const char* field, int64_t size) {
  if (size > 0) return {};
  return invalid_argument(std::string(field) + ": expected the number of tokens, found " + std::to_string(size));
}

int build_embedding(GraphBuilder* builder, const ModelSpec& spec, int ids) {
  const EmbeddingSpec& embedding = spec.embedding;
  const float scale = embedding.scale ? static_cast<float>(std::sqrt(static_cast<double>(spec.dim))) : 1.0f;
  int x = builder->embedding("encoder.embed_tokens", ids, spec.source_vocabulary, embedding.dim, scale);
  const bool windowed = embedding.window_left + embedding.window_right > 0;
  if (windowed) x = builder->window("encoder.embed_window", x, embedding.window_left, embedding.window_right);
  if (windowed || embedding.dim != spec.dim) x = builder->linear("encoder.embed_project", x, spec.dim, true);
  if (embedding.positions == Positions::kNone) return x;
  const std::string name = "encoder.embed_positions";
  const int positions = embedding.positions == Positions::kLearned
                            ? builder->learned_positions(name, ids, int64_t{embedding.max_positions} + kFirstPosition,
                                                         spec.dim, kFirstPosition)
                            : builder->sinusoidal_positions(name, ids, spec.dim, kFirstPosition);
  return builder->add("encoder.embed_sum", x, positions);
}

void build_head(GraphBuilder* builder, const ModelSpec& spec, int states) {
  int x = states;
  if (spec.head.dim != spec.dim) x = builder->linear("head.project", x, spec.head.dim, false);
  builder->output(kEmissions, builder->linear("head.output", x, spec.target_vocabulary, spec.head.bias));
  if (spec.head.boundary) builder->output(kBoundary, builder->linear("head.boundary", states, 1, true));
}

Result<Graph> build_tagger(const ModelSpec& spec) {
  LITENAT_RETURN_IF_ERROR(check_vocabulary("source_vocabulary", spec.source_vocabulary));
  LITENAT_RETURN_IF_ERROR(check_vocabulary("target_vocabulary", spec.target_vocabulary));
  if (spec.head.kind == HeadKind::kJoint) return unsupported("head.kind: a tagger has no graph for a joint head");
  GraphBuilder builder;
  const int ids = builder.input("source", Domain::kSource);
  const int embedded = build_embedding(&builder, spec, ids);
  build_head(&builder, spec, build_stack(&builder, "encoder", spec.encoder, embedded, false));
  return builder.take();
}

}  // namespace

Result<Graph> build_graph(const ModelSpec& spec) {
  LITENAT_ASSIGN_OR_RETURN(const ModelSpec resolved, resolve(spec));
  if (resolved.family != Family::kTagger)
    return unsupported(std::string("family: this version has no graph for '") + kFamilyNames.name(resolved.family) +
                       "', only for 'tagger'");
  LITENAT_ASSIGN_OR_RETURN(Graph graph, build_tagger(resolved));
  LITENAT_RETURN_IF_ERROR(graph.check());
  return graph;
}

}  // namespace litenat::graph
