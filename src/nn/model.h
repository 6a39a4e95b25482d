// The libtorch definition of a model: what train/ optimises. Built from the same ModelSpec as the graph, with
// the same parameter names (docs/formats.md), so a checkpoint's tensors are the graph's weights.
#pragma once

#include <memory>
#include <string>

#include "graph/model_spec.h"
#include "nn/torch.h"

namespace litenat::nn {

/// Dropout rates; they are training settings, not part of the model's description.
struct DropoutSpec {
  double dropout = 0.1;      // after embeddings and sub-layers
  double attention = 0.0;    // on attention probabilities
  double activation = 0.0;   // inside the feed-forward sub-layer
  double weight = 0.0;       // on convolution taps (DropConnect)
  double input = 0.0;        // on the input of convolution blocks

  template <class V>
  void visit(V& v) {
    v("dropout", dropout, "after embeddings and sub-layers", between(0, 0.99));
    v("attention", attention, "on attention probabilities", between(0, 0.99));
    v("activation", activation, "inside feed-forward sub-layers", between(0, 0.99));
    v("weight", weight, "on convolution taps", between(0, 0.99));
    v("input", input, "on the input of convolution blocks", between(0, 0.99));
  }
};

/// A tagger: one output a row.
class Tagger : public torch::nn::Module {
 public:
  Tagger(const graph::ModelSpec& spec, const DropoutSpec& dropout);

  struct Output {
    torch::Tensor emissions;  // [B, T, V]
    torch::Tensor boundary;   // [B, T], undefined without HeadSpec::boundary
    torch::Tensor syllable;   // [B, T, S], undefined without HeadSpec::syllable
  };
  /// ids [B, T] int64, right-padded; mask [B, T] bool, true at tokens. Rows of a sentence do not depend on its
  /// padding or on the other sentences: every sub-layer that mixes positions sees zeros outside the sentence.
  Output forward(const torch::Tensor& ids, const torch::Tensor& mask);
  /// Only for rows that matter: encoder states [B, T, D], then logits of selected rows [N, V].
  torch::Tensor encode(const torch::Tensor& ids, const torch::Tensor& mask);
  torch::Tensor emissions(const torch::Tensor& states);

  /// Factors of the CRF's transition matrix, each [V, rank]; undefined without a CRF head.
  torch::Tensor crf_from() const;  // E1
  torch::Tensor crf_to() const;    // E2

  const graph::ModelSpec& spec() const { return spec_; }

 private:
  graph::ModelSpec spec_;
};

}  // namespace litenat::nn
