// What a quantised model says about itself (metadata "litenat.quantization"), and what `quantize` is asked to do.
#pragma once

#include <string>
#include <vector>

#include "base/fields.h"

namespace litenat::quant {

/// kDynamic: scale and zero of every row from that row, at run time. kStatic: one pair a layer, calibrated.
enum class ActivationMode { kDynamic, kStatic };
inline const EnumNames<ActivationMode> kActivationModeNames{
    {{ActivationMode::kDynamic, "dynamic"}, {ActivationMode::kStatic, "static"}}};

/// How a static range is taken from the values that were seen.
enum class RangeChoice { kMinMax, kPercentile, kMse };
inline const EnumNames<RangeChoice> kRangeChoiceNames{
    {{RangeChoice::kMinMax, "minmax"}, {RangeChoice::kPercentile, "percentile"}, {RangeChoice::kMse, "mse"}}};

/// The scheme itself (numerics/quantization.h) is fixed: int8 weights by output channel, u8 activations.
struct QuantizationSpec {
  std::string scheme = "int8";
  ActivationMode activations = ActivationMode::kDynamic;
  RangeChoice range = RangeChoice::kMse;
  double percentile = 99.99;
  std::vector<std::string> keep;  // layers left in fp32: names of weights or of anything above them
  int64_t calibration_lines = 0;
  int64_t calibration_rows = 0;

  template <class V>
  void visit(V& v) {
    v("scheme", scheme, "integer format of weights and activations");
    v("activations", activations, "where the range of an activation comes from", kActivationModeNames);
    v("range", range, "how a static range is chosen", kRangeChoiceNames);
    v("percentile", percentile, "share of the values inside a percentile range, in percent", between(50, 100));
    v("keep", keep, "layers left in fp32");
    v("calibration_lines", calibration_lines, "lines of the calibration sample", between(0, 1e12));
    v("calibration_rows", calibration_rows, "rows of the network that they gave", between(0, 1e12));
  }
};

}  // namespace litenat::quant
