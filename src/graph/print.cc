#include "base/json.h"
#include "graph/graph.h"

namespace litenat::graph {
namespace {

const char* name_of(Domain domain) {
  switch (domain) {
    case Domain::kSource:
      return "source";
    case Domain::kTarget:
      return "target";
    case Domain::kSentence:
      return "sentence";
  }
  return "?";
}

void append(const char* name, int value, std::string* out) {
  *out += std::string(" ") + name + "=" + std::to_string(value);
}

void append_attributes(const Node& node, std::string* out) {
  const Attributes& a = node.attributes;
  switch (node.op) {
    case Op::kLightConv:
    case Op::kDynamicConv:
      append("kernel", a.kernel, out);
      append("pad_left", a.pad_left, out);
      append("heads", a.heads, out);
      break;
    case Op::kSelfAttention:
      append("heads", a.heads, out);
      if (a.causal) *out += " causal";
      break;
    case Op::kCrossAttention:
      append("heads", a.heads, out);
      *out += " scale=" + Json(static_cast<double>(a.scale)).dump();
      break;
    case Op::kChoose:
      append("token", a.token, out);
      break;
    case Op::kWindow:
      append("left", a.left, out);
      append("right", a.right, out);
      break;
    case Op::kSlice:
      append("begin", a.begin, out);
      append("end", a.end, out);
      break;
    case Op::kPositions:
      append("first_row", a.first_row, out);
      if (node.weights.empty()) *out += " sinusoidal";
      break;
    case Op::kEmbedding:
      if (a.scale != 1.0f) *out += " scale=" + Json(static_cast<double>(a.scale)).dump();
      break;
    default:
      break;
  }
}

void append_weight(const Weight& weight, std::string* out) {
  *out += " " + weight.name + "[";
  for (size_t i = 0; i < weight.shape.size(); ++i) *out += (i == 0 ? "" : ",") + std::to_string(weight.shape[i]);
  *out += "]";
}

std::string line(const Graph& graph, size_t index) {
  const Node& node = graph.nodes[index];
  std::string out = "%" + std::to_string(index) + " " + node.name + " = " + graph::name_of(node.op) + "(";
  for (size_t i = 0; i < node.inputs.size(); ++i) out += (i == 0 ? "%" : ", %") + std::to_string(node.inputs[i]);
  out += std::string(") : ") + graph::name_of(node.type.dtype) + "[" + name_of(node.type.domain) + ", " +
         std::to_string(node.type.columns) + "]";
  append_attributes(node, &out);
  for (const int weight : node.weights) append_weight(graph.weights[static_cast<size_t>(weight)], &out);
  return out + "\n";
}

}  // namespace

std::string print(const Graph& graph) {
  std::string out;
  for (size_t i = 0; i < graph.nodes.size(); ++i) out += line(graph, i);
  return out;
}

}  // namespace litenat::graph
