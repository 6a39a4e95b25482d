#include "cli/sequence_batches.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <numeric>
#include <system_error>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/interrupt.h"

namespace litenat::cli {
namespace {

/// Takes batches one after the other until none is left or someone failed.
class BatchQueue {
 public:
  BatchQueue(const std::vector<SourceSentence>& sentences, std::vector<std::vector<size_t>> batches,
             const SequenceWorkers::Sink& sink)
      : sentences_(sentences), batches_(std::move(batches)), sink_(sink) {}

  void work(SequenceConverter* converter) {
    try {
      for (size_t i = next_++; i < batches_.size() && !interrupted() && !stop_; i = next_++) convert(converter, i);
    } catch (...) {
      stop_ = true;
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!error_) error_ = std::current_exception();
    }
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void convert(SequenceConverter* converter, size_t i) {
    std::vector<const SourceSentence*> batch;
    for (const size_t sentence : batches_[i]) batch.push_back(&sentences_[sentence]);
    std::vector<SequenceResult> results = converter->convert(batch);
    const std::lock_guard<std::mutex> lock(mutex_);
    sink_(batches_[i], std::move(results));
  }

  const std::vector<SourceSentence>& sentences_;
  const std::vector<std::vector<size_t>> batches_;
  const SequenceWorkers::Sink& sink_;
  std::atomic<size_t> next_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::exception_ptr error_;
};

}  // namespace

std::vector<std::vector<size_t>> make_batches(const std::vector<size_t>& lengths, int64_t max_tokens) {
  std::vector<size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return lengths[a] > lengths[b]; });
  std::vector<std::vector<size_t>> batches;
  int64_t tokens = 0;
  for (const size_t sentence : order) {
    const auto length = static_cast<int64_t>(lengths[sentence]);
    if (batches.empty() || tokens + length > max_tokens) {
      batches.emplace_back();
      tokens = 0;
    }
    batches.back().push_back(sentence);
    tokens += length;
  }
  return batches;
}

SequenceWorkers::SequenceWorkers(const SequenceSystem* system, int threads, bool split_runs, const Context& context)
    : system_(system) {
  // libtorch has threads of its own, and a GPU is one.
  const bool one = split_runs || !system->runs_on_cpu_engine();
  for (int i = 0; i < (one ? 1 : threads); ++i)
    converters_.push_back(std::make_unique<SequenceConverter>(system, one ? threads : 1, context));
}

void SequenceWorkers::run(const std::vector<SourceSentence>& sentences, const Sink& sink) {
  std::vector<size_t> lengths;
  for (const SourceSentence& sentence : sentences)
    lengths.push_back(add_specials(sentence.ids, system_->is_autoregressive()).size());
  BatchQueue queue(sentences, make_batches(lengths, system_->batch_tokens()), sink);
  std::vector<std::thread> threads;
  try {
    for (size_t i = 1; i < converters_.size(); ++i)
      threads.emplace_back([&queue, converter = converters_[i].get()] { queue.work(converter); });
  } catch (const std::system_error&) {
    // The system allows no more threads: those that there are do the work.
  }
  queue.work(converters_[0].get());
  for (std::thread& thread : threads) thread.join();
  queue.rethrow();
  throw_if_interrupted();
}

std::vector<SequenceResult> SequenceWorkers::run(const std::vector<SourceSentence>& sentences) {
  std::vector<SequenceResult> all(sentences.size());
  run(sentences, [&all](const std::vector<size_t>& numbers, std::vector<SequenceResult> results) {
    for (size_t i = 0; i < numbers.size(); ++i) all[numbers[i]] = std::move(results[i]);
  });
  return all;
}

}  // namespace litenat::cli
