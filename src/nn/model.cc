#include "nn/model.h"

#include <cmath>

#include "base/error.h"
#include "nn/sequence_model.h"
#include "nn/tagger.h"

namespace litenat::nn {

using torch::Tensor;

namespace {

constexpr double kBertDeviation = 0.02;

/// N(0, 0.02) weights, zero biases and padding rows (init_bert_params of fairseq).
void start_as_bert(torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  if (auto* linear = dynamic_cast<Linear*>(&module)) {
    linear->weight.normal_(0, kBertDeviation);
    if (linear->bias.defined()) linear->bias.zero_();
  } else if (auto* table = dynamic_cast<Embedding*>(&module)) {
    table->reset(kBertDeviation);
  }
}

}  // namespace

Model::Model(const char* name, const graph::ModelSpec& spec)
    : torch::nn::Module(name), spec_(value_or_throw(graph::resolve(spec))) {
  if (spec_.source_vocabulary < 1 || spec_.target_vocabulary < 1)
    throw Error("model: source_vocabulary and target_vocabulary must be set from the data before a model is made");
}

void Model::add_crf() {
  if (spec_.head.kind != graph::HeadKind::kCrf) return;
  // Rows of length about 1: transitions then start at N(0, 1 / rank), small beside the emissions, so that the model
  // first learns as a softmax tagger, while each factor still passes gradient of full size to the other. N(0, 1), the
  // default of the published CRF, starts with transitions of deviation sqrt(rank) that drown the emissions.
  const double deviation = 1.0 / std::sqrt(static_cast<double>(spec_.head.crf_rank));
  auto crf = add_module<torch::nn::Module>(*this, "crf_layer");
  crf_from_ = add_module<Embedding>(*crf, "E1", spec_.target_vocabulary, spec_.head.crf_rank, -1, deviation);
  crf_to_ = add_module<Embedding>(*crf, "E2", spec_.target_vocabulary, spec_.head.crf_rank, -1, deviation);
}

void Model::initialise() {
  if (spec_.init == graph::Init::kFairseq) return;
  for (const auto& module : modules(/*include_self=*/false)) start_as_bert(*module);
}

Tensor Model::crf_from() const { return crf_from_ ? crf_from_->weight : Tensor(); }

Tensor Model::crf_to() const { return crf_to_ ? crf_to_->weight : Tensor(); }

std::unique_ptr<Model> make_model(const graph::ModelSpec& spec, const DropoutSpec& dropout) {
  if (spec.family == graph::Family::kTagger) return std::make_unique<Tagger>(spec, dropout);
  return std::make_unique<SequenceModel>(spec, dropout);
}

}  // namespace litenat::nn
