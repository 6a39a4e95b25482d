// Which clauses go where: at most so many copies of each, and a held-out sample that training never sees.
#pragma once

#include <cstddef>
#include <cstdint>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/span.h"

namespace litenat::data {

/// A hash of the characters of a clause: the same on every machine; the split depends on it.
uint64_t hash_clause(Span<const char32_t> characters);

/// Counts the copies of each clause in 8 bytes a clause: 58 bits of its hash and 6 of the count.
class CopyCounter {
 public:
  static constexpr int kMaxCopies = 63;

  CopyCounter() : slots_(1 << 16) {}
  /// How often `hash` was added before; stops counting at kMaxCopies.
  int add(uint64_t hash);
  void prefetch(uint64_t hash) const { __builtin_prefetch(&slots_[home(hash)]); }
  size_t size() const { return used_; }

 private:
  size_t home(uint64_t hash) const { return static_cast<size_t>(hash >> 24) & (slots_.size() - 1); }
  void grow();

  std::vector<uint64_t> slots_;  // 0: free
  size_t used_ = 0;
};

/// A clause as lines of tokens.
struct ClauseLines {
  std::string hanzi;   // "你 好"
  std::string pinyin;  // "ni hao"
};

struct HeldOutClause {
  uint64_t priority = 0;
  int copies = 1;
  ClauseLines lines;
};

/// Keeps the `size` clauses whose seeded hash is smallest: a uniform sample of the distinct clauses, the same whatever
/// comes in which order. A clause is in the sample or in the training set, never in both.
class HeldOutSample {
 public:
  HeldOutSample(uint64_t seed, size_t size) : seed_(seed), size_(size) {}

  uint64_t priority(uint64_t hash) const;
  /// True when a clause of this priority belongs to the sample (so far).
  bool wants(uint64_t priority) const {
    return by_priority_.size() < size_ || (size_ > 0 && priority <= highest_.top());
  }
  /// Adds a clause that the sample wants, or one more copy of it. What must leave for it (to be trained on) goes to
  /// *evicted; false when nothing must.
  bool add(uint64_t priority, const ClauseLines& lines, HeldOutClause* evicted);
  /// The `count` first clauses of the sample, ascending by priority; the others are appended to *rest.
  std::vector<HeldOutClause> take(size_t count, std::vector<HeldOutClause>* rest);
  size_t size() const { return by_priority_.size(); }

 private:
  uint64_t seed_;
  size_t size_;
  std::unordered_map<uint64_t, HeldOutClause> by_priority_;
  std::priority_queue<uint64_t> highest_;
};

}  // namespace litenat::data
