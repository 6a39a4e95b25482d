// The libtorch definition of models with an encoder and a decoder: autoregressive (family sequence) and
// non-autoregressive. Parameter names as docs/formats.md lists them.
#pragma once

#include <memory>
#include <vector>

#include "graph/model_spec.h"
#include "nn/dropout_spec.h"
#include "nn/model.h"
#include "nn/torch.h"

namespace litenat::nn {

/// What the decoder reads of the source.
struct Encoded {
  torch::Tensor states;      // [B, S, D]
  torch::Tensor mask;        // [B, S] bool, true at tokens
  torch::Tensor tokens;      // [B, S, D] token embeddings alone (non-autoregressive with source_copy), else undefined
  torch::Tensor positioned;  // [B, S, D] tokens + positions, likewise

  /// Sentences `index` [N] int64 of it.
  Encoded select(const torch::Tensor& index) const;
};

/// What an autoregressive decoder remembers of the rows that it has read; opaque.
class DecoderState {
 public:
  virtual ~DecoderState() = default;
  /// Row i becomes what row parents[i] ([N] int64) was.
  virtual void select(const torch::Tensor& parents) = 0;
};

class SequenceModel : public Model {
 public:
  SequenceModel(const graph::ModelSpec& spec, const DropoutSpec& dropout);

  /// ids [B, S] int64, right-padded; mask [B, S] bool.
  Encoded encode(const torch::Tensor& ids, const torch::Tensor& mask) const;
  /// Decoder states [B, T, D] for the inputs ids [B, T] (autoregressive: </s> and the target shifted right).
  torch::Tensor decode(const torch::Tensor& ids, const torch::Tensor& mask, const Encoded& source) const;
  /// Logits of decoder states: [..., D] -> [..., V].
  torch::Tensor logits(const torch::Tensor& states) const;
  /// [B, length_classes] logits; undefined unless the spec predicts lengths.
  torch::Tensor length_logits(const Encoded& source) const;

  /// Autoregressive decoding step by step: begin() for the rows' sources (one row each), then step() with the rows'
  /// newest tokens [N] int64 -> states [N, D]. Equal to decode() on whole inputs within rounding.
  std::unique_ptr<DecoderState> begin(const Encoded& source) const;
  torch::Tensor step(const torch::Tensor& ids, DecoderState* state) const;
};

}  // namespace litenat::nn
