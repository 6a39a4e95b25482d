#include "graph/graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace litenat::graph {
namespace {

ModelSpec small_spec() {
  ModelSpec spec;
  spec.dim = 8;
  spec.source_vocabulary = 10;
  spec.target_vocabulary = 12;
  spec.encoder.blocks.resize(1);
  BlockSpec& block = spec.encoder.blocks[0];
  block.ffn_dim = 16;
  block.conv.heads = 2;
  block.attention.heads = 2;
  return spec;
}

Graph build(const ModelSpec& spec) {
  Result<Graph> graph = build_graph(spec);
  EXPECT_TRUE(graph.ok()) << graph.status().message();
  return graph.ok() ? std::move(graph).value() : Graph();
}

std::vector<int64_t> shape_of(const Graph& graph, const std::string& name) {
  for (const Weight& weight : graph.weights)
    if (weight.name == name) return weight.shape;
  return {};
}

std::vector<std::string> weight_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const Weight& weight : graph.weights) names.push_back(weight.name);
  std::sort(names.begin(), names.end());
  return names;
}

Cost total(const ModelSpec& spec, int64_t length) {
  return count_cost(build(spec), resolve(spec).value(), length, 0).back().cost;
}

using Shape = std::vector<int64_t>;

TEST(BuildGraph, NamesTheWeightsOfADynamicBlock) {
  const Graph graph = build(small_spec());
  const std::vector<std::string> expected = {"encoder.embed_tokens.weight",
                                             "encoder.layers.0.conv.weight_linear.weight",
                                             "encoder.layers.0.fc1.bias",
                                             "encoder.layers.0.fc1.weight",
                                             "encoder.layers.0.fc2.bias",
                                             "encoder.layers.0.fc2.weight",
                                             "encoder.layers.0.layer_norms.0.bias",
                                             "encoder.layers.0.layer_norms.0.weight",
                                             "encoder.layers.0.layer_norms.1.bias",
                                             "encoder.layers.0.layer_norms.1.weight",
                                             "encoder.layers.0.linear1.bias",
                                             "encoder.layers.0.linear1.weight",
                                             "encoder.layers.0.linear2.bias",
                                             "encoder.layers.0.linear2.weight",
                                             "head.output.bias",
                                             "head.output.weight"};
  EXPECT_EQ(weight_names(graph), expected);
  EXPECT_EQ(shape_of(graph, "encoder.layers.0.linear1.weight"), (Shape{16, 8}));
  EXPECT_EQ(shape_of(graph, "encoder.layers.0.conv.weight_linear.weight"), (Shape{6, 8}));
  EXPECT_EQ(graph.nodes[static_cast<size_t>(graph.find_output(kEmissions))].type.columns, 12);
  EXPECT_EQ(graph.find_output(kBoundary), -1);
}

TEST(BuildGraph, NamesTheWeightsOfOtherBlocks) {
  ModelSpec spec = small_spec();
  spec.encoder.pre_norm = true;
  spec.encoder.repeat = 0;
  BlockSpec block = spec.encoder.blocks[0];
  block.conv.kind = ConvKind::kLightweight;
  block.conv.inner_linear = block.conv.inner_glu = true;
  spec.encoder.blocks[0] = block;
  block.kind = BlockKind::kAttention;
  spec.encoder.blocks.push_back(block);
  block.kind = BlockKind::kLsra;
  block.conv.inner_linear = block.conv.inner_glu = false;
  spec.encoder.blocks.push_back(block);
  const Graph graph = build(spec);
  EXPECT_EQ(shape_of(graph, "encoder.layers.0.conv.weight"), (Shape{2, 3}));
  EXPECT_EQ(shape_of(graph, "encoder.layers.0.conv.linear1.weight"), (Shape{16, 8}));
  EXPECT_EQ(shape_of(graph, "encoder.layers.0.conv.linear2.weight"), (Shape{8, 8}));
  EXPECT_EQ(shape_of(graph, "encoder.layers.1.self_attn.q_proj.weight"), (Shape{8, 8}));
  EXPECT_EQ(shape_of(graph, "encoder.layers.2.self_attn.branches.0.out_proj.bias"), (Shape{4}));
  EXPECT_EQ(shape_of(graph, "encoder.layers.2.self_attn.branches.1.linear1.weight"), (Shape{8, 4}));
  EXPECT_EQ(shape_of(graph, "encoder.layers.2.self_attn.branches.1.weight"), (Shape{2, 3}));
  EXPECT_EQ(shape_of(graph, "encoder.layers.2.self_attn.branches.1.linear2.weight"), (Shape{4, 4}));
  EXPECT_EQ(shape_of(graph, "encoder.layer_norm.weight"), (Shape{8}));
}

TEST(BuildGraph, EmbeddingsAndHeads) {
  ModelSpec spec = small_spec();
  spec.embedding.dim = 3;
  spec.embedding.window_left = 1;
  spec.embedding.window_right = 2;
  spec.embedding.positions = Positions::kLearned;
  spec.embedding.max_positions = 6;
  spec.head.dim = 5;
  spec.head.bias = false;
  spec.head.boundary = true;
  const Graph graph = build(spec);
  EXPECT_EQ(shape_of(graph, "encoder.embed_tokens.weight"), (Shape{10, 3}));
  EXPECT_EQ(shape_of(graph, "encoder.embed_project.weight"), (Shape{8, 12}));
  EXPECT_EQ(shape_of(graph, "encoder.embed_positions.weight"), (Shape{8, 8}));
  EXPECT_EQ(shape_of(graph, "head.project.weight"), (Shape{5, 8}));
  EXPECT_EQ(shape_of(graph, "head.project.bias"), Shape());
  EXPECT_EQ(shape_of(graph, "head.output.weight"), (Shape{12, 5}));
  EXPECT_EQ(shape_of(graph, "head.output.bias"), Shape());
  EXPECT_EQ(shape_of(graph, "head.boundary.weight"), (Shape{1, 8}));
  EXPECT_GE(graph.find_output(kBoundary), 0);
}

TEST(BuildGraph, SaysWhatItCannotBuild) {
  ModelSpec spec = small_spec();
  spec.head.kind = HeadKind::kJoint;
  EXPECT_EQ(build_graph(spec).status().code(), StatusCode::kUnsupported);
  spec = small_spec();
  spec.target_vocabulary = 0;
  EXPECT_EQ(build_graph(spec).status().message(), "target_vocabulary: expected the number of tokens, found 0");
}

// linear1 16x8+16, weight_linear 6x8, linear2 8x8+8, two norms 2x8 each, fc1 16x8+16, fc2 8x16+8.
TEST(CountCost, DynamicBlockByHand) {
  const Cost cost = total(small_spec(), 5);
  EXPECT_EQ(cost.embedding_parameters, 10 * 8 + (12 * 8 + 12));
  EXPECT_EQ(cost.other_parameters, 144 + 48 + 72 + 32 + 144 + 136);
  EXPECT_EQ(cost.multiply_adds, 5 * (128 + 48 + 3 * 8 + 64 + 128 + 128 + 96));
}

TEST(CountCost, AttentionBlockByHand) {
  ModelSpec spec = small_spec();
  spec.encoder.blocks[0].kind = BlockKind::kAttention;
  spec.encoder.blocks[0].ffn_dim = 0;
  const Cost cost = total(spec, 5);
  EXPECT_EQ(cost.other_parameters, 4 * 72 + 16);
  EXPECT_EQ(cost.multiply_adds, 5 * (4 * 64 + 96) + 2 * 5 * 5 * 8);
}

TEST(CountCost, CrfTablesCountUnderTheHead) {
  ModelSpec spec = small_spec();
  const int64_t before = total(spec, 1).embedding_parameters;
  spec.head.kind = HeadKind::kCrf;
  spec.head.crf_rank = 4;
  EXPECT_EQ(total(spec, 1).embedding_parameters - before, 2 * 12 * 4);
}

TEST(CountCost, PartsInOrderOfExecution) {
  ModelSpec spec = small_spec();
  spec.encoder.repeat = 2;
  std::vector<std::string> parts;
  for (const PartCost& row : count_cost(build(spec), resolve(spec).value(), 1, 0)) parts.push_back(row.part);
  EXPECT_EQ(parts, (std::vector<std::string>{"embedding", "encoder.layers.0", "encoder.layers.1", "head", "total"}));
}

TEST(Print, OneLineANode) {
  ModelSpec spec = small_spec();
  const Graph graph = build(spec);
  const std::string text = print(graph);
  EXPECT_EQ(static_cast<size_t>(std::count(text.begin(), text.end(), '\n')), graph.nodes.size());
  EXPECT_NE(text.find("encoder.layers.0.linear1 = linear(%1) : f32[source, 16] encoder.layers.0.linear1.weight[16,8] "
                      "encoder.layers.0.linear1.bias[16]\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("kernel=3 pad_left=1 heads=2"), std::string::npos) << text;
}

/// A graph that has every operation.
Graph full_graph() {
  ModelSpec spec = small_spec();
  spec.embedding.window_left = 1;
  spec.embedding.positions = Positions::kLearned;
  BlockSpec block = spec.encoder.blocks[0];
  block.conv.kind = ConvKind::kLightweight;
  spec.encoder.blocks.push_back(block);
  block.kind = BlockKind::kLsra;
  block.activation = Activation::kGelu;
  spec.encoder.blocks.push_back(block);
  return build(spec);
}

Node& find(Graph* graph, Op op) {
  return *std::find_if(graph->nodes.begin(), graph->nodes.end(), [op](const Node& n) { return n.op == op; });
}

struct Damage {
  const char* what;
  std::function<void(Graph*)> apply;
};

const Damage kDamages[] = {
    {"a later input", [](Graph* g) { find(g, Op::kRelu).inputs[0] = static_cast<int>(g->nodes.size()) - 1; }},
    {"itself as input", [](Graph* g) { find(g, Op::kEmbedding).inputs[0] = 1; }},
    {"a negative input", [](Graph* g) { find(g, Op::kRelu).inputs[0] = -1; }},
    {"too few inputs", [](Graph* g) { find(g, Op::kAdd).inputs.pop_back(); }},
    {"too many inputs", [](Graph* g) { find(g, Op::kRelu).inputs.push_back(1); }},
    {"no inputs to concat", [](Graph* g) { find(g, Op::kConcat).inputs.clear(); }},
    {"a missing weight", [](Graph* g) { find(g, Op::kLayerNorm).weights.pop_back(); }},
    {"a weight out of range", [](Graph* g) { find(g, Op::kLinear).weights[0] = 10000; }},
    {"a weight's shape", [](Graph* g) { g->weights[static_cast<size_t>(find(g, Op::kLinear).weights[0])].shape[1]++; }},
    {"a bias's shape", [](Graph* g) { g->weights[static_cast<size_t>(find(g, Op::kLinear).weights[1])].shape[0]++; }},
    {"the gain's shape",
     [](Graph* g) { g->weights[static_cast<size_t>(find(g, Op::kLayerNorm).weights[0])].shape[0]++; }},
    {"the table's rank", [](Graph* g) { g->weights[0].shape.push_back(1); }},
    {"a zero extent", [](Graph* g) { g->weights[0].shape[0] = 0; }},
    {"a weight's name twice", [](Graph* g) { g->weights[1].name = g->weights[0].name; }},
    {"a node's name twice", [](Graph* g) { g->nodes[2].name = g->nodes[1].name; }},
    {"no name", [](Graph* g) { g->nodes[2].name = ""; }},
    {"columns of relu", [](Graph* g) { find(g, Op::kRelu).type.columns++; }},
    {"columns of gelu", [](Graph* g) { find(g, Op::kGelu).type.columns = 0; }},
    {"columns of glu", [](Graph* g) { find(g, Op::kGlu).type.columns++; }},
    {"columns of add",
     [](Graph* g) {
       find(g, Op::kAdd).inputs[1] = 1;
       find(g, Op::kAdd).inputs[0] = 2;
     }},
    {"columns of window", [](Graph* g) { find(g, Op::kWindow).attributes.right = 5; }},
    {"a negative window", [](Graph* g) { find(g, Op::kWindow).attributes.left = -1; }},
    {"the slice's end", [](Graph* g) { find(g, Op::kSlice).attributes.end = 100; }},
    {"the slice's begin", [](Graph* g) { find(g, Op::kSlice).attributes.begin = 3; }},
    {"columns of concat", [](Graph* g) { find(g, Op::kConcat).inputs.pop_back(); }},
    {"heads of light conv", [](Graph* g) { find(g, Op::kLightConv).attributes.heads = 0; }},
    {"kernel of light conv", [](Graph* g) { find(g, Op::kLightConv).attributes.kernel = 5; }},
    {"padding of light conv", [](Graph* g) { find(g, Op::kLightConv).attributes.pad_left = 3; }},
    {"heads of dynamic conv", [](Graph* g) { find(g, Op::kDynamicConv).attributes.heads = 3; }},
    {"logits of dynamic conv", [](Graph* g) { find(g, Op::kDynamicConv).attributes.kernel = 2; }},
    {"heads of attention", [](Graph* g) { find(g, Op::kSelfAttention).attributes.heads = 3; }},
    {"columns of v", [](Graph* g) { find(g, Op::kSelfAttention).inputs[2] = 1; }},
    {"the type of ids", [](Graph* g) { g->nodes[0].type.dtype = DataType::kF32; }},
    {"floats as ids", [](Graph* g) { find(g, Op::kPositions).inputs[0] = 1; }},
    {"ids as floats", [](Graph* g) { find(g, Op::kWindow).inputs[0] = 0; }},
    {"the domain", [](Graph* g) { find(g, Op::kRelu).type.domain = Domain::kTarget; }},
    {"epsilon", [](Graph* g) { find(g, Op::kLayerNorm).attributes.epsilon = 0; }},
    {"no output", [](Graph* g) { g->nodes.pop_back(); }},
};

TEST(CheckGraph, FindsEveryKindOfDamage) {
  ASSERT_TRUE(full_graph().check().ok());
  for (const Damage& damage : kDamages) {
    Graph graph = full_graph();
    damage.apply(&graph);
    EXPECT_EQ(graph.check().code(), StatusCode::kInternal) << damage.what;
  }
}

}  // namespace
}  // namespace litenat::graph
