// What training minimises, as settings.
#pragma once

#include <cstdint>

#include "base/fields.h"

namespace litenat::train {

enum class ObjectiveKind { kTagging, kCrf, kLabelSmoothed, kNat, kGlat, kCrfNat, kCtc };
inline const EnumNames<ObjectiveKind> kObjectiveKindNames{{{ObjectiveKind::kTagging, "tagging"},
                                                           {ObjectiveKind::kCrf, "crf"},
                                                           {ObjectiveKind::kLabelSmoothed, "label_smoothed"},
                                                           {ObjectiveKind::kNat, "nat"},
                                                           {ObjectiveKind::kGlat, "glat"},
                                                           {ObjectiveKind::kCrfNat, "crf_nat"},
                                                           {ObjectiveKind::kCtc, "ctc"}}};

/// How label smoothing spreads eps over n tokens: eps / n on every token (the older fairseq, and its losses of
/// non-autoregressive models), or eps / (n - 1) on every token but the target (fairseq since 2020).
enum class SmoothingVariant { kUniform, kExcludingTarget };
inline const EnumNames<SmoothingVariant> kSmoothingVariantNames{
    {{SmoothingVariant::kUniform, "uniform"}, {SmoothingVariant::kExcludingTarget, "excluding_target"}}};

/// Glancing (Qian et al. 2021, arXiv:2008.07905): what share of the targets that the model gets wrong its decoder is
/// shown while training. The share goes from `start` to `end` in equal steps.
struct GlancingSpec {
  double start = 0.5;
  double end = 0.3;
  int64_t updates = 0;

  /// The share for the update after `updates_done` ones.
  double share(int64_t updates_done) const {
    if (updates <= 0) return start;
    const double progress = static_cast<double>(updates_done) / static_cast<double>(updates);
    return start + (end - start) * (progress < 0 ? 0 : progress > 1 ? 1 : progress);
  }

  template <class V>
  void visit(V& v) {
    v("start", start, "share of the wrong targets that are shown at the first update", between(0, 1));
    v("end", end, "share in the end", between(0, 1));
    v("updates", updates, "updates from the one to the other; 0 = train.max_updates", between(0, 1e12));
  }
};

struct ObjectiveSpec {
  ObjectiveKind kind = ObjectiveKind::kTagging;
  double label_smoothing = 0.0;
  SmoothingVariant variant = SmoothingVariant::kUniform;
  bool candidates = true;
  double token_weight = 1.0;
  double crf_weight = 1.0;
  double boundary_weight = 1.0;
  double syllable_weight = 0.3;
  double length_weight = 0.1;
  GlancingSpec glancing;

  template <class V>
  void visit(V& v) {
    v("kind", kind,
      "tagging: cross entropy of each row; crf: likelihood of the whole sentence as well; label_smoothed: cross "
      "entropy of an autoregressive model; nat: of a non-autoregressive one, and its length; glat: the same with "
      "glancing; crf_nat: the sentence's likelihood as well; ctc: the sum over all alignments; crf_nat and ctc "
      "glance unless the shares are 0",
      kObjectiveKindNames);
    v("label_smoothing", label_smoothing, "eps of the smoothed cross entropy", between(0, 0.99));
    v("variant", variant, "uniform: eps/V on every token; excluding_target: eps/(V-1) on every other one",
      kSmoothingVariantNames);
    v("candidates", candidates, "normalise over the hanzi that the typed unit allows (input = units, keys)");
    v("token_weight", token_weight, "weight of the cross entropy", between(0, 1000));
    v("crf_weight", crf_weight, "weight of -ln p(sentence) / length (kind = crf, crf_nat)", between(0, 1000));
    v("boundary_weight", boundary_weight, "weight of the syllable boundaries (model.head.boundary)", between(0, 1000));
    v("syllable_weight", syllable_weight, "weight of the syllables (model.head.syllable)", between(0, 1000));
    v("length_weight", length_weight, "weight of the length's cross entropy (kind = nat, glat, crf_nat)",
      between(0, 1000));
    v("glancing", glancing, "targets that the decoder is shown (kind = glat, crf_nat, ctc)");
  }
};

/// Whether training shows the decoder targets.
inline bool glances(const ObjectiveSpec& spec) {
  const bool can =
      spec.kind == ObjectiveKind::kGlat || spec.kind == ObjectiveKind::kCrfNat || spec.kind == ObjectiveKind::kCtc;
  return can && (spec.glancing.start > 0 || spec.glancing.end > 0);
}

}  // namespace litenat::train
