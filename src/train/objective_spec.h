// What training minimises, as settings.
#pragma once

#include "base/fields.h"

namespace litenat::train {

enum class ObjectiveKind { kTagging, kCrf };
inline const EnumNames<ObjectiveKind> kObjectiveKindNames{
    {{ObjectiveKind::kTagging, "tagging"}, {ObjectiveKind::kCrf, "crf"}}};

/// How label smoothing spreads eps over n tokens: eps / n on every token (the older fairseq), or eps / (n - 1) on every
/// token but the target (fairseq since 2020).
enum class SmoothingVariant { kUniform, kExcludingTarget };
inline const EnumNames<SmoothingVariant> kSmoothingVariantNames{
    {{SmoothingVariant::kUniform, "uniform"}, {SmoothingVariant::kExcludingTarget, "excluding_target"}}};

struct ObjectiveSpec {
  ObjectiveKind kind = ObjectiveKind::kTagging;
  double label_smoothing = 0.0;
  SmoothingVariant variant = SmoothingVariant::kUniform;
  bool candidates = true;
  double token_weight = 1.0;
  double crf_weight = 1.0;
  double boundary_weight = 1.0;
  double syllable_weight = 0.3;

  template <class V>
  void visit(V& v) {
    v("kind", kind, "tagging: cross entropy of each row; crf: likelihood of the whole sentence as well",
      kObjectiveKindNames);
    v("label_smoothing", label_smoothing, "eps of the smoothed cross entropy", between(0, 0.99));
    v("variant", variant, "uniform: eps/V on every token; excluding_target: eps/(V-1) on every other one",
      kSmoothingVariantNames);
    v("candidates", candidates, "normalise over the hanzi that the typed unit allows (input = units, keys)");
    v("token_weight", token_weight, "weight of the cross entropy", between(0, 1000));
    v("crf_weight", crf_weight, "weight of -ln p(sentence) / length (kind = crf)", between(0, 1000));
    v("boundary_weight", boundary_weight, "weight of the syllable boundaries (model.head.boundary)", between(0, 1000));
    v("syllable_weight", syllable_weight, "weight of the syllables (model.head.syllable)", between(0, 1000));
  }
};

}  // namespace litenat::train
