// Appends typed nodes to a graph; what the builders of all families are written with.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"

namespace litenat::graph {

/// Each function appends one node called `name` and returns its index. Weights are named after the node:
/// linear("a") needs "a.weight" [n, k] and, with a bias, "a.bias" [n]. The functions that take the name of a `table`
/// may share that weight with other nodes. Nothing is checked here; Graph::check() does that once at the end.
class GraphBuilder {
 public:
  int input(const std::string& name, Domain domain);
  int embedding(const std::string& name, const std::string& table, int ids, int64_t vocabulary, int64_t columns,
                float scale);
  /// Learned: the row position + first_row of "<name>.weight" [rows, columns].
  int learned_positions(const std::string& name, int ids, int64_t rows, int64_t columns, int first_row);
  /// Sinusoidal: no weight; the executor computes the rows.
  int sinusoidal_positions(const std::string& name, int ids, int64_t columns, int first_row);
  int window(const std::string& name, int x, int left, int right);
  int linear(const std::string& name, int x, int64_t columns, bool bias);
  /// With the weight `table` [columns, columns of x] and, with a bias, "<name>.bias".
  int linear_with(const std::string& name, const std::string& table, int x, int64_t columns, bool bias);
  int layer_norm(const std::string& name, int x);
  /// kRelu, kGelu: as many columns as x. kGlu: half as many.
  int unary(Op op, const std::string& name, int x);
  int add(const std::string& name, int x, int y);
  /// Taps from the weight `taps` [heads, kernel].
  int light_conv(const std::string& name, const std::string& taps, int x, int heads, int kernel, int pad_left);
  int dynamic_conv(const std::string& name, int x, int logits, int heads, int kernel, int pad_left);
  int self_attention(const std::string& name, int q, int k, int v, int heads, bool causal);
  /// q over the target; k, v over the source. As many columns as v.
  int cross_attention(const std::string& name, int q, int k, int v, int heads, float scale);
  int mean_pool(const std::string& name, int x);
  /// The row of x where the id is `token`, else that of y.
  int choose(const std::string& name, int ids, int x, int y, int token);
  int slice(const std::string& name, int x, int begin, int end);
  int concat(const std::string& name, std::vector<int> inputs);
  int output(const std::string& name, int x);

  int64_t columns(int node) const { return graph_.nodes[static_cast<size_t>(node)].type.columns; }
  Graph take() { return std::move(graph_); }

 private:
  Node node_like(Op op, const std::string& name, std::vector<int> inputs, int64_t columns) const;
  int add_node(Node node);
  int add_weight(const std::string& name, std::vector<int64_t> shape);
  int find_or_add_weight(const std::string& name, std::vector<int64_t> shape);
  Graph graph_;
};

}  // namespace litenat::graph
