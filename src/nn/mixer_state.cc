#include "nn/mixer_state.h"

namespace litenat::nn {

using torch::Tensor;

namespace {

// Rows by which a cache grows: few copies in long sentences, little waste in short ones.
constexpr int64_t kGrowth = 32;

}  // namespace

void RowCache::append(const Tensor& row) {
  if (!buffer_.defined()) buffer_ = at::empty({row.size(0), row.size(1), kGrowth, row.size(3)}, row.options());
  if (used_ == buffer_.size(2)) {
    const Tensor more = at::empty({row.size(0), row.size(1), kGrowth, row.size(3)}, row.options());
    buffer_ = at::cat({buffer_, more}, 2);
  }
  buffer_.narrow(2, used_, 1).copy_(row);
  ++used_;
}

Tensor RowCache::rows() const { return buffer_.narrow(2, 0, used_); }

void RowCache::select(const Tensor& parents) {
  if (buffer_.defined()) buffer_ = buffer_.index_select(0, parents);
}

void MixerState::select(const Tensor& parents) {
  keys.select(parents);
  values.select(parents);
  if (window.defined()) window = window.index_select(0, parents);
}

}  // namespace litenat::nn
