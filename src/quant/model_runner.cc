#include "quant/model_runner.h"

#include <numeric>
#include <utility>

#include "base/error.h"
#include "runtime/executor.h"
#include "runtime/sequence_executor.h"

namespace litenat::quant {
namespace {

class TaggerRunner final : public ModelRunner {
 public:
  explicit TaggerRunner(const std::shared_ptr<const runtime::Model>& model)
      : executor_(value_or_throw(runtime::Executor::create(model))) {}
  void set_observer(runtime::NodeObserver observer) override { executor_->set_observer(std::move(observer)); }
  void run(const CalibrationBatch& batch) override {
    throw_if_error(executor_->run(batch.ids, batch.lengths).status());
  }

 private:
  std::unique_ptr<runtime::Executor> executor_;
};

/// The encoder, then the decoder on whole inputs.
class SequenceRunner final : public ModelRunner {
 public:
  explicit SequenceRunner(const std::shared_ptr<const runtime::Model>& model)
      : executor_(value_or_throw(runtime::SequenceExecutor::create(model))) {}
  void set_observer(runtime::NodeObserver observer) override { executor_->set_observer(std::move(observer)); }
  void run(const CalibrationBatch& batch) override {
    throw_if_error(executor_->encode(batch.ids, batch.lengths));
    std::vector<int32_t> sentences(batch.target_lengths.size());
    std::iota(sentences.begin(), sentences.end(), 0);
    throw_if_error(executor_->decode(batch.target_ids, batch.target_lengths, sentences, 1, {}).status());
  }

 private:
  std::unique_ptr<runtime::SequenceExecutor> executor_;
};

}  // namespace

std::unique_ptr<ModelRunner> ModelRunner::create(const std::shared_ptr<const runtime::Model>& model) {
  if (graph::has_decoder(model->spec())) return std::make_unique<SequenceRunner>(model);
  return std::make_unique<TaggerRunner>(model);
}

}  // namespace litenat::quant
