#include "nn/light_conv.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "nn/conv_bands.h"
#include "nn/conv_slices.h"

namespace litenat::nn {
namespace {

using torch::Tensor;

constexpr int64_t kBatch = 3, kHeads = 2, kChannels = 6;
const std::vector<int64_t> kKernels = {1, 2, 3, 5, 7, 15, 31};

torch::TensorOptions doubles() { return at::device(at::kCPU).dtype(torch::kDouble); }

/// The formula, element by element. `head_of` says which head channel c belongs to; taps [H, K] or [B, T, H, K].
Tensor by_formula(const Tensor& x, const Tensor& taps, int64_t pad_left, const std::vector<int64_t>& lengths,
                  const std::function<int64_t(int64_t)>& head_of) {
  Tensor y = at::zeros_like(x);
  const auto in = x.accessor<double, 3>();
  auto out = y.accessor<double, 3>();
  for (int64_t b = 0; b < x.size(0); ++b)
    for (int64_t t = 0; t < lengths[static_cast<size_t>(b)]; ++t)
      for (int64_t c = 0; c < x.size(2); ++c)
        for (int64_t k = 0; k < taps.size(-1); ++k) {
          const int64_t from = t + k - pad_left;
          if (from < 0 || from >= lengths[static_cast<size_t>(b)]) continue;
          const Tensor row = taps.dim() == 2 ? taps : taps[b][t];
          out[b][t][c] += row[head_of(c)][k].item<double>() * in[b][from][c];
        }
  return y;
}

Tensor by_formula(const Tensor& x, const Tensor& taps, int64_t pad_left, const std::vector<int64_t>& lengths) {
  const int64_t width = x.size(2) / taps.size(-2);
  return by_formula(x, taps, pad_left, lengths, [width](int64_t c) { return c / width; });
}

/// An independent differentiable form: K-fold unfolding and a product of matrices.
Tensor by_unfolding(const Tensor& x, const Tensor& taps, int64_t pad_left, const std::vector<int64_t>& lengths) {
  const int64_t kernel = taps.size(-1), rows = x.size(1), heads = taps.size(-2);
  Tensor keep = at::zeros({x.size(0), rows, 1}, x.options());
  for (int64_t b = 0; b < x.size(0); ++b) keep[b].narrow(0, 0, lengths[static_cast<size_t>(b)]).fill_(1);
  const Tensor padded = at::constant_pad_nd(x * keep, {0, 0, pad_left, kernel - 1 - pad_left});
  const Tensor unfolded = padded.unfold(1, kernel, 1).reshape({x.size(0), rows, heads, -1, kernel});
  const Tensor y = taps.dim() == 2 ? at::einsum("bthrk,hk->bthr", {unfolded, taps})
                                   : at::einsum("bthrk,bthk->bthr", {unfolded, taps});
  return y.reshape(x.sizes()) * keep;
}

struct Case {
  Tensor x, taps, lengths;
  std::vector<int64_t> length_list;
};

Case make_case(int64_t rows, int64_t kernel, bool dynamic, bool padded) {
  Case made;
  made.x = at::randn({kBatch, rows, kChannels}, doubles());
  made.taps = dynamic ? at::randn({kBatch, rows, kHeads, kernel}, doubles()) : at::randn({kHeads, kernel}, doubles());
  made.length_list = padded ? std::vector<int64_t>{rows, rows / 2, 0} : std::vector<int64_t>(kBatch, rows);
  if (padded) made.lengths = at::tensor(made.length_list, torch::kLong);
  return made;
}

Tensor convolve(const Case& c, int64_t pad_left) {
  return c.taps.dim() == 2 ? light_conv(c.x, c.taps, pad_left, c.lengths)
                           : dynamic_conv(c.x, c.taps, pad_left, c.lengths);
}

double distance(const Tensor& a, const Tensor& b) { return (a - b).abs().max().item<double>(); }

class Convolution : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override { torch::manual_seed(7); }
  bool dynamic() const { return GetParam(); }
};

TEST_P(Convolution, ForwardIsTheFormulaForEveryKernelAndPadding) {
  for (const int64_t kernel : kKernels)
    for (const int64_t rows : {1, 4, 9})
      for (int64_t pad_left = 0; pad_left<kernel; pad_left += kernel> 7 ? 3 : 1) {
        const Case c = make_case(rows, kernel, dynamic(), rows == 9);
        const Tensor expected = by_formula(c.x, c.taps, pad_left, c.length_list);
        ASSERT_LT(distance(convolve(c, pad_left), expected), 1e-12) << kernel << ' ' << rows << ' ' << pad_left;
        ASSERT_LT(distance(by_unfolding(c.x, c.taps, pad_left, c.length_list), expected), 1e-12);
      }
}

TEST_P(Convolution, GradientsAreThoseOfTheUnfoldedForm) {
  for (const int64_t kernel : kKernels)
    for (const int64_t rows : {1, 4, 11})
      for (int64_t pad_left = 0; pad_left < kernel; ++pad_left) {
        Case c = make_case(rows, kernel, dynamic(), rows == 11);
        c.x.requires_grad_();
        c.taps.requires_grad_();
        const Tensor weight = at::randn(c.x.sizes(), doubles());
        const auto ours = torch::autograd::grad({(convolve(c, pad_left) * weight).sum()}, {c.x, c.taps});
        const Tensor reference = by_unfolding(c.x, c.taps, pad_left, c.length_list);
        const auto theirs = torch::autograd::grad({(reference * weight).sum()}, {c.x, c.taps});
        ASSERT_LT(distance(ours[0], theirs[0]), 1e-12) << kernel << ' ' << rows << ' ' << pad_left;
        ASSERT_LT(distance(ours[1], theirs[1]), 1e-12) << kernel << ' ' << rows << ' ' << pad_left;
      }
}

/// The slope of sum(weight * convolve) along each element of `variable`, by central differences.
Tensor slopes(const Case& c, const Tensor& variable, const Tensor& weight, int64_t pad_left) {
  constexpr double kStep = 1e-5;
  Tensor result = at::zeros_like(variable);
  double* values = variable.data_ptr<double>();
  for (int64_t i = 0; i < variable.numel(); ++i) {
    const double kept = values[i];
    values[i] = kept + kStep;
    const double up = (convolve(c, pad_left) * weight).sum().item<double>();
    values[i] = kept - kStep;
    const double down = (convolve(c, pad_left) * weight).sum().item<double>();
    values[i] = kept;
    result.data_ptr<double>()[i] = (up - down) / (2 * kStep);
  }
  return result;
}

TEST_P(Convolution, GradientsAreFiniteDifferences) {
  for (const int64_t kernel : {1, 2, 3, 7})
    for (const int64_t pad_left : {int64_t{0}, kernel / 2, kernel - 1}) {
      Case c = make_case(5, kernel, dynamic(), true);
      const Tensor weight = at::randn(c.x.sizes(), doubles());
      Tensor slope_x, slope_taps;
      {
        const torch::NoGradGuard no_grad;
        slope_x = slopes(c, c.x, weight, pad_left);
        slope_taps = slopes(c, c.taps, weight, pad_left);
      }
      c.x.requires_grad_();
      c.taps.requires_grad_();
      const auto grads = torch::autograd::grad({(convolve(c, pad_left) * weight).sum()}, {c.x, c.taps});
      ASSERT_LT(distance(grads[0], slope_x), 1e-8);
      ASSERT_LT(distance(grads[1], slope_taps), 1e-8);
    }
}

TEST_P(Convolution, FormsOfOtherDevicesAreTheSame) {
  const torch::NoGradGuard no_grad;
  for (const int64_t kernel : kKernels)
    for (const int64_t rows : {1, 4, 11})
      for (const int64_t pad_left : {int64_t{0}, kernel / 2, kernel - 1}) {
        const Case c = make_case(rows, kernel, dynamic(), rows == 11);
        const Tensor expected = by_formula(c.x, c.taps, pad_left, c.length_list);
        ASSERT_LT(distance(sliced_forward(c.x, c.taps, pad_left, c.lengths), expected), 1e-12);
        ASSERT_LT(distance(banded_forward(c.x, c.taps, pad_left, c.lengths), expected), 1e-12);
      }
}

TEST_P(Convolution, GradientsOfOtherDevicesAreTheSame) {
  for (const int64_t kernel : {1, 2, 5, 15})
    for (const int64_t pad_left : {int64_t{0}, kernel / 2, kernel - 1}) {
      Case c = make_case(6, kernel, dynamic(), true);
      c.x.requires_grad_();
      c.taps.requires_grad_();
      const Tensor weight = at::randn(c.x.sizes(), doubles());
      const Tensor reference = by_unfolding(c.x, c.taps, pad_left, c.length_list);
      const auto expected = torch::autograd::grad({(reference * weight).sum()}, {c.x, c.taps});
      const torch::NoGradGuard no_grad;
      for (const auto backward : {sliced_backward, banded_backward}) {
        const auto [grad_x, grad_taps] = backward(weight, c.x, c.taps, pad_left, c.lengths);
        ASSERT_LT(distance(grad_x, expected[0]), 1e-12);
        ASSERT_LT(distance(grad_taps, expected[1]), 1e-12);
      }
    }
}

TEST_P(Convolution, InterleavedHeadsWouldDiffer) {
  const Case c = make_case(6, 3, dynamic(), false);
  const Tensor interleaved =
      by_formula(c.x, c.taps, 1, c.length_list, [](int64_t channel) { return channel % kHeads; });
  EXPECT_GT(distance(convolve(c, 1), interleaved), 0.1);
}

TEST_P(Convolution, FloatAgreesWithDouble) {
  // Tails beside every vector width; enough rows for several threads.
  for (const int64_t width : {1, 5, 16, 33}) {
    const Tensor x = at::randn({40, 12, 3 * width}, doubles());
    const Tensor taps =
        at::softmax(dynamic() ? at::randn({40, 12, 3, 7}, doubles()) : at::randn({3, 7}, doubles()), -1);
    Case wide{x.clone().requires_grad_(), taps.clone().requires_grad_(), {}, {}};
    Case narrow{x.to(torch::kFloat).requires_grad_(), taps.to(torch::kFloat).requires_grad_(), {}, {}};
    const Tensor weight = at::randn(x.sizes(), doubles());
    const Tensor y = convolve(wide, 3), y32 = convolve(narrow, 3);
    EXPECT_LT(distance(y32.to(torch::kDouble), y), 1e-5);
    const auto grads = torch::autograd::grad({(y * weight).sum()}, {wide.x, wide.taps});
    const auto grads32 = torch::autograd::grad({(y32 * weight).sum()}, {narrow.x, narrow.taps});
    EXPECT_LT(distance(grads32[0], grads[0]), 1e-5);
    EXPECT_LT(distance(grads32[1], grads[1]), 1e-4);
  }
}

TEST_P(Convolution, BfloatKeepsItsTypesAndStaysClose) {
  const Case c = make_case(8, 5, dynamic(), true);
  for (const auto taps_type : {torch::kFloat, torch::kBFloat16}) {
    Case low{c.x.to(torch::kBFloat16).requires_grad_(), c.taps.to(taps_type).requires_grad_(), c.lengths, {}};
    const Tensor y = convolve(low, 2);
    EXPECT_EQ(y.scalar_type(), torch::kBFloat16);
    EXPECT_LT(distance(y.to(torch::kDouble), convolve(c, 2)), 0.1);
    y.to(torch::kFloat).sum().backward();
    EXPECT_EQ(low.x.grad().scalar_type(), torch::kBFloat16);
    EXPECT_EQ(low.taps.grad().scalar_type(), taps_type);
  }
}

TEST_P(Convolution, RefusesWhatDoesNotFit) {
  const Case c = make_case(4, 3, dynamic(), false);
  EXPECT_THROW(convolve(c, 3), c10::Error);
  EXPECT_THROW(convolve({c.x.narrow(2, 0, 5), c.taps, {}, {}}, 1), c10::Error);
  EXPECT_THROW(convolve({c.x, c.taps, at::ones({kBatch}, torch::kInt), {}}, 1), c10::Error);
  EXPECT_THROW(dynamic_conv(c.x, at::ones({kHeads, 3}, doubles()), 1), c10::Error);
  EXPECT_THROW(light_conv(c.x, at::ones({kBatch, 4, kHeads, 3}, doubles()), 1), c10::Error);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Convolution, ::testing::Bool(), [](const ::testing::TestParamInfo<bool>& kind) {
  return std::string(kind.param ? "Dynamic" : "Lightweight");
});

}  // namespace
}  // namespace litenat::nn
