// Dropout that is as cheap as one pass over the data. libtorch's draws its random numbers on the CPU in one thread and
// stores a mask; ours hashes the element's index with a seed drawn from torch's generator, forwards and backwards.
#pragma once

#include "nn/torch.h"

namespace litenat::nn {

/// Each element of x kept with probability 1 - rate and divided by it, else zero. 0 < rate < 1.
torch::Tensor dropout(const torch::Tensor& x, double rate);

/// residual + dropout(x, rate); both of one shape.
torch::Tensor dropout_add(const torch::Tensor& x, const torch::Tensor& residual, double rate);

}  // namespace litenat::nn
