#include "decode/emission_scorer.h"

#include <algorithm>
#include <cmath>

namespace litenat::decode {

void EmissionScorer::score(int32_t row, text::UnitId, Span<const int32_t> candidates, float* out) const {
  if (candidates.empty()) return;
  const float* logits = emissions_.data() + static_cast<size_t>(row) * num_targets_;
  float highest = logits[candidates[0]];
  for (const int32_t candidate : candidates) highest = std::max(highest, logits[candidate]);
  double sum = 0;
  for (const int32_t candidate : candidates) sum += std::exp(static_cast<double>(logits[candidate] - highest));
  const float log_sum = highest + static_cast<float>(std::log(sum));
  for (size_t i = 0; i < candidates.size(); ++i) out[i] = logits[candidates[i]] - log_sum;
}

}  // namespace litenat::decode
