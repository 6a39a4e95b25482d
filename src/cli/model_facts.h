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
  uint64_t text_bytes = 0;             // of dictionaries, tokenizer, lexicon and n-grams
  int64_t source_length = 0;           // rows of the sentence that multiply-adds are counted for
  int64_t target_length = 0;           // rows of its decoder; 0 for models without one
  std::vector<graph::PartCost> parts;  // the last one is the total

  const graph::Cost& total() const { return parts.back().cost; }
  /// Without tables and output: how papers count small models. Parameters of no embedding, multiply-adds of all parts
  /// but the head.
  graph::Cost body() const;
};

/// Multiply-adds are those of one sentence of `source_length` rows and, in models with a decoder, `target_length` rows
/// of it; 0 = as many as of the source, or what the model makes of them where it has a ratio.
ModelFacts model_facts(const export_model::ResolvedModel& resolved, int64_t source_length, int64_t target_length = 0);

/// Bytes of the tensors of `model` that are parameters.
uint64_t weight_bytes(const runtime::Model& model);

}  // namespace litenat::cli
