// Which pairs of sentences are kept, and which are held out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "data/corpus_mt_reader.h"

namespace litenat::data {

enum class DropReason {
  kColumnMissing,
  kTooLong,  // more than 1 MiB
  kBrokenUtf8,
  kNul,
  kEmpty,
  kLength,  // in words
  kRatio,
  kCopy,
  kHeldOut,  // the source sentence is one of a held-out set
  kNoTokens,
  kTokens,  // more than allowed
};
constexpr size_t kNumDropReasons = 11;

/// Pairs left out, by reason.
class DropCounts {
 public:
  void add(DropReason reason, int64_t count = 1) { counts_[static_cast<size_t>(reason)] += count; }
  void add(const DropCounts& other) {
    for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  }
  int64_t of(DropReason reason) const { return counts_[static_cast<size_t>(reason)]; }
  int64_t total() const;
  /// "broken_utf8", ...: by reason.
  static const char* name(DropReason reason);
  /// An object with every reason.
  Json to_json() const;

 private:
  std::array<int64_t, kNumDropReasons> counts_{};
};

struct SentencePair {
  std::string source, target;
  uint64_t source_hash = 0;
  uint64_t pair_hash = 0;
};

struct CleaningOptions {
  int min_length = 1, max_length = 250;  // words of a side, as count_words() counts them
  double max_ratio = 9;                  // of the longer side to the shorter
};

/// The pairs of a block that are fit for training, cleaned by clean_line(); the others are counted.
std::vector<SentencePair> clean_pairs(const PairBlock& block, const CleaningOptions& options, DropCounts* dropped);

/// The hash by which source sentences are told apart.
uint64_t hash_source(std::string_view source);

/// Holds out the pairs of the `size` distinct source sentences whose seeded hash is smallest: a uniform sample, the
/// same whatever comes in which order. All pairs of a source sentence are in it, or none.
class HeldOutPairs {
 public:
  HeldOutPairs(uint64_t seed, size_t size) : seed_(seed), size_(size) {}

  /// Takes the pair into the sample when it belongs there (so far). Then pairs that must leave for it, which are to be
  /// trained on, are appended to *rest. Returns false, and leaves the pair alone, when it does not belong.
  bool take(SentencePair* pair, std::vector<SentencePair>* rest);
  /// Moves the pairs of the `count` first source sentences to *pairs, one a sentence; further translations are counted
  /// in *dropped.
  void move_first(size_t count, std::vector<SentencePair>* pairs, DropCounts* dropped);
  /// Moves all that is left to *pairs.
  void move_rest(std::vector<SentencePair>* pairs);
  size_t num_sources() const { return sources_.size(); }

 private:
  uint64_t seed_;
  size_t size_;
  std::map<uint64_t, std::vector<SentencePair>> sources_;  // by priority
};

}  // namespace litenat::data
