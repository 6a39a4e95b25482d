// The tagger: an encoder and one output a row.
#pragma once

#include <memory>

#include "nn/encoder.h"
#include "nn/model.h"

namespace litenat::nn {

class Tagger : public Model {
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

 private:
  void add_head();

  std::shared_ptr<Encoder> encoder_;
  std::shared_ptr<Linear> project_;  // factorised output
  std::shared_ptr<Linear> output_, boundary_, syllable_;
};

}  // namespace litenat::nn
