#include "nn/decoder.h"

#include <utility>

#include "nn/encoder.h"

namespace litenat::nn {

using torch::Tensor;

namespace {

constexpr int64_t kUnknownId = 3;  // the mask of non-autoregressive inputs
constexpr double kLengthDeviation = 0.02;

Tensor select_rows(const Tensor& x, const Tensor& index) { return x.defined() ? x.index_select(0, index) : x; }

/// The source's rows as the blocks read them.
SourceRows rows_of(const Encoded& source) { return {source.states, {Pass(source.mask, false).keys, false}}; }

struct StackState : DecoderState {
  int64_t read = 0;  // rows so far
  AttentionMask source_mask;
  std::vector<BlockState> blocks;

  void select(const Tensor& parents) override {
    source_mask.keys = select_rows(source_mask.keys, parents);
    for (BlockState& block : blocks) {
      block.keys = select_rows(block.keys, parents);
      block.values = select_rows(block.values, parents);
    }
    select_within_sources(parents);
  }

  void select_within_sources(const Tensor& parents) override {
    for (BlockState& block : blocks) block.mixer.select(parents);
  }
};

bool autoregressive(const graph::ModelSpec& spec) { return spec.family == graph::Family::kSequence; }

BlockRole role_of(const graph::ModelSpec& spec) {
  return {spec.decoder.stack.pre_norm, autoregressive(spec), spec.decoder.cross_heads};
}

}  // namespace

Encoded Encoded::select(const Tensor& index) const {
  return {select_rows(states, index), select_rows(mask, index), select_rows(tokens, index),
          select_rows(positioned, index)};
}

Decoder::Decoder(const graph::ModelSpec& spec, const DropoutSpec& dropout, std::shared_ptr<Embedding> shared_table)
    : layer_positions_(!autoregressive(spec) && spec.decoder.layer_positions),
      embedding_(*this, spec.decoder.embedding,
                 {"decoder.embedding", spec.target_vocabulary, spec.dim, std::move(shared_table)}, dropout.dropout),
      blocks_(add_blocks(*this, spec.dim, spec.decoder.stack, role_of(spec), dropout)) {
  if (spec.decoder.stack.pre_norm) layer_norm_ = add_module<LayerNorm>(*this, "layer_norm", spec.dim);
  if (autoregressive(spec)) return;
  // Never zero: a zero table passes no gradient to the encoder at first and predicts one length for every sentence.
  if (spec.decoder.length == graph::LengthKind::kPredicted)
    length_table_ =
        add_module<Embedding>(*this, "embed_length", spec.decoder.length_classes, spec.dim, -1, kLengthDeviation);
  if (spec.decoder.source_copy)
    copy_attn_ = add_module<Linear>(*this, "copy_attn", spec.dim, spec.dim, /*with_bias=*/false);
}

Tensor Decoder::copies(int64_t rows, const Encoded& source, const AttentionMask& mask, const Pass& pass) const {
  const Tensor queries = copy_attn_->forward(embedding_.positions(0, rows));  // [T, D]
  const Tensor q = queries.expand({source.states.size(0), 1, rows, queries.size(1)});
  return attend(q, source.positioned.unsqueeze(1).to(q.scalar_type()), source.tokens.unsqueeze(1).to(q.scalar_type()),
                mask, 1.0, pass, 0.0)
      .squeeze(1);
}

Tensor Decoder::inputs(const Tensor& ids, const Encoded& source, const AttentionMask& mask, const Pass& pass) const {
  const Tensor known = embedding_.tokens(ids, pass);
  if (!copy_attn_) return known;
  const Tensor copied = copies(ids.size(1), source, mask, pass).to(known.scalar_type());
  return at::where((ids == kUnknownId).unsqueeze(-1), copied, known);
}

Tensor Decoder::forward(const Tensor& ids, const Tensor& mask, const Encoded& source) const {
  const Pass pass(mask, is_training());
  const SourceRows rows = rows_of(source);
  Tensor x = inputs(ids, source, rows.mask, pass);
  for (size_t i = 0; i < blocks_.size(); ++i) {
    if (i == 0 || layer_positions_) x = embedding_.place(x, 0, pass);
    x = blocks_[i]->forward(x, pass, &rows);
  }
  return layer_norm_ ? layer_norm_->forward(x) : x;
}

Tensor Decoder::length_logits(const Encoded& source) const {
  if (!length_table_) return {};
  const Tensor keep = source.mask.unsqueeze(-1);
  const Tensor sum = source.states.masked_fill(keep.logical_not(), 0).sum(1);  // [B, D]
  const Tensor mean = sum / source.mask.sum(1, /*keepdim=*/true).clamp_min(1);
  return at::linear(mean, length_table_->weight);
}

std::unique_ptr<DecoderState> Decoder::begin(const Encoded& source) const {
  const torch::NoGradGuard no_grad;
  auto state = std::make_unique<StackState>();
  const SourceRows rows = rows_of(source);
  state->source_mask = rows.mask;
  for (const auto& block : blocks_) state->blocks.push_back(block->begin(rows));
  return state;
}

Tensor Decoder::step(const Tensor& ids, DecoderState* state) const {
  const torch::NoGradGuard no_grad;
  auto& stack = static_cast<StackState&>(*state);
  const Pass pass;
  Tensor x = embedding_.place(embedding_.tokens(ids.unsqueeze(1), pass), stack.read, pass);  // [N, 1, D]
  for (size_t i = 0; i < blocks_.size(); ++i) x = blocks_[i]->step(x, stack.source_mask, &stack.blocks[i]);
  ++stack.read;
  return (layer_norm_ ? layer_norm_->forward(x) : x).squeeze(1);
}

}  // namespace litenat::nn
