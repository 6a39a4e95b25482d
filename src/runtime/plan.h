// Where the values of a graph live while it runs: storages are shared by values that are never needed at the same time.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.h"

namespace litenat::runtime {

/// Columns [offset, offset + columns) of the rows of a slot; rows are `stride` values apart.
struct View {
  int slot = -1;  // -1: no float value (token ids)
  int64_t offset = 0;
  int64_t stride = 0;
  bool operator==(const View& o) const { return slot == o.slot && offset == o.offset && stride == o.stride; }
};

/// When a node runs. kEncode: once a batch, before everything else; kDecode: over the target, any number of times.
enum class Phase { kEncode, kDecode };
inline Phase phase_of(const graph::Node& node) {
  return node.type.domain == graph::Domain::kTarget ? Phase::kDecode : Phase::kEncode;
}

struct Plan {
  std::vector<int> encode;  // the nodes of each phase, in order of execution
  std::vector<int> decode;
  std::vector<View> values;                 // by node
  std::vector<View> temporaries;            // by node: the taps of a kDynamicConv
  std::vector<int64_t> slot_columns;        // widest value that each slot holds
  std::vector<graph::Domain> slot_domains;  // what its rows are
  int64_t total_columns() const;
  int64_t total_columns(graph::Domain domain) const;
};

/// Slices are views; what is concatenated is written in place where it can be; elementwise operations overwrite an
/// input that nothing else needs. Values that are outputs keep their slot to the end and are contiguous; values of the
/// first phase that the second reads keep theirs too. `streamed` (-1: none): a kLinear over the target, whose value is
/// computed a few rows at a time after everything else: neither it nor the kOutput that names it has a slot or a place
/// in the order, and its input keeps its slot.
Plan make_plan(const graph::Graph& graph, int streamed = -1);

}  // namespace litenat::runtime
