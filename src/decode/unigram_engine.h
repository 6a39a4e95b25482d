// The baseline tagger: how common each hanzi is, whatever stands beside it.
#pragma once

#include <vector>

#include "decode/ime_decoder.h"

namespace litenat::decode {

/// Emissions are weight * ln(count of the hanzi with the readings that the row's unit allows). Needs no network; with
/// word_weight 0 the decoder then gives the commonest hanzi of each syllable.
class UnigramEngine : public TaggerEngine {
 public:
  /// Both must outlive the engine. Reads units, not keys.
  UnigramEngine(const text::Dictionary* targets, const text::Lexicon* lexicon, float weight = 1.0F);
  Result<Output> run(Span<const int32_t> ids, Span<const int32_t> lengths) override;
  float transition(int32_t, int32_t) const override { return 0; }
  bool has_transitions() const override { return false; }

 private:
  void fill_row(text::UnitId unit, float* row);
  const text::Lexicon* lexicon_;
  float weight_;
  std::vector<double> counts_;   // by target id
  std::vector<float> illegal_;   // by target id: the emission where the unit does not allow it
  std::vector<double> allowed_;  // by target id, of the unit at hand: counts with the readings it allows
  std::vector<float> emissions_;
};

}  // namespace litenat::decode
