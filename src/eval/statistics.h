// Summaries of measured times and counted shares.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "eval/metric.h"

namespace litenat::eval {

/// Nearest-rank percentile, `percent` in (0, 100]; 0 for no samples.
inline double percentile(std::vector<double> samples, double percent) {
  if (samples.empty()) return 0;
  const double rank = std::ceil(percent / 100.0 * static_cast<double>(samples.size()));
  const size_t index = static_cast<size_t>(std::max(1.0, std::min(rank, static_cast<double>(samples.size())))) - 1;
  std::nth_element(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(index), samples.end());
  return samples[index];
}

inline double mean(const std::vector<double>& samples) {
  double sum = 0;
  for (const double sample : samples) sum += sample;
  return samples.empty() ? 0 : sum / static_cast<double>(samples.size());
}

/// The 95 % score interval (Wilson 1927) of the share that `successes` of `trials` independent trials estimate; [0, 1]
/// for no trial. Unlike the normal approximation it stays inside [0, 1] and has a width at 0 and 1.
inline Interval wilson_interval(double successes, double trials) {
  if (trials <= 0) return {0, 1};
  constexpr double kZ = 1.959963984540054;  // the 97.5 % quantile of the normal distribution
  const double share = successes / trials;
  const double shrink = 1 + kZ * kZ / trials;
  const double centre = (share + kZ * kZ / (2 * trials)) / shrink;
  const double half = kZ / shrink * std::sqrt(share * (1 - share) / trials + kZ * kZ / (4 * trials * trials));
  return {std::max(0.0, centre - half), std::min(1.0, centre + half)};
}

}  // namespace litenat::eval
