// Post-training quantisation of a deployable model.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "quant/calibration.h"
#include "quant/quantization_spec.h"
#include "runtime/model.h"

namespace litenat::quant {

/// How far a layer's result in the quantised model is from the fp32 model's, over the calibration sample. Errors of
/// earlier layers are in it.
struct LayerError {
  std::string name;        // of the graph's node
  std::string operation;   // "linear", "embedding", "output"
  bool quantized = false;  // its weight is int8
  int64_t rows = 0;        // that were compared
  double sqnr_db = 0;      // infinity when equal
  double max_abs_error = 0;
  double cosine = 1;
};

/// Writes the int8 form of `model` (fp32) to `output_path`, atomically. Every matrix of a linear layer or embedding and
/// the CRF's tables become int8, but for those under spec.keep, those deeper than numerics::kMaxDepth and the
/// classifier of the target's length. A table that is shared with a product is stored once, packed. `sample` is needed
/// for static activations. The calibration counts of `spec` are filled in. Throws Error; UsageError when a name of
/// spec.keep matches nothing.
void write_quantized(const std::shared_ptr<const runtime::Model>& model, const CalibrationSample& sample,
                     QuantizationSpec spec, const std::string& output_path);

/// Runs both models over the sample. They have the same graph.
std::vector<LayerError> compare_layers(const std::shared_ptr<const runtime::Model>& reference,
                                       const std::shared_ptr<const runtime::Model>& quantized,
                                       const CalibrationSample& sample);

}  // namespace litenat::quant
