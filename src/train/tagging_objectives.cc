#include "train/tagging_objectives.h"

#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/cross_entropy_loss.h>

#include "nn/crf.h"
#include "nn/tagger.h"
#include "train/losses.h"

namespace litenat::train {
namespace {

using torch::Tensor;

nn::SmoothingKind smoothing_kind(SmoothingVariant variant) {
  return variant == SmoothingVariant::kUniform ? nn::SmoothingKind::kUniform : nn::SmoothingKind::kExcludingTarget;
}

/// What all objectives have in common: encoding, cross entropy, the auxiliary outputs.
class TaggerObjective : public Objective {
 public:
  TaggerObjective(const ObjectiveSpec& spec, std::shared_ptr<const nn::CandidateSets> sets)
      : spec_(spec), sets_(std::move(sets)) {}

 protected:
  nn::CandidateLoss token_loss(nn::Tagger& model, const Tensor& states, const Batch& batch) const {
    const Tensor rows = rows_of(states, batch.rows);
    if (sets_ == nullptr)
      return smoothed_cross_entropy(model.emissions(rows), batch.targets, spec_.label_smoothing, spec_.variant);
    // The grouped loss of the CPU wants the output layer itself; elsewhere it computes the same dense product.
    const auto parameters = model.named_parameters();
    const Tensor* project = parameters.find("head.project.weight");
    const Tensor* bias = parameters.find("head.output.bias");
    const Tensor projected = project == nullptr ? rows : torch::matmul(rows, project->t());
    return nn::candidate_cross_entropy(projected, parameters["head.output.weight"], bias == nullptr ? Tensor() : *bias,
                                       batch.inputs, batch.targets, *sets_, spec_.label_smoothing,
                                       smoothing_kind(spec_.variant));
  }

  /// The weighted losses of the auxiliary outputs; undefined when there is none.
  Tensor auxiliary(nn::Tagger& model, const Tensor& states, const Batch& batch, const Denominators& all) const {
    Tensor sum;
    const auto add = [&sum](const Tensor& term) { sum = sum.defined() ? sum + term : term; };
    if (model.spec().head.boundary && batch.key_rows.defined() && spec_.boundary_weight > 0) {
      const Tensor logits = model.boundary(rows_of(states, batch.key_rows)).to(torch::kFloat32);
      add(at::binary_cross_entropy_with_logits(logits, batch.boundaries, {}, {}, at::Reduction::Sum) *
          share(spec_.boundary_weight, all.rows));
    }
    if (model.spec().head.syllable && batch.syllables.defined() && spec_.syllable_weight > 0) {
      const Tensor logits = model.syllable(rows_of(states, batch.rows)).to(torch::kFloat32);
      add(at::cross_entropy_loss(logits, batch.syllables, {}, at::Reduction::Sum) *
          share(spec_.syllable_weight, all.targets));
    }
    return sum;
  }

  ObjectiveSpec spec_;
  std::shared_ptr<const nn::CandidateSets> sets_;
};

class TaggingObjective final : public TaggerObjective {
 public:
  using TaggerObjective::TaggerObjective;

  Loss compute(nn::Model& any_model, const Batch& batch, const Denominators& all) const override {
    auto& model = dynamic_cast<nn::Tagger&>(any_model);
    const Tensor states = model.encode(batch.ids, batch.mask);
    const nn::CandidateLoss tokens = token_loss(model, states, batch);
    Tensor total = tokens.loss * share(spec_.token_weight, all.targets);
    if (const Tensor extra = auxiliary(model, states, batch, all); extra.defined()) total = total + extra;
    return {total, tokens.nll, tokens.correct, {}};
  }
};

class CrfObjective final : public TaggerObjective {
 public:
  using TaggerObjective::TaggerObjective;

  Loss compute(nn::Model& any_model, const Batch& batch, const Denominators& all) const override {
    auto& model = dynamic_cast<nn::Tagger&>(any_model);
    const Tensor states = model.encode(batch.ids, batch.mask);
    const Tensor emissions = model.emissions(rows_of(states, batch.rows)).to(torch::kFloat32);
    const Tensor allowed = sets_ ? sets_->mask(emissions.device()).index_select(0, batch.inputs) : Tensor();
    const int64_t width = model.spec().head.crf_beam;
    const nn::CrfBeam rows = nn::select_beam(emissions, width, batch.targets, allowed);
    const Tensor log_p = nn::crf_log_likelihood(nn::unpack_beam(rows, batch.target_rows, batch.target_mask),
                                                batch.target_mask, model.crf_from(), model.crf_to());
    const Tensor lengths = batch.target_mask.sum(1).clamp_min(1);
    Tensor total = (-log_p / lengths).sum() * share(spec_.crf_weight, all.sentences);
    if (spec_.token_weight > 0)
      total = total + masked_loss(emissions, allowed, batch) * share(spec_.token_weight, all.targets);
    if (const Tensor extra = auxiliary(model, states, batch, all); extra.defined()) total = total + extra;
    return {total, -log_p.detach().sum(), correct(model, emissions.detach(), allowed, batch, width), {}};
  }

 private:
  Tensor masked_loss(const Tensor& emissions, const Tensor& allowed, const Batch& batch) const {
    if (!allowed.defined())
      return smoothed_cross_entropy(emissions, batch.targets, spec_.label_smoothing, spec_.variant).loss;
    return nn::masked_cross_entropy(emissions, allowed, batch.targets, spec_.label_smoothing,
                                    smoothing_kind(spec_.variant))
        .loss;
  }

  /// While training, the row's best token counts (Viterbi would cost as much as the loss); else the best path.
  static Tensor correct(nn::Tagger& model, const Tensor& emissions, const Tensor& allowed, const Batch& batch,
                        int64_t width) {
    const torch::NoGradGuard no_grad;
    if (model.is_training()) {
      const Tensor masked = allowed.defined() ? emissions.masked_fill(allowed.logical_not(), -1e30) : emissions;
      return masked.argmax(1).eq(batch.targets).sum();
    }
    const nn::CrfBeam rows = nn::select_beam(emissions, width, {}, allowed);
    const nn::CrfPath path = nn::crf_viterbi(nn::unpack_beam(rows, batch.target_rows, batch.target_mask),
                                             batch.target_mask, model.crf_from(), model.crf_to());
    return path.tokens.masked_select(batch.target_mask).eq(batch.targets).sum();
  }
};

}  // namespace

std::unique_ptr<Objective> make_tagging_objective(const ObjectiveSpec& spec,
                                                  std::shared_ptr<const nn::CandidateSets> sets) {
  return std::make_unique<TaggingObjective>(spec, std::move(sets));
}

std::unique_ptr<Objective> make_crf_objective(const ObjectiveSpec& spec,
                                              std::shared_ptr<const nn::CandidateSets> sets) {
  return std::make_unique<CrfObjective>(spec, std::move(sets));
}

}  // namespace litenat::train
