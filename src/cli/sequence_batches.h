// Many sentences on several threads, batch by batch.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "cli/sequence_converter.h"

namespace litenat::cli {

/// Batches of sentences, given by number, of similar length, the longest first: each has at most `max_tokens` tokens,
/// or is one sentence. `lengths` count the specials.
std::vector<std::vector<size_t>> make_batches(const std::vector<size_t>& lengths, int64_t max_tokens);

/// The converters of several threads.
class SequenceWorkers {
 public:
  /// `threads` threads in all. Without `split_runs` each converts batches of its own (most throughput); with it there
  /// is one converter, whose every run they share (least delay).
  SequenceWorkers(const SequenceSystem* system, int threads, bool split_runs, const Context& context);

  /// Called after each batch with its sentences' numbers and results; by one thread at a time.
  using Sink = std::function<void(const std::vector<size_t>& sentences, std::vector<SequenceResult> results)>;
  /// Throws what a thread or the sink threw, and Interrupted; batches that are done then have been given to the sink.
  void run(const std::vector<SourceSentence>& sentences, const Sink& sink);
  /// Of all sentences, in their order.
  std::vector<SequenceResult> run(const std::vector<SourceSentence>& sentences);

 private:
  const SequenceSystem* system_;
  std::vector<std::unique_ptr<SequenceConverter>> converters_;
};

}  // namespace litenat::cli
