// Choosing the range in which a layer's inputs are quantised.
#pragma once

#include <cstdint>
#include <vector>

#include "base/span.h"
#include "numerics/quantization.h"
#include "quant/quantization_spec.h"

namespace litenat::quant {

/// The distribution of the values that a layer reads, in bins over their range. Two passes over the sample: bounds
/// first, counts then.
class ActivationHistogram {
 public:
  static constexpr int kNumBins = 4096;

  /// First pass. Values are finite (the executor checks them).
  void observe_bounds(Span<const float> values);
  /// Second pass, over the same values.
  void observe_counts(Span<const float> values);

  float low() const { return low_; }
  float high() const { return high_; }
  int64_t count() const { return count_; }

  /// The pair for the layer. kMinMax covers every value. kPercentile leaves out the same share of the values at either
  /// end. kMse shrinks the min-max range to the share of it that has the least squared error of quantisation.
  numerics::ActivationQuantization choose(RangeChoice choice, double percentile) const;
  /// Mean squared error of quantising the values by `params`, each value at the centre of its bin.
  double mean_squared_error(numerics::ActivationQuantization params) const;

 private:
  double bin_centre(int bin) const;
  float value_at_share(double share) const;
  float low_ = 0;
  float high_ = 0;
  int64_t count_ = 0;
  std::vector<int64_t> bins_;
};

}  // namespace litenat::quant
