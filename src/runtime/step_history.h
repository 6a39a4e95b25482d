// What an autoregressive decoder remembers of the rows that it has read.
#pragma once

#include <cstdint>
#include <vector>

#include "base/span.h"
#include "runtime/aligned_buffer.h"

namespace litenat::runtime {

/// Every row of every step leaves a record: the keys and values of its attention layers and the inputs of its
/// convolutions, side by side. A record is written once and never moves; a row knows the records of its ancestors. So
/// rows are dropped, repeated and reordered by copying pointers, and hypotheses share what they have in common. Records
/// live until the next clear(), whose memory the following steps use again.
class StepHistory {
 public:
  /// `columns`: floats of a record.
  explicit StepHistory(int64_t columns);

  /// Forgets everything; the next step's parents are `num_sentences` sentences.
  void clear(int64_t num_sentences);

  /// Steps that are finished: the position of the rows of the next one.
  int64_t position() const { return position_; }
  /// How many rows the next step's parents may name.
  int64_t num_parents() const { return static_cast<int64_t>(sentences_.size()); }

  /// Begins a step with a row for each of `parents`, which are in [0, num_parents()). It counts once commit() is
  /// called; before that another begin() starts over.
  Status begin(Span<const int32_t> parents);
  void commit();

  /// Of the step begun: the sentence of each row, ...
  Span<const int32_t> sentences() const { return next_sentences_; }
  /// ... the record of a row, to be written, ...
  float* record(int64_t row) { return blocks_[static_cast<size_t>(position_)].data() + row * stride_; }
  /// ... and the records that the row has read, its own last: position() + 1 of them.
  const float* const* records(int64_t row) const {
    return next_records_.data() + static_cast<size_t>(row * (position_ + 1));
  }

 private:
  int64_t stride_;
  int64_t position_ = 0;
  std::vector<AlignedBuffer<float>> blocks_;  // by step: the records of its rows
  std::vector<const float*> records_;         // [rows, position] of the step before
  std::vector<const float*> next_records_;    // [rows, position + 1]
  std::vector<int32_t> sentences_;            // by row of the step before (at first: the sentences)
  std::vector<int32_t> next_sentences_;
};

}  // namespace litenat::runtime
