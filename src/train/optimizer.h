// Adam and AdamW over all parameters at once: one multi-tensor operation, the same code on CPU and GPU.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "nn/torch.h"
#include "train/optimizer_spec.h"

namespace litenat::train {

using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;

/// Let m, v be the decayed means of the gradient g and of g^2, and t the number of steps:
///   AdamW:  p -= lr weight_decay p
///   p -= lr / (1 - beta1^t) m / (sqrt(v / (1 - beta2^t)) + eps_t),
/// with eps_t = eps (corrected) or eps / sqrt(1 - beta2^t) (uncorrected, which is
/// lr sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + eps)).
class Optimizer {
 public:
  /// `parameters` are fp32 and keep their names in checkpoints.
  Optimizer(const NamedTensors& parameters, const OptimizerSpec& spec);

  /// One step on `gradients` (in the order of the parameters), which are divided by the scalar `divisor` first when it
  /// is defined. With `skip` (fp32 scalar on the device) at 1 nothing changes. `gradients` are overwritten.
  void step(const std::vector<torch::Tensor>& gradients, double lr, const torch::Tensor& divisor,
            const torch::Tensor& skip);

  /// "m/<name>", "v/<name>" and "steps": views of the state, for checkpoints.
  NamedTensors state() const;
  /// Reads the number of steps from the device (it waits): after state() was filled from a checkpoint, and after steps
  /// that may have been skipped. Until then a skipped step counts in eps_t's bias correction.
  void sync_steps();

 private:
  struct Group {
    std::vector<torch::Tensor> parameters, m, v, steps;
    std::vector<size_t> indices;  // of its parameters among all
    double weight_decay;
  };
  void add(size_t index, const torch::Tensor& parameter, Group* group);

  OptimizerSpec spec_;
  std::vector<std::string> names_;
  std::vector<torch::Tensor> m_, v_;
  torch::Tensor steps_;  // fp32 scalar on the device, shared by all parameters
  int64_t host_steps_ = 0;
  std::vector<Group> groups_;
};

}  // namespace litenat::train
