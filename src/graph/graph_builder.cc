#include "graph/graph_builder.h"

namespace litenat::graph {

Node GraphBuilder::node_like(Op op, const std::string& name, std::vector<int> inputs, int64_t columns) const {
  Node node;
  node.op = op;
  node.name = name;
  node.type = {graph_.nodes[static_cast<size_t>(inputs[0])].type.domain, DataType::kF32, columns};
  node.inputs = std::move(inputs);
  return node;
}

int GraphBuilder::add_node(Node node) {
  graph_.nodes.push_back(std::move(node));
  return static_cast<int>(graph_.nodes.size()) - 1;
}

int GraphBuilder::add_weight(const std::string& name, std::vector<int64_t> shape) {
  graph_.weights.push_back({name, std::move(shape)});
  return static_cast<int>(graph_.weights.size()) - 1;
}

int GraphBuilder::find_or_add_weight(const std::string& name, std::vector<int64_t> shape) {
  for (size_t i = 0; i < graph_.weights.size(); ++i)
    if (graph_.weights[i].name == name) return static_cast<int>(i);
  return add_weight(name, std::move(shape));
}

int GraphBuilder::input(const std::string& name, Domain domain) {
  Node node;
  node.op = Op::kInput;
  node.name = name;
  node.type = {domain, DataType::kI32, 1};
  return add_node(std::move(node));
}

int GraphBuilder::embedding(const std::string& name, const std::string& table, int ids, int64_t vocabulary,
                            int64_t columns, float scale) {
  Node node = node_like(Op::kEmbedding, name, {ids}, columns);
  node.weights = {find_or_add_weight(table, {vocabulary, columns})};
  node.attributes.scale = scale;
  return add_node(std::move(node));
}

int GraphBuilder::learned_positions(const std::string& name, int ids, int64_t rows, int64_t columns, int first_row) {
  Node node = node_like(Op::kPositions, name, {ids}, columns);
  node.weights = {add_weight(name + ".weight", {rows, columns})};
  node.attributes.first_row = first_row;
  return add_node(std::move(node));
}

int GraphBuilder::sinusoidal_positions(const std::string& name, int ids, int64_t columns, int first_row) {
  Node node = node_like(Op::kPositions, name, {ids}, columns);
  node.attributes.first_row = first_row;
  return add_node(std::move(node));
}

int GraphBuilder::window(const std::string& name, int x, int left, int right) {
  Node node = node_like(Op::kWindow, name, {x}, columns(x) * (1 + left + right));
  node.attributes.left = left;
  node.attributes.right = right;
  return add_node(std::move(node));
}

int GraphBuilder::linear(const std::string& name, int x, int64_t columns, bool bias) {
  return linear_with(name, name + ".weight", x, columns, bias);
}

int GraphBuilder::linear_with(const std::string& name, const std::string& table, int x, int64_t columns, bool bias) {
  Node node = node_like(Op::kLinear, name, {x}, columns);
  node.weights = {find_or_add_weight(table, {columns, this->columns(x)})};
  if (bias) node.weights.push_back(add_weight(name + ".bias", {columns}));
  return add_node(std::move(node));
}

int GraphBuilder::layer_norm(const std::string& name, int x) {
  Node node = node_like(Op::kLayerNorm, name, {x}, columns(x));
  node.weights = {add_weight(name + ".weight", {columns(x)})};
  node.weights.push_back(add_weight(name + ".bias", {columns(x)}));
  return add_node(std::move(node));
}

int GraphBuilder::unary(Op op, const std::string& name, int x) {
  return add_node(node_like(op, name, {x}, op == Op::kGlu ? columns(x) / 2 : columns(x)));
}

int GraphBuilder::add(const std::string& name, int x, int y) {
  return add_node(node_like(Op::kAdd, name, {x, y}, columns(x)));
}

int GraphBuilder::light_conv(const std::string& name, const std::string& taps, int x, int heads, int kernel,
                             int pad_left) {
  Node node = node_like(Op::kLightConv, name, {x}, columns(x));
  node.weights = {add_weight(taps, {heads, kernel})};
  node.attributes.heads = heads;
  node.attributes.kernel = kernel;
  node.attributes.pad_left = pad_left;
  return add_node(std::move(node));
}

int GraphBuilder::dynamic_conv(const std::string& name, int x, int logits, int heads, int kernel, int pad_left) {
  Node node = node_like(Op::kDynamicConv, name, {x, logits}, columns(x));
  node.attributes.heads = heads;
  node.attributes.kernel = kernel;
  node.attributes.pad_left = pad_left;
  return add_node(std::move(node));
}

int GraphBuilder::self_attention(const std::string& name, int q, int k, int v, int heads, bool causal) {
  Node node = node_like(Op::kSelfAttention, name, {q, k, v}, columns(q));
  node.attributes.heads = heads;
  node.attributes.causal = causal;
  return add_node(std::move(node));
}

int GraphBuilder::cross_attention(const std::string& name, int q, int k, int v, int heads, float scale) {
  Node node = node_like(Op::kCrossAttention, name, {q, k, v}, columns(v));
  node.attributes.heads = heads;
  node.attributes.scale = scale;
  return add_node(std::move(node));
}

int GraphBuilder::mean_pool(const std::string& name, int x) {
  Node node = node_like(Op::kMeanPool, name, {x}, columns(x));
  node.type.domain = Domain::kSentence;
  return add_node(std::move(node));
}

int GraphBuilder::choose(const std::string& name, int ids, int x, int y, int token) {
  Node node = node_like(Op::kChoose, name, {ids, x, y}, columns(x));
  node.attributes.token = token;
  return add_node(std::move(node));
}

int GraphBuilder::slice(const std::string& name, int x, int begin, int end) {
  Node node = node_like(Op::kSlice, name, {x}, end - begin);
  node.attributes.begin = begin;
  node.attributes.end = end;
  return add_node(std::move(node));
}

int GraphBuilder::concat(const std::string& name, std::vector<int> inputs) {
  int64_t total = 0;
  for (const int input : inputs) total += columns(input);
  return add_node(node_like(Op::kConcat, name, std::move(inputs), total));
}

int GraphBuilder::output(const std::string& name, int x) {
  return add_node(node_like(Op::kOutput, name, {x}, columns(x)));
}

}  // namespace litenat::graph
