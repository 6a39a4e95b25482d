#include "train/torch_sequence_engine.h"

#include <algorithm>

#include "base/error.h"
#include "train/checkpoint.h"
#include "train/device.h"
#include "train/padded_rows.h"
#include "train/pair_batches.h"

namespace litenat::train {
namespace {

using torch::Tensor;

// Rows whose logits are computed at once: [kRowsAtOnce, V] floats are some hundred MB.
constexpr int64_t kRowsAtOnce = 4096;

Tensor to_host(const Tensor& tensor) { return tensor.detach().to(torch::kCPU, torch::kFloat32).contiguous(); }

Tensor index_tensor(Span<const int32_t> values) {
  Tensor tensor = torch::empty({static_cast<int64_t>(values.size())}, torch::kInt64);
  std::copy(values.begin(), values.end(), tensor.data_ptr<int64_t>());
  return tensor;
}

bool is_identity(Span<const int32_t> parents, int64_t size) {
  if (static_cast<int64_t>(parents.size()) != size) return false;
  for (size_t i = 0; i < parents.size(); ++i)
    if (parents[i] != static_cast<int32_t>(i)) return false;
  return true;
}

Status check_index(Span<const int32_t> values, int64_t limit, const char* what) {
  for (const int32_t value : values)
    if (value < 0 || value >= limit)
      return invalid_argument(std::string("expected ") + what + " below " + std::to_string(limit) + ", found " +
                              std::to_string(value));
  return {};
}

/// The k best logits of each row and their tokens, equal logits by ascending token.
std::pair<Tensor, Tensor> best_of(const Tensor& logits, int64_t k) {
  const int64_t more = std::min(k + 1, logits.size(1));
  auto [values, tokens] = logits.topk(more, 1, /*largest=*/true, /*sorted=*/true);
  // topk orders equal values as it likes. They are rare, and one look tells whether there are any.
  if (more > 1 && values.slice(1, 1).eq(values.slice(1, 0, more - 1)).any().item<bool>())
    std::tie(values, tokens) = logits.sort(/*stable=*/true, /*dim=*/1, /*descending=*/true);
  return {values.slice(1, 0, k), tokens.slice(1, 0, k)};
}

void append(const Tensor& values, std::vector<float>* out) {
  const Tensor host = to_host(values);
  out->insert(out->end(), host.const_data_ptr<float>(), host.const_data_ptr<float>() + host.numel());
}

void append(const Tensor& values, std::vector<int32_t>* out) {
  const Tensor host = values.to(torch::kCPU, torch::kInt32).contiguous();
  out->insert(out->end(), host.const_data_ptr<int32_t>(), host.const_data_ptr<int32_t>() + host.numel());
}

decode::SequenceTraits traits_of(const graph::ModelSpec& spec) {
  decode::SequenceTraits traits;
  traits.autoregressive = spec.family == graph::Family::kSequence;
  traits.target_vocabulary = static_cast<int32_t>(spec.target_vocabulary);
  traits.max_source = static_cast<int32_t>(position_limit(spec.embedding, 0));
  traits.max_target = static_cast<int32_t>(position_limit(spec.decoder.embedding, 0));
  traits.predicts_length = spec.decoder.length == graph::LengthKind::kPredicted;
  traits.length_classes = spec.decoder.length_classes;
  traits.length_offset = spec.decoder.length_offset;
  traits.length_ratio = spec.decoder.length_ratio;
  traits.has_transitions = spec.head.kind == graph::HeadKind::kCrf;
  traits.crf_beam = traits.has_transitions ? spec.head.crf_beam : 0;
  return traits;
}

/// Runs `action` without gradients; what libtorch throws becomes a Status.
template <typename Action>
auto guarded(const Action& action) -> decltype(action()) {
  try {
    const torch::NoGradGuard no_grad;
    return action();
  } catch (const Error& error) {
    return invalid_argument(error.what());
  } catch (const std::exception& error) {
    // libtorch's messages go on with a stack trace.
    const std::string text = error.what();
    return internal_error("libtorch: " + text.substr(0, text.find('\n')));
  }
}

}  // namespace

TorchSequenceEngine::TorchSequenceEngine(const std::string& checkpoint_path, const std::string& device)
    : device_(choose_device(device)) {
  const CheckpointReader checkpoint(checkpoint_path);
  if (!graph::has_decoder(checkpoint.spec()))
    throw Error(checkpoint_path +
                ": expected a model with a decoder (family sequence or non_autoregressive), found a " +
                graph::kFamilyNames.name(checkpoint.spec().family));
  owned_ = nn::make_model(checkpoint.spec(), nn::DropoutSpec{});
  NamedTensors parameters;
  for (const auto& item : owned_->named_parameters()) parameters.emplace_back(item.key(), item.value());
  checkpoint.load(checkpoint.has("average") ? "average" : "model", parameters);
  owned_->to(device_);
  owned_->eval();
  begin(&dynamic_cast<nn::SequenceModel&>(*owned_));
}

TorchSequenceEngine::TorchSequenceEngine(nn::SequenceModel* model, const torch::Device& device) : device_(device) {
  begin(model);
}

void TorchSequenceEngine::begin(nn::SequenceModel* model) {
  model_ = model;
  traits_ = traits_of(model->spec());
  if (!model->crf_from().defined()) return;
  crf_from_ = to_host(model->crf_from());
  crf_to_ = to_host(model->crf_to());
}

Status TorchSequenceEngine::encode(Span<const int32_t> ids, Span<const int32_t> lengths) {
  num_sentences_ = num_rows_ = 0;
  source_ = {};
  state_.reset();
  if (lengths.empty()) return invalid_argument("expected at least one sentence, found none");
  LITENAT_RETURN_IF_ERROR(check_rows(ids, lengths, spec().source_vocabulary, traits_.max_source));
  return guarded([&]() -> Status {
    const PaddedRows padded = pad_rows(ids, lengths);
    source_ = model_->encode(padded.ids.to(device_), padded.mask.to(device_));
    num_sentences_ = static_cast<int64_t>(lengths.size());
    return {};
  });
}

Result<Span<const float>> TorchSequenceEngine::length_logits() {
  if (num_sentences_ == 0) return invalid_argument("length_logits: expected encode() before it");
  if (traits_.autoregressive || !traits_.predicts_length)
    return unsupported("length_logits: the model does not predict lengths");
  return guarded([&]() -> Result<Span<const float>> {
    lengths_ = to_host(model_->length_logits(source_));
    return Span<const float>(lengths_.const_data_ptr<float>(), static_cast<size_t>(lengths_.numel()));
  });
}

Status TorchSequenceEngine::check_candidates(size_t rows, int32_t k, Span<const int32_t> wanted) const {
  if (num_sentences_ == 0) return invalid_argument("expected encode() before decoding");
  if (k < 1 || k > traits_.target_vocabulary)
    return invalid_argument("expected 1 to " + std::to_string(traits_.target_vocabulary) + " candidates a row, found " +
                            std::to_string(k));
  if (!wanted.empty() && wanted.size() != rows)
    return invalid_argument("expected no wanted tokens or one a row (" + std::to_string(rows) + "), found " +
                            std::to_string(wanted.size()));
  return check_index(wanted, traits_.target_vocabulary, "wanted tokens");
}

Result<decode::RowCandidates> TorchSequenceEngine::step(Span<const int32_t> tokens, Span<const int32_t> parents,
                                                        int32_t k, Span<const int32_t> wanted) {
  if (!traits_.autoregressive) return unsupported("step: the model is not autoregressive");
  LITENAT_RETURN_IF_ERROR(check_candidates(tokens.size(), k, wanted));
  if (tokens.empty() || tokens.size() != parents.size())
    return invalid_argument("step: expected as many parents as tokens and at least one, found " +
                            std::to_string(parents.size()) + " and " + std::to_string(tokens.size()));
  LITENAT_RETURN_IF_ERROR(check_index(tokens, traits_.target_vocabulary, "tokens"));
  LITENAT_RETURN_IF_ERROR(check_index(parents, state_ ? num_rows_ : num_sentences_, "parents"));
  return guarded([&]() -> Result<decode::RowCandidates> {
    if (state_ == nullptr) {
      state_ = model_->begin(is_identity(parents, num_sentences_) ? source_
                                                                  : source_.select(index_tensor(parents).to(device_)));
    } else if (!is_identity(parents, num_rows_)) {
      state_->select(index_tensor(parents).to(device_));
    }
    num_rows_ = static_cast<int64_t>(tokens.size());
    return candidates(model_->step(index_tensor(tokens).to(device_), state_.get()), k, wanted);
  });
}

Result<decode::RowCandidates> TorchSequenceEngine::decode(Span<const int32_t> ids, Span<const int32_t> lengths,
                                                          Span<const int32_t> sentences, int32_t k,
                                                          Span<const int32_t> wanted) {
  LITENAT_RETURN_IF_ERROR(check_candidates(ids.size(), k, wanted));
  LITENAT_RETURN_IF_ERROR(check_rows(ids, lengths, traits_.target_vocabulary, traits_.max_target));
  if (lengths.empty() || sentences.size() != lengths.size())
    return invalid_argument("decode: expected as many sentences as lengths and at least one, found " +
                            std::to_string(sentences.size()) + " and " + std::to_string(lengths.size()));
  LITENAT_RETURN_IF_ERROR(check_index(sentences, num_sentences_, "sentences"));
  return guarded([&]() -> Result<decode::RowCandidates> {
    const PaddedRows padded = pad_rows(ids, lengths);
    const nn::Encoded source =
        is_identity(sentences, num_sentences_) ? source_ : source_.select(index_tensor(sentences).to(device_));
    const Tensor states = model_->decode(padded.ids.to(device_), padded.mask.to(device_), source);
    return candidates(states.reshape({-1, states.size(-1)}).index_select(0, padded.rows.to(device_)), k, wanted);
  });
}

decode::RowCandidates TorchSequenceEngine::candidates(const Tensor& states, int32_t k, Span<const int32_t> wanted) {
  tokens_.clear();
  for (std::vector<float>* values : {&logits_, &log_sums_, &wanted_}) values->clear();
  const int64_t rows = states.size(0);
  for (int64_t first = 0; first < rows; first += kRowsAtOnce) {
    const int64_t count = std::min(kRowsAtOnce, rows - first);
    const Tensor logits = model_->logits(states.narrow(0, first, count)).to(torch::kFloat32);
    const auto [values, tokens] = best_of(logits, k);
    append(tokens, &tokens_);
    append(values, &logits_);
    append(torch::logsumexp(logits, 1), &log_sums_);
    if (wanted.empty()) continue;
    const Tensor asked = index_tensor(wanted.subspan(static_cast<size_t>(first), static_cast<size_t>(count)));
    append(logits.gather(1, asked.to(device_).unsqueeze(1)), &wanted_);
  }
  return {k, tokens_, logits_, log_sums_, wanted_};
}

float TorchSequenceEngine::transition(int32_t previous, int32_t next) const {
  if (!crf_from_.defined()) return 0;
  const int64_t rank = crf_from_.size(1);
  const float* from = crf_from_.const_data_ptr<float>() + previous * rank;
  const float* to = crf_to_.const_data_ptr<float>() + next * rank;
  float sum = 0;
  for (int64_t i = 0; i < rank; ++i) sum += from[i] * to[i];
  return sum;
}

}  // namespace litenat::train
