#include <algorithm>

#include "graph/graph.h"

namespace litenat::graph {
namespace {

bool starts_with(const std::string& text, const std::string& prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

/// "encoder.layers.3.fc1" -> "encoder.layers.3"; "encoder.layer_norm" stays whole.
std::string part_of(const std::string& name) {
  if (starts_with(name, "encoder.embed")) return "embedding";
  if (starts_with(name, "decoder.embed_length")) return "decoder.length";
  if (starts_with(name, "decoder.embed")) return "decoder.embedding";
  if (starts_with(name, "decoder.copy_attn")) return "decoder.copy";
  if (starts_with(name, "head.") || starts_with(name, "crf_layer.")) return "head";
  const std::string layers = ".layers.";
  const size_t at = name.find(layers);
  if (at == std::string::npos) return name;
  return name.substr(0, name.find('.', at + layers.size()));
}

int64_t rows_of(Domain domain, int64_t source_length, int64_t target_length) {
  switch (domain) {
    case Domain::kSource:
      return source_length;
    case Domain::kTarget:
      return target_length;
    case Domain::kSentence:
      return 1;
  }
  return 0;
}

/// `lengths(domain)`: the rows of one sentence.
template <typename Lengths>
int64_t multiply_adds(const Graph& graph, const Node& node, const Lengths& lengths) {
  const int64_t rows = lengths(node.type.domain);
  switch (node.op) {
    case Op::kLinear:
      return rows * node.type.columns * graph.nodes[static_cast<size_t>(node.inputs[0])].type.columns;
    case Op::kCrossAttention:
      return 2 * rows * lengths(Domain::kSource) * node.type.columns;
    case Op::kMeanPool:
      return lengths(Domain::kSource) * node.type.columns;
    case Op::kLightConv:
    case Op::kDynamicConv:
      return rows * node.type.columns * node.attributes.kernel;
    case Op::kSelfAttention:  // q k^T and the weighted sum of v
      return 2 * rows * rows * node.type.columns;
    default:
      return 0;
  }
}

int64_t num_elements(const Weight& weight) {
  int64_t product = 1;
  for (const int64_t extent : weight.shape) product *= extent;
  return product;
}

bool is_embedding(const Node& node) {
  return node.op == Op::kEmbedding || node.op == Op::kPositions || node.name == "head.output";
}

/// Collects costs by part, in the order in which the parts first appear.
class CostTable {
 public:
  Cost& part(const std::string& name) {
    for (PartCost& row : rows_)
      if (row.part == name) return row.cost;
    rows_.push_back({name, {}});
    return rows_.back().cost;
  }

  std::vector<PartCost> with_total() {
    PartCost total{"total", {}};
    for (const PartCost& row : rows_) {
      total.cost.multiply_adds += row.cost.multiply_adds;
      total.cost.embedding_parameters += row.cost.embedding_parameters;
      total.cost.other_parameters += row.cost.other_parameters;
    }
    rows_.push_back(total);
    return std::move(rows_);
  }

 private:
  std::vector<PartCost> rows_;
};

}  // namespace

std::vector<PartCost> count_cost(const Graph& graph, const ModelSpec& spec, int64_t source_length,
                                 int64_t target_length) {
  CostTable table;
  const auto lengths = [&](Domain domain) { return rows_of(domain, source_length, target_length); };
  std::vector<bool> counted(graph.weights.size(), false);  // a weight that two nodes share counts once
  for (const Node& node : graph.nodes) {
    if (node.op == Op::kInput || node.op == Op::kOutput) continue;
    Cost& cost = table.part(part_of(node.name));
    cost.multiply_adds += multiply_adds(graph, node, lengths);
    for (const int index : node.weights) {
      const size_t i = static_cast<size_t>(index);
      if (counted[i]) continue;
      counted[i] = true;
      (is_embedding(node) ? cost.embedding_parameters : cost.other_parameters) += num_elements(graph.weights[i]);
    }
  }
  if (spec.head.kind == HeadKind::kCrf)
    table.part("head").embedding_parameters += 2 * spec.target_vocabulary * spec.head.crf_rank;
  return table.with_total();
}

}  // namespace litenat::graph
