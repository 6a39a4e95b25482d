#include "train/optimizer.h"

#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>

#include <cmath>

namespace litenat::train {

using torch::Tensor;

namespace {

/// _fused_adam_ and _fused_adamw_ with the learning rate as a number.
using Step = void (*)(at::TensorList parameters, at::TensorList gradients, at::TensorList m, at::TensorList v,
                      at::TensorList largest_v, at::TensorList steps, double lr, double beta1, double beta2,
                      double weight_decay, double eps, bool amsgrad, bool maximize,
                      const std::optional<Tensor>& divisor, const std::optional<Tensor>& skip);

}  // namespace

Optimizer::Optimizer(const NamedTensors& parameters, const OptimizerSpec& spec) : spec_(spec) {
  steps_ = torch::zeros({}, parameters.front().second.options().dtype(torch::kFloat32).requires_grad(false));
  Group matrices{{}, {}, {}, {}, {}, spec.weight_decay};
  Group vectors{{}, {}, {}, {}, {}, spec.decay_vectors ? spec.weight_decay : 0.0};
  for (size_t i = 0; i < parameters.size(); ++i) {
    const Tensor& parameter = parameters[i].second;
    names_.push_back(parameters[i].first);
    m_.push_back(torch::zeros_like(parameter.detach()));
    v_.push_back(torch::zeros_like(parameter.detach()));
    add(i, parameter, parameter.dim() > 1 || spec.decay_vectors ? &matrices : &vectors);
  }
  for (Group* group : {&matrices, &vectors})
    if (!group->parameters.empty()) groups_.push_back(std::move(*group));
}

void Optimizer::add(size_t index, const Tensor& parameter, Group* group) {
  group->indices.push_back(index);
  group->parameters.push_back(parameter.detach());
  group->m.push_back(m_[index]);
  group->v.push_back(v_[index]);
  group->steps.push_back(steps_);
}

void Optimizer::step(const std::vector<Tensor>& gradients, double lr, const Tensor& divisor, const Tensor& skip) {
  const torch::NoGradGuard no_grad;
  steps_.add_(1);
  host_steps_ += 1;
  double eps = spec_.eps;
  if (spec_.eps_convention == EpsConvention::kUncorrected)
    eps /= std::sqrt(1 - std::pow(spec_.beta2, static_cast<double>(host_steps_)));
  const auto scale = divisor.defined() ? std::optional<Tensor>(divisor) : std::nullopt;
  const auto found = skip.defined() ? std::optional<Tensor>(skip) : std::nullopt;
  const Step run = spec_.kind == OptimizerKind::kAdamW ? static_cast<Step>(&at::_fused_adamw_)
                                                       : static_cast<Step>(&at::_fused_adam_);
  for (Group& group : groups_) {
    std::vector<Tensor> of_group;
    for (const size_t index : group.indices) of_group.push_back(gradients[index]);
    run(group.parameters, of_group, group.m, group.v, {}, group.steps, lr, spec_.beta1, spec_.beta2, group.weight_decay,
        eps, /*amsgrad=*/false, /*maximize=*/false, scale, found);
  }
  if (skip.defined()) steps_.sub_(skip);
}

NamedTensors Optimizer::state() const {
  NamedTensors state;
  for (size_t i = 0; i < names_.size(); ++i) {
    state.emplace_back("m/" + names_[i], m_[i]);
    state.emplace_back("v/" + names_[i], v_[i]);
  }
  state.emplace_back("steps", steps_);
  return state;
}

void Optimizer::sync_steps() { host_steps_ = steps_.item<int64_t>(); }

}  // namespace litenat::train
