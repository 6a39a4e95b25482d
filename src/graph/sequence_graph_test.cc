// Graphs and costs of models with a decoder, against the published sizes of their architectures.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "graph/graph.h"

namespace litenat::graph {
namespace {

constexpr int64_t kVocabulary = 32768;

using Shape = std::vector<int64_t>;

Graph build(const ModelSpec& spec) {
  Result<Graph> graph = build_graph(spec);
  EXPECT_TRUE(graph.ok()) << graph.status().message();
  return graph.ok() ? std::move(graph).value() : Graph();
}

const Node* find(const Graph& graph, const std::string& name) {
  for (const Node& node : graph.nodes)
    if (node.name == name) return &node;
  return nullptr;
}

int index_of(const Graph& graph, const std::string& name) {
  const Node* node = find(graph, name);
  return node == nullptr ? -1 : static_cast<int>(node - graph.nodes.data());
}

Shape shape_of(const Graph& graph, const std::string& name) {
  for (const Weight& weight : graph.weights)
    if (weight.name == name) return weight.shape;
  return {};
}

/// Names of the weights of a node.
std::vector<std::string> weights_of(const Graph& graph, const std::string& node) {
  std::vector<std::string> names;
  for (const int index : find(graph, node)->weights) names.push_back(graph.weights[static_cast<size_t>(index)].name);
  return names;
}

/// Names of a node's inputs.
std::vector<std::string> inputs_of(const Graph& graph, const std::string& node) {
  std::vector<std::string> names;
  for (const int index : find(graph, node)->inputs) names.push_back(graph.nodes[static_cast<size_t>(index)].name);
  return names;
}

/// Sums of the parts whose names begin with `prefix`.
Cost cost_of(const ModelSpec& spec, const std::string& prefix, int64_t source_length, int64_t target_length) {
  Cost sum;
  for (const PartCost& row : count_cost(build(spec), resolve(spec).value(), source_length, target_length)) {
    if (row.part.compare(0, prefix.size(), prefix) != 0) continue;
    sum.multiply_adds += row.cost.multiply_adds;
    sum.embedding_parameters += row.cost.embedding_parameters;
    sum.other_parameters += row.cost.other_parameters;
  }
  return sum;
}

/// conv_crf_transformer at its published sizes: 6 + 6 layers, kernels 3 5 5 7 15 15, three tables of their own.
ModelSpec conv_crf_nat() {
  ModelSpec spec;
  spec.family = Family::kNonAutoregressive;
  spec.dim = 512;
  spec.source_vocabulary = spec.target_vocabulary = kVocabulary;
  BlockSpec block;
  block.conv.inner_linear = block.conv.inner_glu = true;
  block.ffn_dim = 2048;
  spec.encoder.blocks = {block};
  spec.encoder.repeat = 6;
  spec.encoder.kernels = {3, 5, 5, 7, 15, 15};
  spec.embedding.positions = Positions::kLearned;
  spec.embedding.max_positions = 254;
  spec.decoder.embedding = spec.embedding;
  spec.decoder.stack = spec.encoder;
  spec.decoder.share = Sharing::kNone;
  spec.head.kind = HeadKind::kCrf;
  spec.head.bias = false;
  return spec;
}

/// Lite Transformer of width `dim`: 6 + 6 LSRA layers with dynamic convolutions, flattened feed-forward layers.
ModelSpec lite_transformer(int dim) {
  ModelSpec spec;
  spec.family = Family::kSequence;
  spec.dim = dim;
  spec.source_vocabulary = spec.target_vocabulary = kVocabulary;
  BlockSpec block;
  block.kind = BlockKind::kLsra;
  block.attention.heads = 4;
  block.conv.heads = 4;
  block.ffn_dim = dim;
  spec.encoder.blocks = {block};
  spec.encoder.repeat = 6;
  spec.encoder.kernels = {3, 7, 15, 31, 31, 31};
  spec.embedding.scale = true;
  spec.embedding.positions = Positions::kSinusoidal;
  spec.decoder.embedding = spec.embedding;
  spec.decoder.stack = spec.encoder;
  spec.head.bias = false;
  return spec;
}

ModelSpec small(Family family) {
  ModelSpec spec;
  spec.family = family;
  spec.dim = 8;
  spec.source_vocabulary = spec.target_vocabulary = 12;
  BlockSpec block;
  block.kind = BlockKind::kAttention;
  block.attention.heads = 2;
  block.ffn_dim = 16;
  spec.encoder.blocks = {block, block};
  spec.embedding.positions = Positions::kLearned;
  spec.embedding.max_positions = 6;
  spec.decoder.embedding = spec.embedding;
  spec.decoder.stack.blocks = {block, block};
  spec.decoder.cross_heads = 2;
  spec.decoder.length_classes = 9;
  spec.head.bias = false;
  return spec;
}

TEST(Sizes, ConvCrfNatHasThePublishedParameters) {
  const ModelSpec spec = conv_crf_nat();
  const Cost total = cost_of(spec, "total", 32, 64);
  EXPECT_EQ(total.parameters(), 103936000);
  EXPECT_EQ(cost_of(spec, "encoder.layers", 1, 1).other_parameters, 22270976);
  EXPECT_EQ(cost_of(spec, "decoder.layers", 1, 1).other_parameters, 28580864);
  EXPECT_EQ(cost_of(spec, "decoder.length", 1, 1).other_parameters, 256 * 512);
  EXPECT_EQ(cost_of(spec, "decoder.copy", 1, 1).other_parameters, 512 * 512);
  EXPECT_EQ(cost_of(spec, "head", 1, 1).embedding_parameters, kVocabulary * (512 + 2 * 32));
  EXPECT_EQ(total.embedding_parameters, 3 * kVocabulary * 512 + 2 * kVocabulary * 32 + 2 * 256 * 512);
}

struct LiteSize {
  int dim;
  int64_t encoder;
  int64_t decoder;
  double mega_multiply_adds;  // 30 + 30 tokens, without embeddings and softmax
};
const LiteSize kLiteSizes[] = {
    {200, 958600, 1925800, 90.7}, {408, 3864984, 7874808, 360.6}, {496, 5680688, 11602928, 528.7}};

TEST(Sizes, LiteTransformerHasThePublishedParametersAndCompute) {
  for (const LiteSize& size : kLiteSizes) {
    const ModelSpec spec = lite_transformer(size.dim);
    const Cost total = cost_of(spec, "total", 30, 30);
    EXPECT_EQ(cost_of(spec, "encoder", 30, 30).other_parameters, size.encoder);
    EXPECT_EQ(cost_of(spec, "decoder", 30, 30).other_parameters, size.decoder);
    EXPECT_EQ(total.embedding_parameters, kVocabulary * size.dim) << "one table for all three, counted once";
    EXPECT_EQ(total.other_parameters, size.encoder + size.decoder);
    const int64_t softmax = cost_of(spec, "head", 30, 30).multiply_adds;
    EXPECT_EQ(softmax, 30 * kVocabulary * size.dim);
    EXPECT_NEAR(static_cast<double>(total.multiply_adds - softmax) * 1e-6, size.mega_multiply_adds, 0.05) << size.dim;
  }
}

TEST(Sizes, LiteTransformerWithBranchesOf256) {
  const ModelSpec spec = lite_transformer(512);
  EXPECT_EQ(cost_of(spec, "encoder", 1, 1).other_parameters, 6048256);
  EXPECT_EQ(cost_of(spec, "decoder", 1, 1).other_parameters, 12358144);
  EXPECT_EQ(cost_of(spec, "total", 1, 1).parameters(), 35183616);
}

// q, k, v, out 8x8+8, fc1 16x8+16, fc2 8x16+8, norms 2x8; positions 8x8; table 12x8.
TEST(Sizes, SmallSequenceByHand) {
  const Cost cost = cost_of(small(Family::kSequence), "total", 5, 3);
  const int64_t attention = 4 * 72 + 16;
  const int64_t feed_forward = 144 + 136 + 16;
  EXPECT_EQ(cost.other_parameters, 2 * (attention + feed_forward) + 2 * (2 * attention + feed_forward));
  EXPECT_EQ(cost.embedding_parameters, 12 * 8 + 2 * 64);
  const int64_t encoder = 5 * (4 * 64 + 2 * 128) + 2 * 5 * 5 * 8;
  const int64_t decoder = 3 * (4 * 64 + 2 * 128) + 2 * 3 * 3 * 8 + (2 * 3 + 2 * 5) * 64 + 2 * 3 * 5 * 8;
  EXPECT_EQ(cost.multiply_adds, 2 * encoder + 2 * decoder + 3 * 12 * 8);
}

TEST(Sizes, WhatOnlyNonAutoregressiveModelsHave) {
  const Cost sequence = cost_of(small(Family::kSequence), "total", 5, 3);
  const Cost parallel = cost_of(small(Family::kNonAutoregressive), "total", 5, 3);
  EXPECT_EQ(parallel.other_parameters - sequence.other_parameters, 9 * 8 + 8 * 8);
  EXPECT_EQ(parallel.multiply_adds - sequence.multiply_adds, 5 * 8 + 9 * 8 + 3 * 64 + 2 * 3 * 5 * 8);
}

TEST(BuildSequence, NamesWeightsOfADecoder) {
  ModelSpec spec = small(Family::kSequence);
  spec.decoder.share = Sharing::kNone;
  spec.decoder.stack.pre_norm = true;
  spec.decoder.embedding.dim = 3;
  spec.head.dim = 5;
  const Graph graph = build(spec);
  EXPECT_EQ(shape_of(graph, "decoder.embed_tokens.weight"), (Shape{12, 3}));
  EXPECT_EQ(shape_of(graph, "decoder.embed_project.weight"), (Shape{8, 3}));
  EXPECT_EQ(shape_of(graph, "decoder.embed_project.bias"), (Shape{8}));
  EXPECT_EQ(shape_of(graph, "decoder.embed_positions.weight"), (Shape{8, 8}));
  for (const char* name : {"q_proj", "k_proj", "v_proj", "out_proj"}) {
    EXPECT_EQ(shape_of(graph, std::string("decoder.layers.1.encoder_attn.") + name + ".weight"), (Shape{8, 8}));
    EXPECT_EQ(shape_of(graph, std::string("decoder.layers.1.encoder_attn.") + name + ".bias"), (Shape{8}));
  }
  EXPECT_EQ(shape_of(graph, "decoder.layers.0.encoder_attn_layer_norm.weight"), (Shape{8}));
  EXPECT_EQ(shape_of(graph, "decoder.layers.0.layer_norms.1.weight"), (Shape{8}));
  EXPECT_EQ(shape_of(graph, "decoder.layer_norm.bias"), (Shape{8}));
  EXPECT_EQ(shape_of(graph, "head.project.weight"), (Shape{5, 8}));
  EXPECT_EQ(shape_of(graph, "head.output.weight"), (Shape{12, 5}));
  EXPECT_EQ(graph.find_output(kLength), -1);
}

TEST(BuildSequence, SharesTables) {
  ModelSpec spec = small(Family::kSequence);
  spec.head.bias = true;
  const Graph all = build(spec);
  EXPECT_EQ(weights_of(all, "encoder.embed_tokens"), weights_of(all, "decoder.embed_tokens"));
  EXPECT_EQ(weights_of(all, "head.output"),
            (std::vector<std::string>{"encoder.embed_tokens.weight", "head.output.bias"}));
  EXPECT_EQ(shape_of(all, "decoder.embed_tokens.weight"), Shape());
  spec.decoder.share = Sharing::kOutput;
  const Graph output = build(spec);
  EXPECT_EQ(weights_of(output, "head.output"),
            (std::vector<std::string>{"decoder.embed_tokens.weight", "head.output.bias"}));
  EXPECT_EQ(weights_of(output, "encoder.embed_tokens"), (std::vector<std::string>{"encoder.embed_tokens.weight"}));
}

TEST(BuildSequence, FactorisedTablesAreSharedAtTheirWidth) {
  ModelSpec spec = small(Family::kSequence);
  spec.embedding.dim = spec.decoder.embedding.dim = 4;
  const Graph graph = build(spec);
  EXPECT_EQ(shape_of(graph, "encoder.embed_tokens.weight"), (Shape{12, 4}));
  EXPECT_EQ(shape_of(graph, "head.project.weight"), (Shape{4, 8}));
  EXPECT_EQ(shape_of(graph, "decoder.embed_project.weight"), (Shape{8, 4}));
  EXPECT_EQ(weights_of(graph, "head.output"), (std::vector<std::string>{"encoder.embed_tokens.weight"}));
}

TEST(BuildSequence, NothingLooksAhead) {
  ModelSpec spec = small(Family::kSequence);
  spec.decoder.stack.blocks[1].kind = BlockKind::kLsra;
  spec.decoder.stack.blocks[1].conv.heads = 2;
  spec.decoder.stack.blocks[1].conv.kernel = 5;
  const Graph graph = build(spec);
  EXPECT_TRUE(find(graph, "decoder.layers.0.self_attn.mix")->attributes.causal);
  EXPECT_TRUE(find(graph, "decoder.layers.1.self_attn.branches.0.mix")->attributes.causal);
  EXPECT_EQ(find(graph, "decoder.layers.1.self_attn.branches.1.mix")->attributes.pad_left, 4);
  EXPECT_FALSE(find(graph, "encoder.layers.0.self_attn.mix")->attributes.causal);
  const Graph parallel = build(small(Family::kNonAutoregressive));
  EXPECT_FALSE(find(parallel, "decoder.layers.0.self_attn.mix")->attributes.causal);
}

TEST(BuildSequence, TheSourcesNodesComeFirst) {
  for (const Family family : {Family::kSequence, Family::kNonAutoregressive}) {
    const Graph graph = build(small(family));
    bool target = false;
    for (const Node& node : graph.nodes) {
      EXPECT_TRUE(!target || node.type.domain == Domain::kTarget) << node.name;
      target = target || node.type.domain == Domain::kTarget;
    }
    EXPECT_LT(index_of(graph, "decoder.layers.1.encoder_attn.v_proj"), index_of(graph, kTargetInput));
    EXPECT_EQ(find(graph, "decoder.layers.1.encoder_attn.v_proj")->type.domain, Domain::kSource);
    EXPECT_FLOAT_EQ(find(graph, "decoder.layers.1.encoder_attn.mix")->attributes.scale, 0.5f);
  }
}

TEST(BuildNonAutoregressive, CopiesTheSourceAndRepeatsPositions) {
  ModelSpec spec = small(Family::kNonAutoregressive);
  spec.embedding.dim = spec.decoder.embedding.dim = 4;
  const Graph graph = build(spec);
  using Names = std::vector<std::string>;
  EXPECT_EQ(inputs_of(graph, "decoder.copy_attn"), (Names{"decoder.embed_positions"}));
  EXPECT_EQ(inputs_of(graph, "decoder.copy_attn.mix"),
            (Names{"decoder.copy_attn", "encoder.embed_sum", "encoder.embed_project"}));
  const Node& mix = *find(graph, "decoder.copy_attn.mix");
  EXPECT_EQ(mix.attributes.heads, 1);
  EXPECT_EQ(mix.attributes.scale, 1.0f);
  EXPECT_EQ(weights_of(graph, "decoder.copy_attn"), (Names{"decoder.copy_attn.weight"}));
  EXPECT_EQ(inputs_of(graph, "decoder.copy_attn.choose"),
            (Names{kTargetInput, "decoder.copy_attn.mix", "decoder.embed_project"}));
  EXPECT_EQ(find(graph, "decoder.copy_attn.choose")->attributes.token, 3);
  EXPECT_EQ(inputs_of(graph, "decoder.embed_sum"), (Names{"decoder.copy_attn.choose", "decoder.embed_positions"}));
  EXPECT_EQ(inputs_of(graph, "decoder.layers.1.embed_sum"),
            (Names{"decoder.layers.0.layer_norms.1", "decoder.embed_positions"}));
  spec.decoder.source_copy = spec.decoder.layer_positions = false;
  const Graph plain = build(spec);
  EXPECT_EQ(inputs_of(plain, "decoder.embed_sum"), (Names{"decoder.embed_project", "decoder.embed_positions"}));
  EXPECT_EQ(find(plain, "decoder.layers.1.embed_sum"), nullptr);
  EXPECT_EQ(find(plain, "decoder.copy_attn"), nullptr);
}

TEST(BuildNonAutoregressive, PredictsTheLengthFromTheMean) {
  ModelSpec spec = small(Family::kNonAutoregressive);
  const Graph graph = build(spec);
  const int output = graph.find_output(kLength);
  ASSERT_GE(output, 0);
  EXPECT_EQ(graph.nodes[static_cast<size_t>(output)].type.domain, Domain::kSentence);
  EXPECT_EQ(graph.nodes[static_cast<size_t>(output)].type.columns, 9);
  EXPECT_EQ(shape_of(graph, "decoder.embed_length.weight"), (Shape{9, 8}));
  EXPECT_EQ(inputs_of(graph, "decoder.embed_length.mean"),
            (std::vector<std::string>{"encoder.layers.1.layer_norms.1"}));
  spec.decoder.length = LengthKind::kRatio;
  const Graph ratio = build(spec);
  EXPECT_EQ(ratio.find_output(kLength), -1);
  EXPECT_EQ(shape_of(ratio, "decoder.embed_length.weight"), Shape());
}

TEST(PrintSequence, ShowsDomainsAndAttributes) {
  const std::string text = print(build(small(Family::kNonAutoregressive)));
  EXPECT_NE(text.find("decoder.embed_length.mean = mean_pool("), std::string::npos) << text;
  EXPECT_NE(text.find("f32[sentence, 9] decoder.embed_length.weight[9,8]"), std::string::npos) << text;
  EXPECT_NE(text.find("decoder.layers.0.encoder_attn.mix = cross_attention("), std::string::npos) << text;
  EXPECT_NE(text.find("f32[target, 8] heads=2 scale=0.5"), std::string::npos) << text;
  EXPECT_NE(text.find("f32[target, 8] token=3"), std::string::npos) << text;
}

Node& node_of(Graph* graph, Op op) {
  return *std::find_if(graph->nodes.begin(), graph->nodes.end(), [op](const Node& n) { return n.op == op; });
}

struct Damage {
  const char* what;
  std::function<void(Graph*)> apply;
};

const Damage kDamages[] = {
    {"keys over the target",
     [](Graph* g) { node_of(g, Op::kCrossAttention).inputs[1] = node_of(g, Op::kCrossAttention).inputs[0]; }},
    {"queries over the source",
     [](Graph* g) { node_of(g, Op::kCrossAttention).inputs[0] = node_of(g, Op::kCrossAttention).inputs[1]; }},
    {"a result of cross-attention over the source",
     [](Graph* g) { node_of(g, Op::kCrossAttention).type.domain = Domain::kSource; }},
    {"heads of cross-attention", [](Graph* g) { node_of(g, Op::kCrossAttention).attributes.heads = 3; }},
    {"scale of cross-attention", [](Graph* g) { node_of(g, Op::kCrossAttention).attributes.scale = 0; }},
    {"ids as values", [](Graph* g) { node_of(g, Op::kCrossAttention).inputs[2] = 0; }},
    {"a mean over the source", [](Graph* g) { node_of(g, Op::kMeanPool).type.domain = Domain::kSource; }},
    {"columns of the mean", [](Graph* g) { node_of(g, Op::kMeanPool).type.columns++; }},
    {"no ids to choose by", [](Graph* g) { node_of(g, Op::kChoose).inputs[0] = node_of(g, Op::kChoose).inputs[1]; }},
    {"ids to choose from", [](Graph* g) { node_of(g, Op::kChoose).inputs[2] = node_of(g, Op::kChoose).inputs[0]; }},
    {"source ids to choose by", [](Graph* g) { node_of(g, Op::kChoose).inputs[0] = 0; }},
    {"a negative token", [](Graph* g) { node_of(g, Op::kChoose).attributes.token = -1; }},
    {"columns of the choice", [](Graph* g) { node_of(g, Op::kChoose).type.columns++; }},
    {"too few inputs", [](Graph* g) { node_of(g, Op::kChoose).inputs.pop_back(); }},
    {"self-attention over sentences",
     [](Graph* g) {
       const int mean = static_cast<int>(&node_of(g, Op::kMeanPool) - g->nodes.data());
       Node& last = g->nodes[g->nodes.size() - 2];
       last.op = Op::kSelfAttention;
       last.inputs = {mean, mean, mean};
       last.weights.clear();
       last.type = g->nodes[static_cast<size_t>(mean)].type;
       last.attributes.heads = 1;
       g->nodes.back().type = last.type;
     }},
};

TEST(CheckSequence, FindsEveryKindOfDamage) {
  const Graph whole = build(small(Family::kNonAutoregressive));
  for (const Damage& damage : kDamages) {
    Graph graph = whole;
    damage.apply(&graph);
    EXPECT_EQ(graph.check().code(), StatusCode::kInternal) << damage.what;
  }
}

}  // namespace
}  // namespace litenat::graph
