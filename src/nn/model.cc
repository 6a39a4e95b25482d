#include "nn/model.h"

#include <cmath>

#include "base/error.h"

namespace litenat::nn {

using torch::Tensor;

Tagger::Tagger(const graph::ModelSpec& spec, const DropoutSpec& dropout)
    : torch::nn::Module("tagger"), spec_(value_or_throw(graph::resolve(spec))) {
  if (spec_.source_vocabulary < 1 || spec_.target_vocabulary < 1)
    throw Error("model: source_vocabulary and target_vocabulary must be set from the data before a model is made");
  if (spec_.head.kind == graph::HeadKind::kJoint)
    throw Error("head.kind: a tagger has a softmax or a crf head, found joint");
  encoder_ = add_module<Encoder>(*this, "encoder", spec_, dropout);
  add_head();
}

void Tagger::add_head() {
  const graph::HeadSpec& spec = spec_.head;
  auto head = add_module<torch::nn::Module>(*this, "head");
  if (spec.dim != spec_.dim) project_ = add_module<Linear>(*head, "project", spec_.dim, spec.dim, /*with_bias=*/false);
  output_ = add_module<Linear>(*head, "output", spec.dim, spec_.target_vocabulary, spec.bias);
  if (spec.boundary) boundary_ = add_module<Linear>(*head, "boundary", spec_.dim, 1);
  if (spec.syllable) syllable_ = add_module<Linear>(*head, "syllable", spec_.dim, spec_.syllable_vocabulary);
  if (spec.kind != graph::HeadKind::kCrf) return;
  // Rows of length about 1: transitions then start at N(0, 1 / rank), small beside the emissions, so that the model
  // first learns as a softmax tagger, while each factor still passes gradient of full size to the other. N(0, 1), the
  // default of the published CRF, starts with transitions of deviation sqrt(rank) that drown the emissions.
  const double deviation = 1.0 / std::sqrt(static_cast<double>(spec.crf_rank));
  auto crf = add_module<torch::nn::Module>(*this, "crf_layer");
  crf_from_ = add_module<Embedding>(*crf, "E1", spec_.target_vocabulary, spec.crf_rank, -1, deviation);
  crf_to_ = add_module<Embedding>(*crf, "E2", spec_.target_vocabulary, spec.crf_rank, -1, deviation);
}

Tensor Tagger::encode(const Tensor& ids, const Tensor& mask) { return encoder_->forward(ids, mask); }

Tensor Tagger::emissions(const Tensor& states) {
  return output_->forward(project_ ? project_->forward(states) : states);
}

Tensor Tagger::boundary(const Tensor& states) { return boundary_ ? boundary_->forward(states).squeeze(-1) : Tensor(); }

Tensor Tagger::syllable(const Tensor& states) { return syllable_ ? syllable_->forward(states) : Tensor(); }

Tagger::Output Tagger::forward(const Tensor& ids, const Tensor& mask) {
  const Tensor states = encode(ids, mask);
  return {emissions(states), boundary(states), syllable(states)};
}

Tensor Tagger::crf_from() const { return crf_from_ ? crf_from_->weight : Tensor(); }

Tensor Tagger::crf_to() const { return crf_to_ ? crf_to_->weight : Tensor(); }

}  // namespace litenat::nn
