#include "nn/light_conv.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "nn/conv_bands.h"
#include "nn/conv_loops.h"
#include "nn/conv_slices.h"

namespace litenat::nn {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// The type in which x's device computes: the loops in float or double, products of matrices in any.
torch::ScalarType compute_type(const Tensor& x) {
  if (!x.is_cpu() && bands_pay(x.size(1))) return x.scalar_type();
  return x.scalar_type() == torch::kDouble ? torch::kDouble : torch::kFloat;
}

Tensor contiguous_as(const Tensor& x, torch::ScalarType type) { return x.to(type).contiguous(); }

ConvShape shape_of(const Tensor& x, int64_t heads, int64_t kernel, int64_t pad_left) {
  return {x.size(1), x.size(2), heads, kernel, pad_left};
}

/// Multiply-adds below which another thread costs more than it saves.
constexpr int64_t kGrainMultiplyAdds = 1 << 15;

/// Calls body(b, shape of sentence b) for every sentence, in parallel.
template <class Body>
void for_each_sentence(int64_t batch, const ConvShape& shape, const Tensor& lengths, const Body& body) {
  const int64_t* length = lengths.defined() ? lengths.data_ptr<int64_t>() : nullptr;
  const int64_t cost = std::max<int64_t>(1, shape.length * shape.channels * shape.kernel);
  at::parallel_for(0, batch, std::max<int64_t>(1, kGrainMultiplyAdds / cost), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      ConvShape sentence = shape;
      if (length != nullptr) sentence.length = std::min(length[b], shape.length);
      body(b, sentence);
    }
  });
}

/// An uninitialised result like x, or a zeroed one where some sentences leave rows unwritten.
Tensor result_like(const Tensor& x, const Tensor& lengths) {
  return lengths.defined() ? at::zeros_like(x) : at::empty_like(x);
}

/// taps [H, K] -> [K, C]: one row of weights a tap, so that the loops run over all channels at once.
Tensor spread_over_channels(const Tensor& taps, int64_t channels) {
  return taps.t()
      .unsqueeze(-1)
      .expand({-1, -1, channels / taps.size(0)})
      .reshape({taps.size(1), channels})
      .contiguous();
}

// ---- CPU -------------------------------------------------------------------------------------------------------

template <class T>
Tensor cpu_light_forward(const Tensor& x, const Tensor& taps, int64_t pad_left, const Tensor& lengths) {
  Tensor y = result_like(x, lengths);
  const Tensor spread = spread_over_channels(taps, x.size(2));  // [K, C]
  const ConvShape shape = shape_of(x, taps.size(0), taps.size(1), pad_left);
  const int64_t step = x.size(1) * x.size(2);
  for_each_sentence(
      x.size(0), shape, lengths,
      [&, in = x.data_ptr<T>(), w = spread.data_ptr<T>(), out = y.data_ptr<T>()](int64_t b, const ConvShape& sentence) {
        shared_forward(sentence, in + b * step, w, out + b * step);
      });
  return y;
}

/// grad_x [B, T, C] and grad_taps [H, K].
template <class T>
std::pair<Tensor, Tensor> cpu_light_backward(const Tensor& grad_y, const Tensor& x, const Tensor& taps,
                                             int64_t pad_left, const Tensor& lengths) {
  Tensor grad_x = result_like(x, lengths);
  const Tensor spread = spread_over_channels(taps, x.size(2));
  // One sum a sentence, added afterwards: the result does not depend on the number of threads.
  Tensor grad_spread = at::empty({x.size(0), taps.size(1), x.size(2)}, x.options());  // [B, K, C]
  const ConvShape shape = shape_of(x, taps.size(0), taps.size(1), pad_left);
  const int64_t step = x.size(1) * x.size(2), taps_step = taps.size(1) * x.size(2);
  for_each_sentence(x.size(0), shape, lengths,
                    [&, g = grad_y.data_ptr<T>(), in = x.data_ptr<T>(), w = spread.data_ptr<T>(),
                     gx = grad_x.data_ptr<T>(), gw = grad_spread.data_ptr<T>()](int64_t b, const ConvShape& sentence) {
                      shared_backward_input(sentence, g + b * step, w, gx + b * step);
                      shared_backward_taps(sentence, g + b * step, in + b * step, gw + b * taps_step);
                    });
  const Tensor by_head = grad_spread.sum(0).view({taps.size(1), taps.size(0), -1}).sum(-1);  // [K, H]
  return {grad_x, by_head.t()};
}

template <class T>
Tensor cpu_dynamic_forward(const Tensor& x, const Tensor& taps, int64_t pad_left, const Tensor& lengths) {
  Tensor y = result_like(x, lengths);
  const ConvShape shape = shape_of(x, taps.size(2), taps.size(3), pad_left);
  const int64_t step = x.size(1) * x.size(2), taps_step = x.size(1) * taps.size(2) * taps.size(3);
  for_each_sentence(
      x.size(0), shape, lengths,
      [&, in = x.data_ptr<T>(), w = taps.data_ptr<T>(), out = y.data_ptr<T>()](int64_t b, const ConvShape& sentence) {
        dynamic_forward(sentence, in + b * step, w + b * taps_step, out + b * step);
      });
  return y;
}

template <class T>
std::pair<Tensor, Tensor> cpu_dynamic_backward(const Tensor& grad_y, const Tensor& x, const Tensor& taps,
                                               int64_t pad_left, const Tensor& lengths) {
  Tensor grad_x = result_like(x, lengths);
  Tensor grad_taps = result_like(taps, lengths);
  const ConvShape shape = shape_of(x, taps.size(2), taps.size(3), pad_left);
  const int64_t step = x.size(1) * x.size(2), taps_step = x.size(1) * taps.size(2) * taps.size(3);
  for_each_sentence(x.size(0), shape, lengths,
                    [&, g = grad_y.data_ptr<T>(), in = x.data_ptr<T>(), w = taps.data_ptr<T>(),
                     gx = grad_x.data_ptr<T>(), gw = grad_taps.data_ptr<T>()](int64_t b, const ConvShape& sentence) {
                      dynamic_backward(sentence, g + b * step, in + b * step, w + b * taps_step, gx + b * step,
                                       gw + b * taps_step);
                    });
  return {grad_x, grad_taps};
}

// ---- both ------------------------------------------------------------------------------------------------------

Tensor forward_any(const Tensor& x, const Tensor& taps, int64_t pad_left, const Tensor& lengths) {
  if (!x.is_cpu())
    return bands_pay(x.size(1)) ? banded_forward(x, taps, pad_left, lengths)
                                : sliced_forward(x, taps, pad_left, lengths);
  const bool shared = taps.dim() == 2;
  if (x.scalar_type() == torch::kDouble)
    return shared ? cpu_light_forward<double>(x, taps, pad_left, lengths)
                  : cpu_dynamic_forward<double>(x, taps, pad_left, lengths);
  return shared ? cpu_light_forward<float>(x, taps, pad_left, lengths)
                : cpu_dynamic_forward<float>(x, taps, pad_left, lengths);
}

std::pair<Tensor, Tensor> backward_any(const Tensor& grad_y, const Tensor& x, const Tensor& taps, int64_t pad_left,
                                       const Tensor& lengths) {
  if (!x.is_cpu())
    return bands_pay(x.size(1)) ? banded_backward(grad_y, x, taps, pad_left, lengths)
                                : sliced_backward(grad_y, x, taps, pad_left, lengths);
  const bool shared = taps.dim() == 2;
  if (x.scalar_type() == torch::kDouble)
    return shared ? cpu_light_backward<double>(grad_y, x, taps, pad_left, lengths)
                  : cpu_dynamic_backward<double>(grad_y, x, taps, pad_left, lengths);
  return shared ? cpu_light_backward<float>(grad_y, x, taps, pad_left, lengths)
                : cpu_dynamic_backward<float>(grad_y, x, taps, pad_left, lengths);
}

/// Saves x and the taps in the types they came in; wider copies live only during a pass.
class ConvFunction : public torch::autograd::Function<ConvFunction> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& taps, int64_t pad_left,
                        const std::optional<Tensor>& known_lengths) {
    const Tensor lengths = known_lengths.value_or(Tensor());
    context->save_for_backward({x, taps, lengths});
    context->saved_data["pad_left"] = pad_left;
    const auto type = compute_type(x);
    return forward_any(contiguous_as(x, type), contiguous_as(taps, type), pad_left, lengths).to(x.scalar_type());
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &taps = saved[1], &lengths = saved[2];
    const auto type = compute_type(x);
    auto [grad_x, grad_taps] =
        backward_any(contiguous_as(grads[0], type), contiguous_as(x, type), contiguous_as(taps, type),
                     context->saved_data["pad_left"].toInt(), lengths);
    return {grad_x.to(x.scalar_type()), grad_taps.to(taps.scalar_type()), Tensor(), Tensor()};
  }
};

Tensor convolve(const Tensor& x, const Tensor& taps, int64_t pad_left, const Tensor& lengths) {
  // An undefined tensor cannot be the argument of a Function; an empty optional can.
  return ConvFunction::apply(x, taps, pad_left, lengths.defined() ? std::optional<Tensor>(lengths) : std::nullopt);
}

void check_arguments(const Tensor& x, const Tensor& taps, int64_t pad_left, const Tensor& lengths) {
  const int64_t heads = taps.size(-2), kernel = taps.size(-1);
  TORCH_CHECK(x.dim() == 3 && heads > 0 && x.size(2) % heads == 0, "convolution: x ", x.sizes(), ", taps ",
              taps.sizes(), ": the heads must divide the channels");
  TORCH_CHECK(pad_left >= 0 && pad_left < kernel, "convolution: pad_left ", pad_left, " of ", kernel, " taps");
  TORCH_CHECK(!lengths.defined() || (lengths.dim() == 1 && lengths.size(0) == x.size(0) &&
                                     lengths.scalar_type() == torch::kLong && lengths.is_contiguous()),
              "convolution: lengths must be int64 [", x.size(0), "]");
}

}  // namespace

Tensor light_conv(const Tensor& x, const Tensor& taps, int64_t pad_left, const Tensor& lengths) {
  TORCH_CHECK(taps.dim() == 2, "light_conv: taps must be [H, K], found ", taps.sizes());
  check_arguments(x, taps, pad_left, lengths);
  return convolve(x, taps, pad_left, lengths);
}

Tensor dynamic_conv(const Tensor& x, const Tensor& taps, int64_t pad_left, const Tensor& lengths) {
  TORCH_CHECK(taps.dim() == 4 && taps.size(0) == x.size(0) && taps.size(1) == x.size(1),
              "dynamic_conv: taps must be [B, T, H, K] of x ", x.sizes(), ", found ", taps.sizes());
  check_arguments(x, taps, pad_left, lengths);
  return convolve(x, taps, pad_left, lengths);
}

}  // namespace litenat::nn
