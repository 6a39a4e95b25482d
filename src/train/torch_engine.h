// A trained tagger, straight from its checkpoint, as an engine of the decoder.
#pragma once

#include <memory>
#include <string>

#include "decode/ime_decoder.h"
#include "nn/tagger.h"

namespace litenat::train {

class TorchEngine : public decode::TaggerEngine {
 public:
  /// Loads "average/..." when the checkpoint has it, else "model/...". `device`: cpu, cuda, cuda:N. Throws Error.
  TorchEngine(const std::string& checkpoint_path, const std::string& device);

  Result<Output> run(Span<const int32_t> ids, Span<const int32_t> lengths) override;
  float transition(int32_t previous, int32_t next) const override;
  bool has_transitions() const override { return crf_from_.defined(); }
  const graph::ModelSpec& spec() const { return model_->spec(); }

 private:
  torch::Device device_;
  std::unique_ptr<nn::Tagger> model_;
  torch::Tensor crf_from_, crf_to_;     // [V, rank] on the CPU
  torch::Tensor emissions_, boundary_;  // of the last run, on the CPU
};

}  // namespace litenat::train
