#include "runtime/plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "graph/graph.h"
#include "runtime/testing/specs.h"

namespace litenat::runtime {
namespace {

using graph::Graph;
using graph::Op;

Graph build(const graph::ModelSpec& spec) { return graph::build_graph(spec).value(); }

int64_t columns_for_depth(graph::ModelSpec spec, size_t depth) {
  spec.encoder.blocks.assign(depth, spec.encoder.blocks[0]);
  return make_plan(build(spec)).total_columns();
}

TEST(Plan, MemoryDoesNotGrowWithDepth) {
  for (const testing::NamedSpec& named : testing::block_specs())
    EXPECT_EQ(columns_for_depth(named.spec, 12), columns_for_depth(named.spec, 2)) << named.name;
}

TEST(Plan, ElementwiseOperationsOverwriteTheirInput) {
  const Graph graph = build(testing::base_spec());
  const Plan plan = make_plan(graph);
  for (size_t i = 0; i < graph.nodes.size(); ++i)
    if (graph.nodes[i].op == Op::kRelu || graph.nodes[i].op == Op::kLayerNorm) {
      EXPECT_TRUE(plan.values[i] == plan.values[static_cast<size_t>(graph.nodes[i].inputs[0])]) << graph.nodes[i].name;
    }
}

TEST(Plan, BranchesReadAndWriteInPlace) {
  graph::ModelSpec spec = testing::base_spec();
  for (graph::BlockSpec& block : spec.encoder.blocks) block.kind = graph::BlockKind::kLsra;
  const Graph graph = build(spec);
  const Plan plan = make_plan(graph);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const graph::Node& node = graph.nodes[i];
    if (node.op == Op::kSlice) {
      EXPECT_EQ(plan.values[i].slot, plan.values[static_cast<size_t>(node.inputs[0])].slot) << node.name;
    }
    if (node.op != Op::kConcat) continue;
    EXPECT_TRUE(plan.values[static_cast<size_t>(node.inputs[0])] == plan.values[i]);
    EXPECT_EQ(plan.values[static_cast<size_t>(node.inputs[1])].offset, 12);
    EXPECT_EQ(plan.values[static_cast<size_t>(node.inputs[1])].stride, 24);
  }
}

/// The last node that needs the memory of each node's value.
std::vector<size_t> last_reads(const Graph& graph) {
  std::vector<size_t> last(graph.nodes.size());
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    last[i] = graph.nodes[i].op == Op::kOutput ? graph.nodes.size() : i;
    for (const int input : graph.nodes[i].inputs) last[static_cast<size_t>(input)] = i;
  }
  // A view's readers read its source.
  for (size_t i = graph.nodes.size(); i-- > 0;)
    if (graph.nodes[i].op == Op::kSlice || graph.nodes[i].op == Op::kOutput || graph.nodes[i].op == Op::kConcat)
      for (const int input : graph.nodes[i].inputs) {
        size_t& source = last[static_cast<size_t>(input)];
        source = std::max(source, last[i]);
      }
  return last;
}

bool is_alias(const Graph& graph, size_t node, size_t of) {
  const graph::Node& n = graph.nodes[node];
  return (n.op == Op::kSlice || n.op == Op::kOutput || n.op == Op::kConcat) &&
         std::find(n.inputs.begin(), n.inputs.end(), static_cast<int>(of)) != n.inputs.end();
}

/// True when the columns of the two views overlap.
bool overlap(const View& a, int64_t a_columns, const View& b, int64_t b_columns) {
  if (a.slot < 0 || a.slot != b.slot) return false;
  if (a.stride != b.stride) return true;  // rows of different width: taken to overlap
  return a.offset < b.offset + b_columns && b.offset < a.offset + a_columns;
}

TEST(Plan, NothingIsOverwrittenBeforeItsLastRead) {
  for (const testing::NamedSpec& named : testing::all_specs()) {
    const Graph graph = build(named.spec);
    const Plan plan = make_plan(graph);
    const std::vector<size_t> last = last_reads(graph);
    for (size_t i = 0; i < graph.nodes.size(); ++i)
      for (size_t j = i + 1; j < graph.nodes.size(); ++j) {
        if (!overlap(plan.values[i], graph.nodes[i].type.columns, plan.values[j], graph.nodes[j].type.columns))
          continue;
        const Op op = graph.nodes[j].op;
        const bool in_place = op == Op::kRelu || op == Op::kGelu || op == Op::kLayerNorm || op == Op::kAdd;
        EXPECT_TRUE(is_alias(graph, j, i) || last[i] < j || (in_place && last[i] == j))
            << named.name << ": " << graph.nodes[j].name << " overwrites " << graph.nodes[i].name;
      }
  }
}

}  // namespace
}  // namespace litenat::runtime
