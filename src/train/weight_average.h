// The moving average of the weights.
#pragma once

#include <cstdint>

#include "nn/torch.h"
#include "train/optimizer.h"

namespace litenat::train {

/// average += (1 - d) (weights - average) after update t, d = min(decay, (1 + t) / (10 + t)): early averages forget the
/// random start quickly.
class WeightAverage {
 public:
  WeightAverage(const NamedTensors& parameters, double decay);
  void update(int64_t t);
  const NamedTensors& tensors() const { return average_; }

 private:
  double decay_;
  std::vector<torch::Tensor> parameters_, values_;
  NamedTensors average_;
};

/// The model has the average's weights while this lives, then its own again.
class WeightSwap {
 public:
  WeightSwap(const NamedTensors& parameters, const NamedTensors& replacement);
  ~WeightSwap();
  WeightSwap(const WeightSwap&) = delete;
  WeightSwap& operator=(const WeightSwap&) = delete;

 private:
  NamedTensors parameters_;
  std::vector<torch::Tensor> kept_;
};

}  // namespace litenat::train
