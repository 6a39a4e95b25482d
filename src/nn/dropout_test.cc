#include "nn/dropout.h"

#include <gtest/gtest.h>

#include <cmath>

namespace litenat::nn {
namespace {

using torch::Tensor;

constexpr int64_t kElements = 1 << 20;

TEST(Dropout, KeepsTheRightShareAndScalesIt) {
  torch::manual_seed(5);
  for (const double rate : {0.1, 0.5, 0.9}) {
    const Tensor y = dropout(at::ones({kElements}), rate);
    const double kept = (y != 0).to(torch::kDouble).mean().item<double>();
    EXPECT_NEAR(kept, 1 - rate, 5 * std::sqrt(rate * (1 - rate) / kElements));
    EXPECT_NEAR(y.max().item<double>(), 1 / (1 - rate), 1e-5);
  }
}

TEST(Dropout, MasksOfNeighboursAndOfCallsAreIndependent) {
  torch::manual_seed(5);
  const Tensor a = dropout(at::ones({kElements}), 0.5) - 1, b = dropout(at::ones({kElements}), 0.5) - 1;  // +-1
  const double bound = 5 / std::sqrt(static_cast<double>(kElements));
  EXPECT_LT(std::abs((a * b).mean().item<double>()), bound);
  for (const int64_t lag : {1, 2, 3, 4, 16, 64, 256, 4096, 65536})
    EXPECT_LT(std::abs((a * a.roll(lag)).mean().item<double>()), bound) << lag;
}

TEST(Dropout, IsRepeatedBySeedWhateverTheThreads) {
  const int threads = at::get_num_threads();
  torch::manual_seed(9);
  const Tensor first = dropout(at::ones({kElements}), 0.3);
  at::set_num_threads(1);
  torch::manual_seed(9);
  const Tensor second = dropout(at::ones({kElements}), 0.3);
  at::set_num_threads(threads);
  EXPECT_TRUE(at::equal(first, second));
}

TEST(Dropout, GradientPassesWhereTheElementWasKept) {
  const Tensor x = at::randn({40, 50}).requires_grad_(), residual = at::randn({40, 50}).requires_grad_();
  const Tensor y = dropout_add(x, residual, 0.4), weight = at::randn({40, 50});
  const auto grads = torch::autograd::grad({(y * weight).sum()}, {x, residual});
  const Tensor kept = ((y - residual).abs() > 0).to(torch::kFloat) / 0.6;
  EXPECT_TRUE(at::allclose(y, residual + x * kept, 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(grads[0], weight * kept));
  EXPECT_TRUE(at::equal(grads[1], weight));
}

TEST(Dropout, GradientWithoutResidual) {
  const Tensor x = at::ones({1000}).requires_grad_();
  const Tensor y = dropout(x, 0.4);
  EXPECT_TRUE(at::equal(torch::autograd::grad({y.sum()}, {x})[0], y));
}

TEST(Dropout, OtherTypesWorkToo) {
  const Tensor x = at::ones({1000}, torch::kBFloat16);
  EXPECT_EQ(dropout_add(x, x, 0.5).scalar_type(), torch::kBFloat16);
  EXPECT_EQ(dropout(at::ones({10}, torch::kDouble), 0.5).scalar_type(), torch::kDouble);
}

}  // namespace
}  // namespace litenat::nn
