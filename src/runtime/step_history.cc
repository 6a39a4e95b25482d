#include "runtime/step_history.h"

#include <algorithm>
#include <numeric>

namespace litenat::runtime {
namespace {

constexpr int64_t kLine = 16;  // floats of a cache line

/// Whole lines and an odd number of them: the same column of many records then falls on different sets of the caches.
int64_t record_stride(int64_t columns) { return ((columns + kLine - 1) / kLine | 1) * kLine; }

}  // namespace

StepHistory::StepHistory(int64_t columns) : stride_(record_stride(columns)) {}

void StepHistory::clear(int64_t num_sentences) {
  position_ = 0;
  records_.clear();
  sentences_.resize(static_cast<size_t>(num_sentences));
  std::iota(sentences_.begin(), sentences_.end(), 0);
}

Status StepHistory::begin(Span<const int32_t> parents) {
  if (blocks_.size() == static_cast<size_t>(position_)) blocks_.emplace_back();
  const int64_t rows = static_cast<int64_t>(parents.size());
  LITENAT_RETURN_IF_ERROR(blocks_[static_cast<size_t>(position_)].reserve(rows * stride_));
  next_records_.resize(static_cast<size_t>(rows * (position_ + 1)));
  next_sentences_.resize(static_cast<size_t>(rows));
  auto out = next_records_.begin();
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t parent = parents[static_cast<size_t>(row)];
    out = std::copy_n(records_.begin() + parent * position_, position_, out);
    *out++ = record(row);
    next_sentences_[static_cast<size_t>(row)] = sentences_[static_cast<size_t>(parent)];
  }
  return {};
}

void StepHistory::commit() {
  records_.swap(next_records_);
  sentences_.swap(next_sentences_);
  ++position_;
}

}  // namespace litenat::runtime
