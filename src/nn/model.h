// The libtorch definition of a model: what train/ optimises. Built from the same ModelSpec as the graph, with
// the same parameter names (docs/formats.md), so a checkpoint's tensors are the graph's weights.
#pragma once

#include <memory>
#include <string>

#include "graph/model_spec.h"
#include "nn/dropout_spec.h"
#include "nn/encoder.h"
#include "nn/torch.h"

namespace litenat::nn {

/// A tagger: one output a row. named_parameters() are the weights of docs/formats.md; buffers are computed, never
/// saved.
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
  torch::Tensor boundary(const torch::Tensor& states);  // [..., D] -> [...]; undefined without HeadSpec::boundary
  torch::Tensor syllable(const torch::Tensor& states);  // [..., D] -> [..., S]; undefined without HeadSpec::syllable

  /// Factors of the CRF's transition matrix, each [V, rank]; undefined without a CRF head.
  torch::Tensor crf_from() const;  // E1
  torch::Tensor crf_to() const;    // E2

  const graph::ModelSpec& spec() const { return spec_; }

 private:
  void add_head();

  graph::ModelSpec spec_;  // resolved
  std::shared_ptr<Encoder> encoder_;
  std::shared_ptr<Linear> project_;  // factorised output
  std::shared_ptr<Linear> output_, boundary_, syllable_;
  std::shared_ptr<Embedding> crf_from_, crf_to_;
};

}  // namespace litenat::nn
