#include "train/torch_engine.h"

#include "base/error.h"
#include "train/checkpoint.h"
#include "train/device.h"
#include "train/padded_rows.h"

namespace litenat::train {
namespace {

using torch::Tensor;

Tensor to_host(const Tensor& tensor) { return tensor.detach().to(torch::kCPU, torch::kFloat32).contiguous(); }

}  // namespace

TorchEngine::TorchEngine(const std::string& checkpoint_path, const std::string& device)
    : device_(choose_device(device)) {
  const CheckpointReader checkpoint(checkpoint_path);
  if (checkpoint.spec().family != graph::Family::kTagger)
    throw Error(checkpoint_path + ": expected a tagger, found a model of family " +
                graph::kFamilyNames.name(checkpoint.spec().family));
  model_ = std::make_unique<nn::Tagger>(checkpoint.spec(), nn::DropoutSpec{});
  NamedTensors parameters;
  for (const auto& item : model_->named_parameters()) parameters.emplace_back(item.key(), item.value());
  checkpoint.load(checkpoint.has("average") ? "average" : "model", parameters);
  if (model_->crf_from().defined()) {
    crf_from_ = to_host(model_->crf_from());
    crf_to_ = to_host(model_->crf_to());
  }
  model_->to(device_);
  model_->eval();
}

Result<decode::TaggerEngine::Output> TorchEngine::run(Span<const int32_t> ids, Span<const int32_t> lengths) {
  LITENAT_RETURN_IF_ERROR(check_rows(ids, lengths, spec().source_vocabulary, 0));
  if (ids.empty()) return Output{};
  try {
    const torch::NoGradGuard no_grad;
    const PaddedRows padded = pad_rows(ids, lengths);
    const Tensor states = model_->encode(padded.ids.to(device_), padded.mask.to(device_));
    const Tensor rows = states.reshape({-1, states.size(-1)}).index_select(0, padded.rows.to(device_));
    emissions_ = to_host(model_->emissions(rows));
    Output output;
    output.emissions = {emissions_.const_data_ptr<float>(), static_cast<size_t>(emissions_.numel())};
    if (!spec().head.boundary) return output;
    boundary_ = to_host(model_->boundary(rows));
    output.boundary = {boundary_.const_data_ptr<float>(), static_cast<size_t>(boundary_.numel())};
    return output;
  } catch (const std::exception& error) {
    // libtorch's messages go on with a stack trace.
    const std::string text = error.what();
    return internal_error("libtorch: " + text.substr(0, text.find('\n')));
  }
}

float TorchEngine::transition(int32_t previous, int32_t next) const {
  if (!crf_from_.defined()) return 0;
  const int64_t rank = crf_from_.size(1);
  const float* from = crf_from_.const_data_ptr<float>() + previous * rank;
  const float* to = crf_to_.const_data_ptr<float>() + next * rank;
  float sum = 0;
  for (int64_t i = 0; i < rank; ++i) sum += from[i] * to[i];
  return sum;
}

}  // namespace litenat::train
