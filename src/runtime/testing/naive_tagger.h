// A tagger written straight from its description.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runtime/testing/naive_layers.h"

namespace litenat::runtime::testing {

class NaiveTagger : private NaiveLayers {
 public:
  /// `spec` is resolved.
  NaiveTagger(graph::ModelSpec spec, const RandomWeights& weights) : NaiveLayers(weights), spec_(std::move(spec)) {}

  Matrix emissions(const std::vector<int32_t>& ids) const {
    Matrix x = states(ids);
    if (spec_.head.dim != spec_.dim) x = linear("head.project", x);
    return linear("head.output", x);
  }
  Matrix boundary(const std::vector<int32_t>& ids) const { return linear("head.boundary", states(ids)); }

 private:
  Matrix states(const std::vector<int32_t>& ids) const {
    const Matrix x = embed(spec_.embedding, "encoder", "encoder.embed_tokens.weight", spec_.dim, ids);
    return encode(spec_, sum(x, positions(spec_.embedding, "encoder", spec_.dim, ids.size())));
  }

  graph::ModelSpec spec_;
};

}  // namespace litenat::runtime::testing
