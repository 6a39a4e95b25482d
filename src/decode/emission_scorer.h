// Log-probabilities of hanzi from the tagger's logits, over the candidates of an arc.
#pragma once

#include "decode/ime_decoder.h"

namespace litenat::decode {

/// Views the rows of one sentence.
class EmissionScorer : public CharacterScorer {
 public:
  /// emissions: [rows, num_targets]. `engine` gives the transitions.
  EmissionScorer(Span<const float> emissions, size_t num_targets, const TaggerEngine* engine)
      : emissions_(emissions), num_targets_(num_targets), engine_(engine) {}

  void score(int32_t row, text::UnitId unit, Span<const int32_t> candidates, float* out) const override;
  float transition(int32_t previous, int32_t next) const override { return engine_->transition(previous, next); }
  bool has_transitions() const override { return engine_->has_transitions(); }

 private:
  Span<const float> emissions_;
  size_t num_targets_;
  const TaggerEngine* engine_;
};

}  // namespace litenat::decode
