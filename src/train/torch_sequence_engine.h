// A model with a decoder, straight from its checkpoint or from the trainer, as an engine of the searches.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "decode/sequence_engine.h"
#include "nn/sequence_model.h"

namespace litenat::train {

class TorchSequenceEngine final : public decode::SequenceEngine {
 public:
  /// Loads "average/..." when the checkpoint has it, else "model/...". `device`: cpu, cuda, cuda:N. Throws Error.
  TorchSequenceEngine(const std::string& checkpoint_path, const std::string& device);
  /// Over a model on `device` that outlives the engine and is in evaluation mode.
  TorchSequenceEngine(nn::SequenceModel* model, const torch::Device& device);

  const decode::SequenceTraits& traits() const override { return traits_; }
  Status encode(Span<const int32_t> ids, Span<const int32_t> lengths) override;
  Result<Span<const float>> length_logits() override;
  Result<decode::RowCandidates> step(Span<const int32_t> tokens, Span<const int32_t> parents, int32_t k,
                                     Span<const int32_t> wanted) override;
  Result<decode::RowCandidates> decode(Span<const int32_t> ids, Span<const int32_t> lengths,
                                       Span<const int32_t> sentences, int32_t k, Span<const int32_t> wanted) override;
  float transition(int32_t previous, int32_t next) const override;
  const graph::ModelSpec& spec() const { return model_->spec(); }

 private:
  void begin(nn::SequenceModel* model);
  Status check_candidates(size_t rows, int32_t k, Span<const int32_t> wanted) const;
  decode::RowCandidates candidates(const torch::Tensor& states, int32_t k, Span<const int32_t> wanted);

  torch::Device device_;
  std::unique_ptr<nn::Model> owned_;  // null over somebody else's model
  nn::SequenceModel* model_ = nullptr;
  decode::SequenceTraits traits_;
  torch::Tensor crf_from_, crf_to_;  // [V, rank] on the CPU

  int64_t num_sentences_ = 0;
  nn::Encoded source_;                       // of the batch
  std::unique_ptr<nn::DecoderState> state_;  // null before the first step
  int64_t num_rows_ = 0;                     // of the last step

  torch::Tensor lengths_;  // what was handed out last, on the CPU
  std::vector<int32_t> tokens_;
  std::vector<float> logits_, log_sums_, wanted_;
};

}  // namespace litenat::train
