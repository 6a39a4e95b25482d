// The libtorch definition of models with an encoder and a decoder: autoregressive (family sequence) and
// non-autoregressive. Parameter names as docs/formats.md lists them.
#pragma once

#include <memory>

#include "graph/model_spec.h"
#include "nn/decoder.h"
#include "nn/dropout_spec.h"
#include "nn/encoder.h"
#include "nn/model.h"

namespace litenat::nn {

/// Rows of a sentence depend neither on its padding nor on the other sentences of the batch.
class SequenceModel : public Model {
 public:
  SequenceModel(const graph::ModelSpec& spec, const DropoutSpec& dropout);

  /// ids [B, S] int64, right-padded; mask [B, S] bool.
  Encoded encode(const torch::Tensor& ids, const torch::Tensor& mask) const;
  /// Decoder states [B, T, D] for the inputs ids [B, T] (autoregressive: </s> and the target shifted right; others:
  /// <s>, <unk> or known tokens, </s>); mask [B, T] bool, right-padded. Undefined values at padding.
  torch::Tensor decode(const torch::Tensor& ids, const torch::Tensor& mask, const Encoded& source) const;
  /// Logits of decoder states: [..., D] -> [..., V].
  torch::Tensor logits(const torch::Tensor& states) const;
  /// [B, length_classes] logits; undefined unless the spec predicts lengths.
  torch::Tensor length_logits(const Encoded& source) const;

  /// Autoregressive decoding step by step: begin() for the rows' sources (one row each), then step() with the rows'
  /// newest tokens [N] int64 -> states [N, D]. Equal to decode() on whole inputs within rounding; no dropout, no
  /// gradients. Neither waits for the device.
  std::unique_ptr<DecoderState> begin(const Encoded& source) const;
  torch::Tensor step(const torch::Tensor& ids, DecoderState* state) const;

 private:
  void add_head();

  std::shared_ptr<Encoder> encoder_;
  std::shared_ptr<Decoder> decoder_;
  std::shared_ptr<Linear> project_;  // D -> width of the output table; null where that is D
  torch::Tensor output_weight_;      // [V, head.dim], maybe an embedding's table
  torch::Tensor output_bias_;        // [V] or undefined
};

}  // namespace litenat::nn
