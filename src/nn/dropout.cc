#include "nn/dropout.h"

#include <ATen/CPUGeneratorImpl.h>

#include <cmath>
#include <mutex>
#include <optional>

#include "nn/dropout_loops.h"

namespace litenat::nn {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kGrainElements = 1 << 15;

DropoutMask draw_mask(double rate) {
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  const std::lock_guard<std::mutex> lock(generator.mutex());
  const uint64_t seed = at::check_generator<at::CPUGeneratorImpl>(generator)->random64();
  return {seed, static_cast<uint32_t>(std::ldexp(rate, 32)), static_cast<float>(1.0 / (1.0 - rate))};
}

Tensor apply_mask(const DropoutMask& mask, const Tensor& x, const Tensor& residual) {
  Tensor y = at::empty_like(x);
  const float* in = x.const_data_ptr<float>();
  const float* added = residual.defined() ? residual.const_data_ptr<float>() : nullptr;
  float* out = y.mutable_data_ptr<float>();
  at::parallel_for(0, x.numel(), kGrainElements,
                   [&](int64_t begin, int64_t end) { dropout_range(mask, in, added, out, begin, end); });
  return y;
}

class DropoutFunction : public torch::autograd::Function<DropoutFunction> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x, const std::optional<Tensor>& residual, double rate) {
    const DropoutMask mask = draw_mask(rate);
    context->saved_data["seed"] = static_cast<int64_t>(mask.seed);
    context->saved_data["threshold"] = static_cast<int64_t>(mask.threshold);
    context->saved_data["scale"] = static_cast<double>(mask.scale);
    context->saved_data["has_residual"] = residual.has_value();
    return apply_mask(mask, x.contiguous(), residual.has_value() ? residual->contiguous() : Tensor());
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const DropoutMask mask = {static_cast<uint64_t>(context->saved_data["seed"].toInt()),
                              static_cast<uint32_t>(context->saved_data["threshold"].toInt()),
                              static_cast<float>(context->saved_data["scale"].toDouble())};
    const bool has_residual = context->saved_data["has_residual"].toBool();
    return {apply_mask(mask, grads[0].contiguous(), Tensor()), has_residual ? grads[0] : Tensor(), Tensor()};
  }
};

bool has_loop(const Tensor& x) { return x.is_cpu() && x.scalar_type() == torch::kFloat; }

}  // namespace

Tensor dropout(const Tensor& x, double rate) {
  return has_loop(x) ? DropoutFunction::apply(x, std::optional<Tensor>(), rate) : at::dropout(x, rate, true);
}

Tensor dropout_add(const Tensor& x, const Tensor& residual, double rate) {
  if (!has_loop(x) || !has_loop(residual) || x.sizes() != residual.sizes()) return residual + dropout(x, rate);
  return DropoutFunction::apply(x, std::optional<Tensor>(residual), rate);
}

}  // namespace litenat::nn
