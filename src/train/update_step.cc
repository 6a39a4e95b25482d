#include "train/update_step.h"

#include <ATen/ops/_foreach_norm.h>

#include "train/device.h"

namespace litenat::train {

using torch::Tensor;

UpdateStep::UpdateStep(const UpdateSpec& spec, nn::Tagger* model, const Objective* objective, NamedTensors parameters,
                       Optimizer* optimizer, WeightAverage* average)
    : spec_(spec),
      model_(model),
      objective_(objective),
      parameters_(std::move(parameters)),
      optimizer_(optimizer),
      average_(average) {
  const auto options = torch::TensorOptions(torch::kFloat64).device(spec.device);
  sums_ = torch::zeros({4}, options);
  faults_ = torch::zeros({2}, options);
}

void UpdateStep::run(const std::vector<Batch>& batches, double lr, int64_t update) {
  Denominators all;
  for (const Batch& batch : batches) all.add(batch);
  // Dropping gradients is faster than zeroing them: backward then hands its buffers over instead of adding to ours.
  for (auto& [name, parameter] : parameters_) parameter.mutable_grad().reset();
  model_->train();
  Tensor total, nll, correct;
  for (const Batch& batch : batches) {
    Loss loss;
    {
      const Autocast autocast(spec_.bf16);
      loss = objective_->compute(*model_, batch.to(spec_.device), all);
    }
    loss.total.backward();
    const Tensor part = loss.total.detach();
    total = total.defined() ? total + part : part;
    nll = nll.defined() ? nll + loss.nll : loss.nll;
    correct = correct.defined() ? correct + loss.correct : loss.correct;
  }
  const torch::NoGradGuard no_grad;
  apply(total, nll, correct, lr, update);
}

void UpdateStep::apply(const Tensor& total, const Tensor& nll, const Tensor& correct, double lr, int64_t update) {
  const std::vector<Tensor> grads = gradients();
  const Tensor norm = torch::stack(at::_foreach_norm(grads)).norm();
  const Tensor finite = norm.isfinite().logical_and(total.isfinite());
  const Tensor divisor = spec_.clip_norm > 0 ? ((norm + 1e-6) / spec_.clip_norm).clamp_min(1) : Tensor();
  optimizer_->step(grads, lr, divisor, finite.logical_not().to(torch::kFloat32));
  if (average_ != nullptr) average_->update(update);
  const auto wide = [this](const Tensor& t) { return t.to(spec_.device, torch::kFloat64); };
  const Tensor values = torch::stack({wide(total), wide(nll), wide(correct), wide(norm)});
  sums_.add_(torch::where(finite, values, torch::zeros_like(values)));
  const Tensor bad = finite.logical_not().to(torch::kFloat64);
  const Tensor first = torch::where(faults_[0] == 0, bad * static_cast<double>(update), faults_[1]);
  faults_.copy_(torch::stack({faults_[0] + bad, first}));
}

std::vector<Tensor> UpdateStep::gradients() const {
  std::vector<Tensor> gradients;
  for (const auto& [name, parameter] : parameters_) {
    const Tensor& gradient = parameter.grad();
    // A weight that no loss depends on (an auxiliary output of weight 0) has none.
    gradients.push_back(gradient.defined() ? gradient : torch::zeros_like(parameter));
  }
  return gradients;
}

UpdateStep::Faults UpdateStep::faults() const {
  const Tensor host = faults_.to(torch::kCPU);
  return {static_cast<int64_t>(host[0].item<double>()), static_cast<int64_t>(host[1].item<double>())};
}

}  // namespace litenat::train
