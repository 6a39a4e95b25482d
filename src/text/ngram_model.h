// A back-off n-gram model over integer ids (words, characters or units), used in place from a blob.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/span.h"
#include "base/status.h"

namespace litenat::text {

/// Read-only view of a blob made by data/ngram_builder.h (layout: docs/formats.md), which must outlive it. parse()
/// checks everything. Probabilities are natural logarithms, stored in 8 bits by a table per order.
///
/// The ids 0 .. vocabulary - 1 are the caller's; `vocabulary` itself stands for the start of a sentence and
/// `vocabulary` + 1 for its end.
class NgramModel {
 public:
  static constexpr int kMaxOrder = 4;
  static constexpr uint32_t kUnknown = UINT32_MAX;

  /// What the model remembers of the past: for k = 0 .. length - 1 its record of the n-gram of the last k + 1 ids
  /// (kUnknown: not in the model). Equal states have equal futures. A plain value: copy it freely; length 0 is
  /// the empty context.
  struct State {
    std::array<uint32_t, kMaxOrder - 1> records{};
    int length = 0;
    bool operator==(const State& other) const {
      if (length != other.length) return false;
      for (int k = 0; k < length; ++k) {
        if (records[static_cast<size_t>(k)] != other.records[static_cast<size_t>(k)]) return false;
      }
      return true;
    }
  };

  static Result<NgramModel> parse(Span<const uint8_t> blob, const std::string& name);

  int order() const { return order_; }
  uint32_t vocabulary() const { return vocabulary_; }
  uint64_t num_ngrams(int order) const { return levels_[static_cast<size_t>(order - 1)].count; }
  State begin_sentence() const { return begin_; }
  /// ln P(id | state) with back-off; *next (may be null or &state) receives the state after it, shortened to the
  /// longest context that the model knows, so equal futures compare equal. An id outside the vocabulary scores the
  /// unknown probability and leads to the empty context.
  float score(const State& state, uint32_t id, State* next) const {
    return score_id(state, id < vocabulary_ ? id : kUnknown, next);
  }
  /// ln P(end of sentence | state).
  float score_end(const State& state) const { return score_id(state, vocabulary_ + 1, nullptr); }

 private:
  friend class NgramPacker;
  struct Loader;

  /// The n-grams of one order as bit-packed records: id (not at order 1, where the record's number is the id),
  /// probability code, and below the highest order back-off code and first child. A last record of zeros holds
  /// the end of the last child range.
  struct Level {
    Span<const uint8_t> bits;
    uint64_t count = 0;
    int id_bits = 0;
    int child_bits = 0;  // 0 at the highest order
    int record_bits = 0;
    Span<const float> probability_table;  // 256
    Span<const float> backoff_table;      // 256; code 0 is 0.0

    uint64_t read(uint64_t bit, int width) const {
      uint64_t word;
      std::memcpy(&word, bits.data() + bit / 8, sizeof(word));
      return (word >> (bit % 8)) & ((uint64_t{1} << width) - 1);
    }
    uint64_t start(uint64_t record) const { return record * static_cast<uint64_t>(record_bits); }
    uint32_t id(uint64_t record) const { return static_cast<uint32_t>(read(start(record), id_bits)); }
    float probability(uint64_t record) const {
      return probability_table[read(start(record) + static_cast<uint64_t>(id_bits), 8)];
    }
    uint64_t backoff_code(uint64_t record) const { return read(start(record) + static_cast<uint64_t>(id_bits) + 8, 8); }
    float backoff(uint64_t record) const { return backoff_table[backoff_code(record)]; }
    uint32_t first_child(uint64_t record) const {
      return static_cast<uint32_t>(read(start(record) + static_cast<uint64_t>(id_bits) + 16, child_bits));
    }
  };

  float score_id(const State& state, uint32_t id, State* next) const;
  uint32_t find_child(int level, uint32_t record, uint32_t id) const;
  void shorten(State* state) const;

  int order_ = 0;
  uint32_t vocabulary_ = 0;
  float log_unknown_ = 0;
  State begin_;
  std::array<Level, kMaxOrder> levels_;
};

}  // namespace litenat::text
