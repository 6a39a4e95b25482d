#include "train/objective.h"

#include "base/error.h"
#include "text/units.h"
#include "train/pair_objectives.h"
#include "train/tagging_objectives.h"

namespace litenat::train {
namespace {

using graph::Family;
using graph::HeadKind;
using graph::LengthKind;

/// What a model must be for an objective.
struct Needs {
  Family family;
  HeadKind head;
  LengthKind length = LengthKind::kPredicted;  // non_autoregressive
};

Needs needs_of(ObjectiveKind kind) {
  switch (kind) {
    case ObjectiveKind::kTagging:
      return {Family::kTagger, HeadKind::kSoftmax};
    case ObjectiveKind::kCrf:
      return {Family::kTagger, HeadKind::kCrf};
    case ObjectiveKind::kLabelSmoothed:
      return {Family::kSequence, HeadKind::kSoftmax};
    case ObjectiveKind::kNat:
    case ObjectiveKind::kGlat:
      return {Family::kNonAutoregressive, HeadKind::kSoftmax};
    case ObjectiveKind::kCrfNat:
      return {Family::kNonAutoregressive, HeadKind::kCrf};
    case ObjectiveKind::kCtc:
      return {Family::kNonAutoregressive, HeadKind::kSoftmax, LengthKind::kRatio};
  }
  throw Error("objective.kind: a value outside the enum");
}

void check_model(ObjectiveKind kind, const graph::ModelSpec& model) {
  const auto refuse = [kind](const std::string& setting, const char* expected, const char* found) {
    throw Error("objective.kind: " + std::string(kObjectiveKindNames.name(kind)) + " needs " + setting + " = \"" +
                expected + "\", found \"" + found + "\"");
  };
  const Needs needs = needs_of(kind);
  if (model.family != needs.family)
    refuse("model.family", graph::kFamilyNames.name(needs.family), graph::kFamilyNames.name(model.family));
  if (model.head.kind != needs.head)
    refuse("model.head.kind", graph::kHeadKindNames.name(needs.head), graph::kHeadKindNames.name(model.head.kind));
  if (model.family == Family::kNonAutoregressive && model.decoder.length != needs.length)
    refuse("model.decoder.length", graph::kLengthKindNames.name(needs.length),
           graph::kLengthKindNames.name(model.decoder.length));
}

}  // namespace

void Objective::prepare(nn::Model& /*model*/, int64_t /*updates_done*/, Batch* /*batch*/) const {}

std::unique_ptr<Objective> make_objective(const ObjectiveSpec& spec, std::shared_ptr<const nn::CandidateSets> sets,
                                          const graph::ModelSpec& model) {
  check_model(spec.kind, model);
  switch (spec.kind) {
    case ObjectiveKind::kTagging:
      return make_tagging_objective(spec, std::move(sets));
    case ObjectiveKind::kCrf:
      return make_crf_objective(spec, std::move(sets));
    case ObjectiveKind::kLabelSmoothed:
      return make_label_smoothed_objective(spec);
    case ObjectiveKind::kNat:
      return make_nat_objective(spec);
    case ObjectiveKind::kGlat:
      return make_glat_objective(spec);
    case ObjectiveKind::kCrfNat:
      return make_crf_nat_objective(spec);
    case ObjectiveKind::kCtc:
      return make_ctc_objective(spec);
  }
  throw Error("objective.kind: a value outside the enum");
}

std::shared_ptr<const nn::CandidateSets> candidate_sets(const text::Lexicon& lexicon, int64_t num_targets) {
  std::vector<std::vector<int64_t>> sets(static_cast<size_t>(text::kFirstUnit + text::num_units()));
  for (int i = 0; i < text::num_units(); ++i) {
    const text::UnitId unit = text::kFirstUnit + i;
    const auto candidates = lexicon.candidates(unit);
    sets[static_cast<size_t>(unit)] = {candidates.begin(), candidates.end()};
  }
  return std::make_shared<const nn::CandidateSets>(sets, num_targets);
}

}  // namespace litenat::train
