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

struct Plan {
  std::vector<View> values;           // by node
  std::vector<View> temporaries;      // by node: the taps of a kDynamicConv
  std::vector<int64_t> slot_columns;  // widest value that each slot holds
  int64_t total_columns() const;
};

/// Slices are views; what is concatenated is written in place where it can be; elementwise operations overwrite an
/// input that nothing else needs. Values that are outputs keep their slot to the end and are contiguous.
Plan make_plan(const graph::Graph& graph);

}  // namespace litenat::runtime
