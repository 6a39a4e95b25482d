// The best tokens of rows of logits.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "decode/sequence_engine.h"
#include "kernels/kernels.h"
#include "runtime/aligned_buffer.h"
#include "runtime/thread_pool.h"

namespace litenat::runtime {

/// Collects decode::RowCandidates from blocks of rows. One row's results depend on that row alone.
class Candidates {
 public:
  /// Begins a pass: `k` candidates of each of `rows` rows, k in [0, vocabulary]; `wanted` empty or one token of the
  /// vocabulary for each row, and stays valid until the last add().
  Status begin(int64_t rows, int32_t k, Span<const int32_t> wanted);

  /// Logits [rows, vocabulary] of the pass's rows from `first` on. False when a row has a NaN, or a result of it would
  /// be infinite.
  bool add(const kernels::Kernels& kernels, ThreadPool* threads, const float* logits, int64_t first, int64_t rows,
           int64_t vocabulary);

  /// What the pass has found; valid until the next begin().
  decode::RowCandidates results() const;

 private:
  using Candidate = std::pair<float, int32_t>;  // logit, token

  /// Of one thread.
  struct Scratch {
    std::vector<float> maxima;    // of groups of logits
    std::vector<Candidate> heap;  // the worst on top
  };

  bool add_row(const kernels::Kernels& kernels, const float* logits, int64_t row, int64_t vocabulary, Scratch* scratch);
  void find_best(const kernels::Kernels& kernels, const float* logits, int64_t vocabulary, Scratch* scratch) const;

  int64_t rows_ = 0;
  int64_t k_ = 0;
  Span<const int32_t> wanted_tokens_;
  AlignedBuffer<int32_t> tokens_;  // [rows, k]
  AlignedBuffer<float> logits_;    // [rows, k]
  AlignedBuffer<float> log_sum_;   // [rows]
  AlignedBuffer<float> wanted_;    // [rows] when something is wanted
  std::vector<Scratch> scratch_;   // by part of the work
};

}  // namespace litenat::runtime
