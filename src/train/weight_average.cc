#include "train/weight_average.h"

#include <ATen/ops/_foreach_lerp.h>

#include <algorithm>

namespace litenat::train {

using torch::Tensor;

WeightAverage::WeightAverage(const NamedTensors& parameters, double decay) : decay_(decay) {
  for (const auto& [name, parameter] : parameters) {
    parameters_.push_back(parameter.detach());
    values_.push_back(parameter.detach().clone());
    average_.emplace_back(name, values_.back());
  }
}

void WeightAverage::update(int64_t t) {
  const double n = static_cast<double>(t);
  const double decay = std::min(decay_, (1 + n) / (10 + n));
  at::_foreach_lerp_(values_, parameters_, at::Scalar(1 - decay));
}

WeightSwap::WeightSwap(const NamedTensors& parameters, const NamedTensors& replacement) : parameters_(parameters) {
  const torch::NoGradGuard no_grad;
  for (size_t i = 0; i < replacement.size(); ++i) {
    Tensor parameter = parameters_[i].second.detach();
    kept_.push_back(parameter.clone());
    parameter.copy_(replacement[i].second);
  }
}

WeightSwap::~WeightSwap() {
  const torch::NoGradGuard no_grad;
  for (size_t i = 0; i < kept_.size(); ++i) parameters_[i].second.detach().copy_(kept_[i]);
}

}  // namespace litenat::train
