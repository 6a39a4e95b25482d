// The blocks of a stack, for the builders of every family.
#pragma once

#include <string>

#include "graph/graph_builder.h"
#include "graph/model_spec.h"

namespace litenat::graph {

/// Appends the blocks of a resolved `stack` to x [rows, D] as "<prefix>.layers.I.*" and, for pre-norm, the
/// closing "<prefix>.layer_norm". `causal`: attention sees no later rows (convolutions follow their
/// own look_ahead). Returns the node of the result [rows, D].
int build_stack(GraphBuilder* builder, const std::string& prefix, const StackSpec& stack, int x, bool causal);

}  // namespace litenat::graph
