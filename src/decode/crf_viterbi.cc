#include "decode/crf_viterbi.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace litenat::decode {
namespace {

bool has_empty_position(const std::vector<CrfPosition>& positions) {
  return std::any_of(positions.begin(), positions.end(), [](const CrfPosition& p) { return p.candidates.empty(); });
}

double log_sum_exp(const std::vector<double>& values) {
  const double highest = *std::max_element(values.begin(), values.end());
  if (std::isinf(highest)) return highest;
  double sum = 0;
  for (const double value : values) sum += std::exp(value - highest);
  return highest + std::log(sum);
}

template <typename Transitions>
CrfPath best_path(const std::vector<CrfPosition>& positions, const Transitions& transitions) {
  CrfPath path;
  if (positions.empty() || has_empty_position(positions)) return path;
  std::vector<std::vector<size_t>> best_previous(positions.size());
  std::vector<double> alpha(positions[0].scores.begin(), positions[0].scores.end());
  for (size_t i = 1; i < positions.size(); ++i) {
    const CrfPosition& position = positions[i];
    std::vector<double> next(position.candidates.size(), -std::numeric_limits<double>::infinity());
    best_previous[i].assign(next.size(), 0);
    for (size_t b = 0; b < next.size(); ++b) {
      for (size_t a = 0; a < alpha.size(); ++a) {
        const double score = alpha[a] + transitions(positions[i - 1].candidates[a], position.candidates[b]);
        if (score <= next[b]) continue;
        next[b] = score;
        best_previous[i][b] = a;
      }
      next[b] += position.scores[b];
    }
    alpha = std::move(next);
  }
  auto at = static_cast<size_t>(std::max_element(alpha.begin(), alpha.end()) - alpha.begin());
  path.score = static_cast<float>(alpha[at]);
  path.ids.resize(positions.size());
  path.position_scores.resize(positions.size());
  for (size_t i = positions.size(); i-- > 0; at = i > 0 ? best_previous[i][at] : at) {
    path.ids[i] = positions[i].candidates[at];
    path.position_scores[i] = positions[i].scores[at];
    if (i == 0) continue;
    path.position_scores[i] += transitions(positions[i - 1].candidates[best_previous[i][at]], path.ids[i]);
  }
  return path;
}

}  // namespace

CrfPath crf_viterbi(const std::vector<CrfPosition>& positions, const LowRankTransitions& transitions) {
  return best_path(positions, transitions);
}

CrfPath crf_viterbi(const std::vector<CrfPosition>& positions,
                    const std::function<float(int32_t, int32_t)>& transition) {
  return best_path(positions, transition);
}

double crf_log_partition(const std::vector<CrfPosition>& positions, const LowRankTransitions& transitions) {
  if (positions.empty()) return 0;
  if (has_empty_position(positions)) return -std::numeric_limits<double>::infinity();
  std::vector<double> alpha(positions[0].scores.begin(), positions[0].scores.end());
  for (size_t i = 1; i < positions.size(); ++i) {
    std::vector<double> next;
    for (size_t b = 0; b < positions[i].candidates.size(); ++b) {
      std::vector<double> terms;
      for (size_t a = 0; a < alpha.size(); ++a) {
        terms.push_back(alpha[a] + transitions(positions[i - 1].candidates[a], positions[i].candidates[b]));
      }
      next.push_back(log_sum_exp(terms) + positions[i].scores[b]);
    }
    alpha = std::move(next);
  }
  return log_sum_exp(alpha);
}

}  // namespace litenat::decode
