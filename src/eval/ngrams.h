// n-grams of a line's hypothesis and references, order by order, without hash collisions.
#pragma once

#include <cstdint>
#include <vector>

#include "eval/interner.h"

namespace litenat::eval {

/// Token numbers of each sequence; equal tokens have equal numbers across the sequences.
using TokenSequences = std::vector<std::vector<int32_t>>;

/// Walks the orders 1, 2, 3, ... of some sequences. At each, equal n-grams of any of them have equal numbers: an n-gram
/// is the pair of its first n - 1 tokens (numbered at the order before) and its last token.
class NgramWalk {
 public:
  explicit NgramWalk(const TokenSequences& tokens);
  /// Goes on to the next order.
  void advance();
  /// How often each n-gram of the order occurs in sequence `s`, by number.
  const std::vector<int32_t>& counts(size_t s) const { return counts_[s]; }
  /// The n-grams of the order in sequence `s`.
  int64_t total(size_t s) const { return static_cast<int64_t>(grams_[s].size()); }
  /// The n-grams of order n that sequences `a` and `b` share: the sum of the lesser counts.
  int64_t matches(size_t a, size_t b) const;

 private:
  const TokenSequences& tokens_;
  size_t order_ = 0;
  size_t num_tokens_ = 0;
  Interner<uint64_t> interner_;
  TokenSequences grams_;  // number of the n-gram that begins at each position
  std::vector<std::vector<int32_t>> counts_;
};

}  // namespace litenat::eval
