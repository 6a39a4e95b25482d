// One update of the weights: gradients of some batches, clipping, optimiser, average, running sums. Nothing here waits
// for the device: whether a number was not finite is decided there, and read when the caller asks.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/model.h"
#include "train/objective.h"
#include "train/optimizer.h"
#include "train/process_group.h"
#include "train/train_config.h"
#include "train/weight_average.h"

namespace litenat::train {

struct UpdateSpec {
  double clip_norm = 0;
  Precision precision = Precision::kFp32;
  torch::Device device = torch::kCPU;
  /// Every batch of every update draws its dropout from a seed of its own, made from this one: both passes of glancing
  /// draw the same, and so does another number of ranks.
  uint64_t seed = 0;
  /// fp16: the loss is scaled by 2^7 at first, by twice as much after so many updates in a row whose gradients were
  /// finite, by half after one whose were not (and which is left out).
  int64_t scale_window = 1 << 14;
};

class UpdateStep {
 public:
  /// All must outlive the step; `average` and `group` (a process of its own) may be null. `parameters` are those of the
  /// model, in the optimiser's order.
  UpdateStep(const UpdateSpec& spec, nn::Model* model, const Objective* objective, NamedTensors parameters,
             Optimizer* optimizer, WeightAverage* average, ProcessGroup* group = nullptr);

  /// Update number `update` (from 1) on the `batches` of all ranks, as if they were one.
  void run(const std::vector<Batch>& batches, double lr, int64_t update);

  /// Sums since the last clear_sums(), fp64 [4 + parts] on the device: loss, nll, correct, norm of the gradient, and
  /// the objective's parts. Updates that were left out do not count. `correct` is no number after a batch without.
  const torch::Tensor& sums() const { return sums_; }
  /// Targets of the last update, of all ranks.
  int64_t num_targets() const { return num_targets_; }
  void clear_sums() { sums_.zero_(); }
  /// Updates left out so far because loss or gradient was not finite, and the first of them (0: none). fp16: because
  /// the loss was not, or the gradient even at a scale below 1e-4. Waits.
  struct Faults {
    int64_t count;
    int64_t first_update;
  };
  Faults faults();
  /// What the loss is multiplied by; 1 unless fp16. Waits.
  double loss_scale() const;
  /// Views of the sums, faults and (fp16) the scale, for checkpoints.
  NamedTensors state() const;

 private:
  struct Totals {
    torch::Tensor total, nll, correct, parts;
    void add(const Loss& loss);
  };
  void seed(int64_t update, size_t batch) const;
  std::vector<Batch> prepare(const std::vector<Batch>& batches, int64_t update, Denominators* all) const;
  std::vector<torch::Tensor> gradients() const;
  void apply(const Totals& totals, double lr, int64_t update);
  torch::Tensor adapt_scale(const torch::Tensor& finite);

  UpdateSpec spec_;
  nn::Model* model_;
  const Objective* objective_;
  NamedTensors parameters_;
  Optimizer* optimizer_;
  WeightAverage* average_;
  ProcessGroup* group_;
  int64_t num_targets_ = 0;
  torch::Tensor sums_;
  torch::Tensor faults_;  // fp64 [2]: count, first update
  torch::Tensor scale_;   // fp32 [2], fp16 only: what the loss is multiplied by, updates without overflow
};

}  // namespace litenat::train
