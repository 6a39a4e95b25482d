#include "train/batch.h"

namespace litenat::train {
namespace {

using torch::Tensor;

constexpr Tensor Batch::*kTensors[] = {
    &Batch::ids,         &Batch::mask,         &Batch::rows,      &Batch::inputs,         &Batch::targets,
    &Batch::target_mask, &Batch::target_rows,  &Batch::syllables, &Batch::key_rows,       &Batch::boundaries,
    &Batch::decoder_ids, &Batch::decoder_mask, &Batch::golds,     &Batch::length_classes, &Batch::noise,
    &Batch::hidden,      &Batch::alignment};

/// Applies `change` to every tensor of a batch that is there.
template <typename Change>
Batch changed(const Batch& batch, const Change& change) {
  Batch result = batch;
  for (Tensor Batch::*member : kTensors)
    if ((batch.*member).defined()) result.*member = change(batch.*member);
  return result;
}

}  // namespace

Batch Batch::to(const torch::Device& device) const {
  if (device.is_cpu()) return *this;
  return changed(*this, [&](const Tensor& t) { return t.to(device, t.scalar_type(), /*non_blocking=*/true); });
}

Batch Batch::pinned() const {
  return changed(*this, [](const Tensor& t) { return t.pin_memory(); });
}

}  // namespace litenat::train
