// How much is dropped out where while a model trains.
#pragma once

#include "base/fields.h"

namespace litenat::nn {

/// Dropout rates; they are training settings, not part of the model's description.
struct DropoutSpec {
  double dropout = 0.1;     // after embeddings and sub-layers
  double attention = 0.0;   // on attention probabilities
  double activation = 0.0;  // inside the feed-forward sub-layer
  double weight = 0.0;      // on convolution taps (DropConnect)
  double input = 0.0;       // on the input of convolution blocks

  template <class V>
  void visit(V& v) {
    v("dropout", dropout, "after embeddings and sub-layers", between(0, 0.99));
    v("attention", attention, "on attention probabilities", between(0, 0.99));
    v("activation", activation, "inside feed-forward sub-layers", between(0, 0.99));
    v("weight", weight, "on convolution taps", between(0, 0.99));
    v("input", input, "on the input of convolution blocks", between(0, 0.99));
  }
};

}  // namespace litenat::nn
