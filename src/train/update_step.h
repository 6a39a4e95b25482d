// One update of the weights: gradients of some batches, clipping, optimiser, average, running sums. Nothing here waits
// for the device: whether a number was not finite is decided there, and read when the caller asks.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/tagger.h"
#include "train/objective.h"
#include "train/optimizer.h"
#include "train/weight_average.h"

namespace litenat::train {

struct UpdateSpec {
  double clip_norm = 0;
  bool bf16 = false;
  torch::Device device = torch::kCPU;
};

class UpdateStep {
 public:
  /// All must outlive the step; `average` may be null. `parameters` are those of the model, in the optimiser's order.
  UpdateStep(const UpdateSpec& spec, nn::Tagger* model, const Objective* objective, NamedTensors parameters,
             Optimizer* optimizer, WeightAverage* average);

  /// Update number `update` (from 1) on `batches`, as if they were one.
  void run(const std::vector<Batch>& batches, double lr, int64_t update);

  /// Sums since the last clear_sums(), fp64 [4] on the device: loss, nll, correct, norm of the gradient. Updates that
  /// were left out do not count.
  const torch::Tensor& sums() const { return sums_; }
  void clear_sums() { sums_.zero_(); }
  /// Updates left out so far because loss or gradient was not finite, and the first of them (0: none). Waits.
  struct Faults {
    int64_t count;
    int64_t first_update;
  };
  Faults faults() const;
  /// Views of the sums and faults, for checkpoints.
  NamedTensors state() const { return {{"sums", sums_}, {"faults", faults_}}; }

 private:
  std::vector<torch::Tensor> gradients() const;
  void apply(const torch::Tensor& total, const torch::Tensor& nll, const torch::Tensor& correct, double lr,
             int64_t update);

  UpdateSpec spec_;
  nn::Tagger* model_;
  const Objective* objective_;
  NamedTensors parameters_;
  Optimizer* optimizer_;
  WeightAverage* average_;
  torch::Tensor sums_;
  torch::Tensor faults_;  // fp64 [2]: count, first update
};

}  // namespace litenat::train
