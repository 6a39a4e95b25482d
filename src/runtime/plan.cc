#include "runtime/plan.h"

#include <algorithm>
#include <limits>

namespace litenat::runtime {
namespace {

using graph::Graph;
using graph::Node;
using graph::Op;

bool may_overwrite_input(Op op) { return op == Op::kRelu || op == Op::kGelu || op == Op::kLayerNorm || op == Op::kAdd; }

class Planner {
 public:
  Planner(const Graph& graph, int streamed)
      : graph_(graph),
        count_(static_cast<int>(graph.nodes.size())),
        streamed_(streamed),
        when_(graph.nodes.size(), 0),
        owner_(graph.nodes.size(), -1) {
    plan_.values.resize(graph.nodes.size());
    plan_.temporaries.resize(graph.nodes.size());
  }

  Plan make() {
    find_order();
    find_owners();
    find_lifetimes();
    for (const int i : plan_.encode) place(i);
    for (const int i : plan_.decode) place(i);
    for (int i = 0; i < count_; ++i)
      if (!is_streamed(i)) plan_.values[index(i)] = resolve_view(i);
    return std::move(plan_);
  }

 private:
  static size_t index(int i) { return static_cast<size_t>(i); }
  const Node& node(int i) const { return graph_.nodes[index(i)]; }

  bool is_streamed(int i) const {
    return streamed_ >= 0 && (i == streamed_ || (node(i).op == Op::kOutput && node(i).inputs[0] == streamed_));
  }

  /// Inputs precede their users in the graph, and no node of the first phase reads one of the second.
  void find_order() {
    for (int i = 0; i < count_; ++i)
      if (!is_streamed(i)) (phase_of(node(i)) == Phase::kEncode ? plan_.encode : plan_.decode).push_back(i);
    int time = 0;
    for (const int i : plan_.encode) when_[index(i)] = time++;
    for (const int i : plan_.decode) when_[index(i)] = time++;
  }

  /// owner_[i]: the node whose storage holds the value of i: i itself, the source of a slice, or the concatenation
  /// that i is a part of.
  void find_owners() {
    for (int i = 0; i < count_; ++i) {
      owner_[index(i)] = i;
      if (node(i).op == Op::kConcat)
        for (const int input : node(i).inputs) join(input, i);
    }
    for (int i = 0; i < count_; ++i)
      if (is_view(i)) owner_[index(i)] = owner_[index(node(i).inputs[0])];
  }

  bool is_view(int i) const {
    if (node(i).op == Op::kSlice) return true;
    if (node(i).op != Op::kOutput) return false;
    const int source = node(i).inputs[0];  // an output must be contiguous
    return node(source).op != Op::kSlice && owner_[index(source)] == source;
  }

  void join(int input, int concat) {
    const Op op = node(input).op;
    const bool has_storage = op != Op::kSlice && op != Op::kOutput && op != Op::kConcat && op != Op::kInput;
    const auto& inputs = node(concat).inputs;
    if (has_storage && owner_[index(input)] == input && std::count(inputs.begin(), inputs.end(), input) == 1)
      owner_[index(input)] = concat;
  }

  void find_lifetimes() {
    last_.assign(index(count_), -1);
    for (int i = 0; i < count_; ++i) {
      const size_t own = index(owner_[index(i)]);
      last_[own] = std::max(last_[own], node(i).op == Op::kOutput ? kForever : when_[index(i)]);
      for (const int input : node(i).inputs) {
        const size_t read = index(owner_[index(input)]);
        const bool stays = is_streamed(i) || phase_of(node(i)) != phase_of(node(input));
        last_[read] = std::max(last_[read], stays ? kForever : when_[index(i)]);
      }
    }
    slot_.assign(index(count_), -1);
  }

  /// Gives slots to the storages that begin at node i and takes back those that end there.
  void place(int i) {
    if (node(i).op == Op::kInput) return;
    const int own = owner_[index(i)];
    if (slot_[index(own)] < 0) slot_[index(own)] = overwritten_slot(i, own);
    if (slot_[index(own)] < 0) slot_[index(own)] = take(node(own).type);
    if (node(i).op == Op::kDynamicConv) {
      const int64_t columns = node(node(i).inputs[1]).type.columns;
      const int temporary = take({node(i).type.domain, graph::DataType::kF32, columns});
      plan_.temporaries[index(i)] = {temporary, 0, columns};
      free_.push_back(temporary);
    }
    for (int storage = 0; storage < count_; ++storage)
      if (last_[index(storage)] == when_[index(i)] && slot_[index(storage)] >= 0 && !moved(storage))
        free_.push_back(slot_[index(storage)]);
  }

  /// The slot of an input that ends here and has exactly the form of the result, or -1.
  int overwritten_slot(int i, int own) {
    if (!may_overwrite_input(node(i).op) || own != i) return -1;
    for (const int input : node(i).inputs) {
      const bool whole = owner_[index(input)] == input && node(input).type.columns == node(i).type.columns;
      if (!whole || last_[index(input)] != when_[index(i)] || slot_[index(input)] < 0) continue;
      moved_.push_back(input);
      return slot_[index(input)];
    }
    return -1;
  }

  bool moved(int storage) const { return std::find(moved_.begin(), moved_.end(), storage) != moved_.end(); }

  /// The free slot of the domain that fits best, or a new one.
  int take(const graph::ValueType& type) {
    auto best = free_.end();
    for (auto it = free_.begin(); it != free_.end(); ++it) {
      if (plan_.slot_domains[index(*it)] != type.domain) continue;
      if (best == free_.end() || waste(*it, type.columns) < waste(*best, type.columns)) best = it;
    }
    if (best == free_.end()) {
      plan_.slot_columns.push_back(type.columns);
      plan_.slot_domains.push_back(type.domain);
      return static_cast<int>(plan_.slot_columns.size()) - 1;
    }
    const int slot = *best;
    free_.erase(best);
    plan_.slot_columns[index(slot)] = std::max(plan_.slot_columns[index(slot)], type.columns);
    return slot;
  }

  int64_t waste(int slot, int64_t columns) const {
    const int64_t difference = plan_.slot_columns[index(slot)] - columns;
    return difference < 0 ? -difference : difference;
  }

  View resolve_view(int i) const {
    const Node& self = node(i);
    if (self.op == Op::kInput) return {};
    const int own = owner_[index(i)];
    if (self.op == Op::kSlice || self.op == Op::kOutput) {
      if (own == i) return {slot_[index(own)], 0, self.type.columns};
      View view = plan_.values[index(self.inputs[0])];
      view.offset += self.op == Op::kSlice ? self.attributes.begin : 0;
      return view;
    }
    int64_t offset = 0;
    if (own != i)
      for (const int input : node(own).inputs) {
        if (input == i) break;
        offset += node(input).type.columns;
      }
    return {slot_[index(own)], offset, node(own).type.columns};
  }

  static constexpr int kForever = std::numeric_limits<int>::max();

  const Graph& graph_;
  int count_;
  int streamed_;
  std::vector<int> when_;  // by node: its place in the order of execution
  std::vector<int> owner_;
  std::vector<int> last_;  // by storage (its owner): when it is read or written for the last time
  std::vector<int> slot_;  // by storage
  std::vector<int> free_;
  std::vector<int> moved_;  // storages whose slot went on to the result that overwrote them
  Plan plan_;
};

}  // namespace

int64_t Plan::total_columns() const {
  int64_t total = 0;
  for (const int64_t columns : slot_columns) total += columns;
  return total;
}

int64_t Plan::total_columns(graph::Domain domain) const {
  int64_t total = 0;
  for (size_t slot = 0; slot < slot_columns.size(); ++slot)
    if (slot_domains[slot] == domain) total += slot_columns[slot];
  return total;
}

Plan make_plan(const Graph& graph, int streamed) { return Planner(graph, streamed).make(); }

}  // namespace litenat::runtime
