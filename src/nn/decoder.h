// The decoder of the families sequence and non_autoregressive: embedding (or copies of the source), blocks that read
// the encoder's states, final LayerNorm. Parameter names as docs/formats.md lists them.
#pragma once

#include <memory>
#include <vector>

#include "graph/model_spec.h"
#include "nn/block.h"
#include "nn/dropout_spec.h"
#include "nn/embedding.h"

namespace litenat::nn {

/// What a decoder reads of the source.
struct Encoded {
  torch::Tensor states;      // [B, S, D]
  torch::Tensor mask;        // [B, S] bool, true at tokens
  torch::Tensor tokens;      // [B, S, D] token embeddings alone (non-autoregressive with source_copy), else undefined
  torch::Tensor positioned;  // [B, S, D] tokens + positions, likewise

  /// Sentences `index` [N] int64 of it.
  Encoded select(const torch::Tensor& index) const;
};

/// What an autoregressive decoder remembers of the rows that it has read and of their sources; opaque.
class DecoderState {
 public:
  virtual ~DecoderState() = default;
  /// Row i becomes what row parents[i] ([N] int64) was.
  virtual void select(const torch::Tensor& parents) = 0;
  /// The same where row i and row parents[i] have one source (a beam reordered within each sentence) and the number of
  /// rows stays: what is remembered of the sources is not copied.
  virtual void select_within_sources(const torch::Tensor& parents) = 0;
};

class Decoder : public torch::nn::Module {
 public:
  /// `spec` is resolved. `shared_table`: the source's, if the spec shares it.
  Decoder(const graph::ModelSpec& spec, const DropoutSpec& dropout, std::shared_ptr<Embedding> shared_table);

  /// ids [B, T], mask [B, T] -> states [B, T, D].
  torch::Tensor forward(const torch::Tensor& ids, const torch::Tensor& mask, const Encoded& source) const;
  /// [B, length_classes] logits.
  torch::Tensor length_logits(const Encoded& source) const;

  std::unique_ptr<DecoderState> begin(const Encoded& source) const;
  torch::Tensor step(const torch::Tensor& ids, DecoderState* state) const;

  const std::shared_ptr<Embedding>& table() const { return embedding_.table(); }

 private:
  /// The inputs [B, T, D] before positions.
  torch::Tensor inputs(const torch::Tensor& ids, const Encoded& source, const AttentionMask& mask,
                       const Pass& pass) const;
  /// softmax(W p_t . (e_s + p_s)) e_s for `rows` rows: what <unk> stands for.
  torch::Tensor copies(int64_t rows, const Encoded& source, const AttentionMask& mask, const Pass& pass) const;

  bool layer_positions_;
  InputEmbedding embedding_;
  std::vector<std::shared_ptr<Block>> blocks_;
  std::shared_ptr<LayerNorm> layer_norm_;    // pre-norm
  std::shared_ptr<Embedding> length_table_;  // predicted lengths
  std::shared_ptr<Linear> copy_attn_;        // source_copy
};

}  // namespace litenat::nn
