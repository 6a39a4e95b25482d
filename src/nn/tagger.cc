#include "nn/tagger.h"

#include "base/error.h"

namespace litenat::nn {

using torch::Tensor;

Tagger::Tagger(const graph::ModelSpec& spec, const DropoutSpec& dropout) : Model("tagger", spec) {
  if (this->spec().family != graph::Family::kTagger)
    throw Error(std::string("family: expected tagger, found ") + graph::kFamilyNames.name(spec.family));
  if (this->spec().head.kind == graph::HeadKind::kJoint)
    throw Error("head.kind: a tagger has a softmax or a crf head, found joint");
  encoder_ = add_module<Encoder>(*this, "encoder", this->spec(), dropout);
  add_head();
  initialise();
  add_crf();
}

void Tagger::add_head() {
  const graph::HeadSpec& head_spec = spec().head;
  auto head = add_module<torch::nn::Module>(*this, "head");
  if (head_spec.dim != spec().dim)
    project_ = add_module<Linear>(*head, "project", spec().dim, head_spec.dim, /*with_bias=*/false);
  output_ = add_module<Linear>(*head, "output", head_spec.dim, spec().target_vocabulary, head_spec.bias);
  if (head_spec.boundary) boundary_ = add_module<Linear>(*head, "boundary", spec().dim, 1);
  if (head_spec.syllable) syllable_ = add_module<Linear>(*head, "syllable", spec().dim, spec().syllable_vocabulary);
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

}  // namespace litenat::nn
