#include "train/update_step.h"

#include <ATen/ops/_foreach_norm.h>

#include <limits>

#include "base/random.h"
#include "train/device.h"

namespace litenat::train {
namespace {

using torch::Tensor;

constexpr double kFirstScale = 1 << 7;
constexpr double kLowestScale = 1e-4;
constexpr double kNotCounted = std::numeric_limits<double>::quiet_NaN();

void add_to(Tensor* sum, const Tensor& value) { *sum = sum->defined() ? *sum + value : value; }

}  // namespace

UpdateStep::UpdateStep(const UpdateSpec& spec, nn::Model* model, const Objective* objective, NamedTensors parameters,
                       Optimizer* optimizer, WeightAverage* average, ProcessGroup* group)
    : spec_(spec),
      model_(model),
      objective_(objective),
      parameters_(std::move(parameters)),
      optimizer_(optimizer),
      average_(average),
      group_(group) {
  const auto options = torch::TensorOptions(torch::kFloat64).device(spec.device);
  sums_ = torch::zeros({4 + static_cast<int64_t>(objective->part_names().size())}, options);
  faults_ = torch::zeros({2}, options);
  if (spec.precision != Precision::kFp16) return;
  scale_ = torch::zeros({2}, options.dtype(torch::kFloat32));
  scale_[0] = kFirstScale;
}

void UpdateStep::Totals::add(const Loss& loss) {
  add_to(&total, loss.total.detach());
  add_to(&nll, loss.nll);
  add_to(&correct, loss.correct.defined() ? loss.correct : torch::full_like(loss.nll, kNotCounted));
  if (loss.parts.defined()) add_to(&parts, loss.parts);
}

void UpdateStep::seed(int64_t update, size_t batch) const {
  const int ranks = group_ == nullptr ? 1 : group_->size(), rank = group_ == nullptr ? 0 : group_->rank();
  const uint64_t number = static_cast<uint64_t>(batch) * static_cast<uint64_t>(ranks) + static_cast<uint64_t>(rank);
  const uint64_t of_update = SplitMix64(spec_.seed, static_cast<uint64_t>(update)).next();
  seed_generators(SplitMix64(of_update, number).next(), spec_.device);
}

std::vector<Batch> UpdateStep::prepare(const std::vector<Batch>& batches, int64_t update, Denominators* all) const {
  std::vector<Batch> prepared;
  for (size_t i = 0; i < batches.size(); ++i) {
    prepared.push_back(batches[i].to(spec_.device));
    seed(update, i);
    const Autocast autocast(spec_.precision);
    objective_->prepare(*model_, update - 1, &prepared.back());
    all->add(prepared.back());
  }
  if (group_ == nullptr) return prepared;
  const Tensor counts = torch::tensor({all->targets, all->sentences, all->rows}, torch::kInt64);
  std::vector<Tensor> sums = {counts};
  if (all->hidden.defined()) sums.push_back(all->hidden);
  group_->sum(sums);
  all->targets = counts[0].item<int64_t>();
  all->sentences = counts[1].item<int64_t>();
  all->rows = counts[2].item<int64_t>();
  return prepared;
}

void UpdateStep::run(const std::vector<Batch>& batches, double lr, int64_t update) {
  // Dropping gradients is faster than zeroing them: backward then hands its buffers over instead of adding to ours.
  for (auto& [name, parameter] : parameters_) parameter.mutable_grad().reset();
  model_->train();
  Denominators all;
  const std::vector<Batch> prepared = prepare(batches, update, &all);
  num_targets_ = all.targets;
  Totals totals;
  for (size_t i = 0; i < prepared.size(); ++i) {
    seed(update, i);
    Loss loss;
    {
      const Autocast autocast(spec_.precision);
      loss = objective_->compute(*model_, prepared[i], all);
    }
    (scale_.defined() ? loss.total * scale_[0] : loss.total).backward();
    totals.add(loss);
  }
  const torch::NoGradGuard no_grad;
  apply(totals, lr, update);
}

void UpdateStep::apply(const Totals& totals, double lr, int64_t update) {
  const std::vector<Tensor> grads = gradients();
  const auto wide = [this](const Tensor& t) { return t.to(spec_.device, torch::kFloat64).reshape({-1}); };
  std::vector<Tensor> sums = {wide(totals.total), wide(totals.nll), wide(totals.correct)};
  if (totals.parts.defined()) sums.push_back(wide(totals.parts));
  Tensor values = torch::cat(sums);
  if (group_ != nullptr) {
    std::vector<Tensor> shared = grads;
    shared.push_back(values);
    group_->sum(shared);
  }
  Tensor norm = torch::stack(at::_foreach_norm(grads)).norm();
  if (scale_.defined()) norm = norm / scale_[0];
  const Tensor finite = norm.isfinite().logical_and(values[0].isfinite());
  Tensor divisor = spec_.clip_norm > 0 ? ((norm + 1e-6) / spec_.clip_norm).clamp_min(1) : Tensor();
  if (scale_.defined()) divisor = divisor.defined() ? divisor * scale_[0] : scale_[0].clone();
  optimizer_->step(grads, lr, divisor, finite.logical_not().to(torch::kFloat32));
  if (average_ != nullptr) average_->update(update);

  values = torch::cat({values.narrow(0, 0, 3), wide(norm), values.narrow(0, 3, values.size(0) - 3)});
  sums_.add_(torch::where(finite, values, torch::zeros_like(values)));
  Tensor fault = finite.logical_not();
  // An overflow of scaled gradients is no fault until the scale cannot be what is wrong.
  if (scale_.defined()) fault = fault.logical_and(adapt_scale(finite) | values[0].isfinite().logical_not());
  const Tensor bad = fault.to(torch::kFloat64);
  const Tensor first = torch::where(faults_[0] == 0, bad * static_cast<double>(update), faults_[1]);
  faults_.copy_(torch::stack({faults_[0] + bad, first}));
}

/// Sets the scale of the next update. True (bool scalar) where it has become too low.
Tensor UpdateStep::adapt_scale(const Tensor& finite) {
  const Tensor good = scale_[1] + 1;
  const Tensor doubles = good >= static_cast<double>(spec_.scale_window);
  const Tensor next = torch::where(finite, torch::where(doubles, scale_[0] * 2, scale_[0]), scale_[0] / 2);
  const Tensor count = torch::where(finite.logical_and(doubles.logical_not()), good, torch::zeros_like(good));
  // At the lowest scale it stays: gradients that overflow there are faults, not reasons to go on halving.
  scale_.copy_(torch::stack({next.clamp_min(kLowestScale), count}));
  return next <= kLowestScale;
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

UpdateStep::Faults UpdateStep::faults() {
  optimizer_->sync_steps();
  const Tensor host = faults_.to(torch::kCPU);
  return {static_cast<int64_t>(host[0].item<double>()), static_cast<int64_t>(host[1].item<double>())};
}

double UpdateStep::loss_scale() const { return scale_.defined() ? scale_[0].item<double>() : 1; }

NamedTensors UpdateStep::state() const {
  NamedTensors state = {{"sums", sums_}, {"faults", faults_}};
  if (scale_.defined()) state.emplace_back("scale", scale_);
  return state;
}

}  // namespace litenat::train
