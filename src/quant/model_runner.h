// Runs a calibration batch through a model of any family.
#pragma once

#include <memory>

#include "quant/calibration.h"
#include "runtime/model.h"
#include "runtime/observer.h"

namespace litenat::quant {

class ModelRunner {
 public:
  virtual ~ModelRunner() = default;
  /// The observer sees every node that the batch's ids lead to. Throws Error.
  virtual void set_observer(runtime::NodeObserver observer) = 0;
  virtual void run(const CalibrationBatch& batch) = 0;

  static std::unique_ptr<ModelRunner> create(const std::shared_ptr<const runtime::Model>& model);
};

}  // namespace litenat::quant
