// What can be said about a model without running it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "export/resolve_model.h"
#include "graph/graph.h"

namespace litenat::cli {

struct ModelFacts {
  std::string precision;               // "fp32", "int8 (dynamic activations)"
  uint64_t size_bytes = 0;             // of the deployable file
  uint64_t weight_bytes = 0;           // of its parameters
  uint64_t text_bytes = 0;             // of dictionaries, lexicon and n-grams
  std::vector<graph::PartCost> parts;  // the last one is the total

  const graph::Cost& total() const { return parts.back().cost; }
};

/// Multiply-adds are those of one sentence of `length` rows.
ModelFacts model_facts(const export_model::ResolvedModel& resolved, int64_t length);

/// Bytes of the tensors of `model` that are parameters.
uint64_t weight_bytes(const runtime::Model& model);

}  // namespace litenat::cli
