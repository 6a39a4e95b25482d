// Summaries of measured times.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

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

}  // namespace litenat::eval
