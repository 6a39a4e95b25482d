// Who watches a run.
#pragma once

#include <cstdint>
#include <functional>

#include "base/span.h"
#include "graph/graph.h"

namespace litenat::runtime {

/// Called after every node of a run with its value (f32 [rows, columns], contiguous). For parity tests, calibration and
/// error reports; slows the run. An empty function removes it.
using NodeObserver = std::function<void(const graph::Node&, Span<const float> value, int64_t rows)>;

}  // namespace litenat::runtime
