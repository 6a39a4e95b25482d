#include "train/torch_engine.h"

#include <algorithm>

#include "base/error.h"
#include "train/checkpoint.h"
#include "train/device.h"

namespace litenat::train {
namespace {

using torch::Tensor;

Tensor to_host(const Tensor& tensor) { return tensor.detach().to(torch::kCPU, torch::kFloat32).contiguous(); }

/// Sentences packed one after the other, padded to the longest.
struct Padded {
  Tensor ids, mask;  // [B, T]
  Tensor rows;       // [sum of lengths] int64: b * T + t
};

Padded pad(Span<const int32_t> ids, Span<const int32_t> lengths) {
  int64_t width = 0;
  for (const int32_t length : lengths) width = std::max<int64_t>(width, length);
  const int64_t size = static_cast<int64_t>(lengths.size());
  Padded padded{torch::full({size, width}, int64_t{text::kPad}, torch::kInt64),
                torch::zeros({size, width}, torch::kBool),
                torch::empty({static_cast<int64_t>(ids.size())}, torch::kInt64)};
  auto* out = padded.ids.data_ptr<int64_t>();
  bool* mask = padded.mask.data_ptr<bool>();
  auto* rows = padded.rows.data_ptr<int64_t>();
  const int32_t* next = ids.begin();
  for (int64_t b = 0; b < size; ++b) {
    for (int64_t t = 0; t < lengths[static_cast<size_t>(b)]; ++t) {
      out[b * width + t] = *next++;
      mask[b * width + t] = true;
      *rows++ = b * width + t;
    }
  }
  return padded;
}

}  // namespace

TorchEngine::TorchEngine(const std::string& checkpoint_path, const std::string& device)
    : device_(choose_device(device)) {
  const CheckpointReader checkpoint(checkpoint_path);
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

Status TorchEngine::check(Span<const int32_t> ids, Span<const int32_t> lengths) const {
  int64_t sum = 0;
  for (const int32_t length : lengths) {
    if (length < 1) return invalid_argument("expected sentences of at least 1 row, found " + std::to_string(length));
    sum += length;
  }
  if (sum != static_cast<int64_t>(ids.size()))
    return invalid_argument("expected lengths that add up to " + std::to_string(ids.size()) + ", found " +
                            std::to_string(sum));
  for (const int32_t id : ids)
    if (id < 0 || id >= spec().source_vocabulary)
      return invalid_argument("expected ids below " + std::to_string(spec().source_vocabulary) + ", found " +
                              std::to_string(id));
  return {};
}

Result<decode::TaggerEngine::Output> TorchEngine::run(Span<const int32_t> ids, Span<const int32_t> lengths) {
  LITENAT_RETURN_IF_ERROR(check(ids, lengths));
  if (ids.empty()) return Output{};
  try {
    const torch::NoGradGuard no_grad;
    const Padded padded = pad(ids, lengths);
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
