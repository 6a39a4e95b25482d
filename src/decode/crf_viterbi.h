// A linear-chain CRF over lists of candidates, with transitions of low rank: M[a, b] = E1[a] . E2[b].
//
//   score(y) = sum over i of s_i[y_i]  +  sum over i >= 1 of M[y_{i-1}, y_i]
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/span.h"

namespace litenat::decode {

/// Views the two factors, row-major [vocabulary, rank].
struct LowRankTransitions {
  Span<const float> previous;  // E1
  Span<const float> next;      // E2
  int32_t rank = 0;

  float operator()(int32_t a, int32_t b) const {
    const float* u = previous.data() + static_cast<size_t>(a) * static_cast<size_t>(rank);
    const float* v = next.data() + static_cast<size_t>(b) * static_cast<size_t>(rank);
    float sum = 0;
    for (int32_t k = 0; k < rank; ++k) sum += u[k] * v[k];
    return sum;
  }
};

/// What a position may be: ids and their emission scores, as many.
struct CrfPosition {
  Span<const int32_t> candidates;
  Span<const float> scores;
};

struct CrfPath {
  std::vector<int32_t> ids;
  /// What each position adds to the path's score: its emission and the transition into it. They sum to `score`.
  std::vector<float> position_scores;
  float score = 0;
};

/// The best path (ties: the first candidates). Empty without positions, or when a position has no candidates.
CrfPath crf_viterbi(const std::vector<CrfPosition>& positions, const LowRankTransitions& transitions);
/// The same with transitions of any kind: transition(a, b) is M[a, b].
CrfPath crf_viterbi(const std::vector<CrfPosition>& positions,
                    const std::function<float(int32_t, int32_t)>& transition);
/// ln of the sum over all paths of exp(score); 0 without positions, -infinity when a position has no candidates.
double crf_log_partition(const std::vector<CrfPosition>& positions, const LowRankTransitions& transitions);

}  // namespace litenat::decode
