#include "runtime/plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "graph/graph.h"
#include "runtime/testing/sequence_specs.h"

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

/// When each node runs.
std::vector<size_t> times(const Graph& graph, const Plan& plan) {
  std::vector<size_t> time(graph.nodes.size());
  size_t now = 0;
  for (const auto* order : {&plan.encode, &plan.decode})
    for (const int i : *order) time[static_cast<size_t>(i)] = now++;
  return time;
}

/// When the memory of each node's value is needed for the last time.
std::vector<size_t> last_reads(const Graph& graph, const std::vector<size_t>& time) {
  const size_t forever = 2 * graph.nodes.size();
  std::vector<size_t> last(graph.nodes.size());
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const bool decodes = phase_of(graph.nodes[i]) == Phase::kDecode;
    last[i] = graph.nodes[i].op == Op::kOutput ? forever : time[i];
    for (const int input : graph.nodes[i].inputs) {
      const auto read = static_cast<size_t>(input);
      const bool stays = decodes && phase_of(graph.nodes[read]) == Phase::kEncode;
      last[read] = std::max(last[read], stays ? forever : time[i]);
    }
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

void expect_nothing_overwritten(const testing::NamedSpec& named) {
  const Graph graph = build(named.spec);
  const Plan plan = make_plan(graph);
  const std::vector<size_t> time = times(graph, plan);
  const std::vector<size_t> last = last_reads(graph, time);
  for (size_t i = 0; i < graph.nodes.size(); ++i)
    for (size_t j = 0; j < graph.nodes.size(); ++j) {
      if (time[j] <= time[i] ||
          !overlap(plan.values[i], graph.nodes[i].type.columns, plan.values[j], graph.nodes[j].type.columns))
        continue;
      const Op op = graph.nodes[j].op;
      const bool in_place = op == Op::kRelu || op == Op::kGelu || op == Op::kLayerNorm || op == Op::kAdd;
      EXPECT_TRUE(is_alias(graph, j, i) || last[i] < time[j] || (in_place && last[i] == time[j]))
          << named.name << ": " << graph.nodes[j].name << " overwrites " << graph.nodes[i].name;
    }
}

TEST(Plan, NothingIsOverwrittenBeforeItsLastRead) {
  for (const testing::NamedSpec& named : testing::all_specs()) expect_nothing_overwritten(named);
  for (const testing::NamedSpec& named : testing::all_sequence_specs()) expect_nothing_overwritten(named);
}

TEST(Plan, SlotsBelongToADomain) {
  for (const testing::NamedSpec& named : testing::all_sequence_specs()) {
    const Graph graph = build(named.spec);
    const Plan plan = make_plan(graph);
    for (size_t i = 0; i < graph.nodes.size(); ++i)
      for (const View& view : {plan.values[i], plan.temporaries[i]})
        if (view.slot >= 0) {
          EXPECT_EQ(plan.slot_domains[static_cast<size_t>(view.slot)], graph.nodes[i].type.domain);
        }
    EXPECT_EQ(plan.encode.size() + plan.decode.size(), graph.nodes.size());
  }
}

TEST(Plan, AStreamedProductHasNoSlotAndKeepsItsInput) {
  for (testing::NamedSpec named : testing::all_sequence_specs()) {
    named.spec.source_vocabulary = named.spec.target_vocabulary = 5000;
    const Graph graph = build(named.spec);
    const int output = graph.find_output(graph::kEmissions);
    const int product = graph.nodes[static_cast<size_t>(output)].inputs[0];
    const int input = graph.nodes[static_cast<size_t>(product)].inputs[0];
    const Plan plan = make_plan(graph, product);
    EXPECT_EQ(plan.values[static_cast<size_t>(product)].slot, -1);
    EXPECT_EQ(plan.values[static_cast<size_t>(output)].slot, -1);
    EXPECT_EQ(plan.encode.size() + plan.decode.size(), graph.nodes.size() - 2);
    const std::vector<size_t> time = times(graph, plan);
    for (const int i : plan.decode)
      if (time[static_cast<size_t>(i)] > time[static_cast<size_t>(input)]) {
        EXPECT_NE(plan.values[static_cast<size_t>(i)].slot, plan.values[static_cast<size_t>(input)].slot) << named.name;
      }
    EXPECT_LT(plan.total_columns(), 5000);
  }
}

}  // namespace
}  // namespace litenat::runtime
