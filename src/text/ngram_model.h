// A back-off n-gram model over integer ids (words, characters or units), used in place from a blob.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/span.h"
#include "base/status.h"

namespace litenat::text {

/// Read-only view of a blob made by data/ngram_builder.h (layout: docs/formats.md). parse() checks everything.
/// Probabilities are natural logarithms, stored in 8 bits by a table per order.
class NgramModel {
 public:
  static constexpr int kMaxOrder = 4;
  static constexpr uint32_t kUnknown = UINT32_MAX;

  /// The last order - 1 ids, newest first; kUnknown-filled at the start of a sentence uses the model's own
  /// sentence-start id. A plain value: copy it freely.
  struct State {
    std::array<uint32_t, kMaxOrder - 1> history{};
    int length = 0;
    bool operator==(const State& o) const;
  };

  static Result<NgramModel> parse(Span<const uint8_t> blob, const std::string& name);

  int order() const { return order_; }
  uint32_t vocabulary() const { return vocabulary_; }
  uint64_t num_ngrams(int order) const;
  State begin_sentence() const;
  /// ln P(id | state) with back-off; *next receives the state after it (shortened to the longest context that the
  /// model knows, so equal futures compare equal). An id outside the vocabulary scores the unknown probability.
  float score(const State& state, uint32_t id, State* next) const;
  /// ln P(end of sentence | state).
  float score_end(const State& state) const;

 private:
  struct Level {
    Span<const uint32_t> ids;        // of the n-grams, sorted within each parent's range
    Span<const uint32_t> children;   // size + 1 offsets into the next level; empty at the highest order
    Span<const uint8_t> probability;  // codes
    Span<const uint8_t> backoff;      // codes; empty at the highest order
    Span<const float> probability_table;  // 256
    Span<const float> backoff_table;      // 256
  };
  int order_ = 0;
  uint32_t vocabulary_ = 0;
  std::array<Level, kMaxOrder> levels_;
};

}  // namespace litenat::text
