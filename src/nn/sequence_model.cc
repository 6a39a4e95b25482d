#include "nn/sequence_model.h"

#include <cmath>

#include "base/error.h"

namespace litenat::nn {

using graph::Sharing;
using torch::Tensor;

SequenceModel::SequenceModel(const graph::ModelSpec& spec_in, const DropoutSpec& dropout)
    : Model("sequence_model", spec_in) {
  if (!graph::has_decoder(spec()))
    throw Error(std::string("family: expected sequence or non_autoregressive, found ") +
                graph::kFamilyNames.name(spec().family));
  if (spec().head.boundary || spec().head.syllable || spec().head.kind == graph::HeadKind::kJoint)
    throw Error("head: boundary, syllable and joint belong to taggers; expected a softmax or a crf head");
  encoder_ = add_module<Encoder>(*this, "encoder", spec(), dropout);
  const bool shared = spec().decoder.share == Sharing::kAll;
  decoder_ = add_module<Decoder>(*this, "decoder", spec(), dropout, shared ? encoder_->embedding().table() : nullptr);
  add_head();
  initialise();
  add_crf();
}

void SequenceModel::add_head() {
  const graph::HeadSpec& head_spec = spec().head;
  auto head = add_module<torch::nn::Module>(*this, "head");
  if (head_spec.dim != spec().dim)
    project_ = add_module<Linear>(*head, "project", spec().dim, head_spec.dim, /*with_bias=*/false);
  if (spec().decoder.share == Sharing::kNone) {
    auto output = add_module<Linear>(*head, "output", head_spec.dim, spec().target_vocabulary, head_spec.bias);
    const torch::NoGradGuard no_grad;
    output->weight.normal_(0, 1.0 / std::sqrt(static_cast<double>(spec().dim)));
    output_weight_ = output->weight;
    output_bias_ = output->bias;
    return;
  }
  output_weight_ = decoder_->table()->weight;
  if (head_spec.bias)
    output_bias_ = add_module<torch::nn::Module>(*head, "output")
                       ->register_parameter("bias", at::zeros({spec().target_vocabulary}));
}

Encoded SequenceModel::encode(const Tensor& ids, const Tensor& mask) const {
  Encoded encoded;
  encoded.mask = mask;
  const bool copied = spec().family == graph::Family::kNonAutoregressive && spec().decoder.source_copy;
  encoded.states = encoder_->forward(ids, mask, copied ? &encoded.tokens : nullptr);
  if (copied) {
    const Tensor positions = encoder_->embedding().positions(0, ids.size(1));
    encoded.positioned = encoded.tokens + positions.to(encoded.tokens.scalar_type());
  }
  return encoded;
}

Tensor SequenceModel::decode(const Tensor& ids, const Tensor& mask, const Encoded& source) const {
  return decoder_->forward(ids, mask, source);
}

Tensor SequenceModel::logits(const Tensor& states) const {
  return at::linear(project_ ? project_->forward(states) : states, output_weight_, output_bias_);
}

Tensor SequenceModel::length_logits(const Encoded& source) const { return decoder_->length_logits(source); }

std::unique_ptr<DecoderState> SequenceModel::begin(const Encoded& source) const {
  if (spec().family != graph::Family::kSequence)
    throw Error("family: only sequence decodes step by step, found " +
                std::string(graph::kFamilyNames.name(spec().family)));
  return decoder_->begin(source);
}

Tensor SequenceModel::step(const Tensor& ids, DecoderState* state) const { return decoder_->step(ids, state); }

}  // namespace litenat::nn
