#include "quant/activation_range.h"

#include <algorithm>
#include <cmath>

namespace litenat::quant {
namespace {

constexpr int kShrinkSteps = 80;  // kMse tries ranges of 100 %, 99 %, ..., 20 %

}  // namespace

void ActivationHistogram::observe_bounds(Span<const float> values) {
  for (const float value : values) {
    low_ = std::min(low_, value);
    high_ = std::max(high_, value);
  }
}

void ActivationHistogram::observe_counts(Span<const float> values) {
  bins_.resize(kNumBins);
  const double width = (static_cast<double>(high_) - low_) / kNumBins;
  for (const float value : values) {
    const int bin = width > 0 ? static_cast<int>((static_cast<double>(value) - low_) / width) : 0;
    ++bins_[static_cast<size_t>(std::clamp(bin, 0, kNumBins - 1))];
  }
  count_ += static_cast<int64_t>(values.size());
}

double ActivationHistogram::bin_centre(int bin) const {
  return low_ + (bin + 0.5) * (static_cast<double>(high_) - low_) / kNumBins;
}

double ActivationHistogram::mean_squared_error(numerics::ActivationQuantization params) const {
  if (count_ == 0) return 0;
  double sum = 0;
  for (int bin = 0; bin < kNumBins; ++bin) {
    const int64_t weight = bins_[static_cast<size_t>(bin)];
    if (weight == 0) continue;
    const double x = bin_centre(bin);
    const int32_t q = numerics::quantize_activation(static_cast<float>(x), 1.0f / params.scale, params.zero);
    const double error = x - static_cast<double>(params.scale) * (q - params.zero);
    sum += static_cast<double>(weight) * error * error;
  }
  return sum / static_cast<double>(count_);
}

float ActivationHistogram::value_at_share(double share) const {
  const double target = share * static_cast<double>(count_);
  double seen = 0;
  for (int bin = 0; bin < kNumBins; ++bin) {
    seen += static_cast<double>(bins_[static_cast<size_t>(bin)]);
    if (seen >= target) return static_cast<float>(bin_centre(bin));
  }
  return high_;
}

numerics::ActivationQuantization ActivationHistogram::choose(RangeChoice choice, double percentile) const {
  const numerics::ActivationQuantization full = numerics::activation_quantization(low_, high_);
  if (choice == RangeChoice::kMinMax || count_ == 0) return full;
  if (choice == RangeChoice::kPercentile) {
    const double outside = (1.0 - percentile / 100.0) / 2.0;
    return numerics::activation_quantization(value_at_share(outside), value_at_share(1.0 - outside));
  }
  numerics::ActivationQuantization best = full;
  double least = mean_squared_error(full);
  for (int step = 1; step <= kShrinkSteps; ++step) {
    const float share = 1.0f - static_cast<float>(step) / 100.0f;
    const auto candidate = numerics::activation_quantization(low_ * share, high_ * share);
    const double error = mean_squared_error(candidate);
    if (error < least) {
      least = error;
      best = candidate;
    }
  }
  return best;
}

}  // namespace litenat::quant
