// The processes ("ranks") that train one model together.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/torch.h"

namespace litenat::train {

/// Every method is called by all ranks in the same order. A rank that dies ends the others' next call with Error.
class ProcessGroup {
 public:
  virtual ~ProcessGroup() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// Adds the ranks' tensors up, in place: the same number of tensors of the same shapes and types on every rank.
  virtual void sum(const std::vector<torch::Tensor>& tensors) = 0;
  /// Waits until every rank is here.
  virtual void barrier() = 0;

  /// True on every rank when `here` is true on one.
  bool any(bool here) {
    const torch::Tensor votes = torch::full({1}, here ? 1 : 0, torch::kInt64);
    sum({votes});
    return votes.item<int64_t>() > 0;
  }
};

}  // namespace litenat::train
