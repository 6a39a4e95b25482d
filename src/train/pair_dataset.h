// Pairs of a source and a target sentence, with the specials that the model's family reads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/span.h"
#include "graph/model_spec.h"
#include "train/data_sides.h"
#include "train/dataset.h"

namespace litenat::train {

/// family = sequence: w .. </s> on both sides; non_autoregressive: <s> w .. </s> on both.
struct Pair {
  std::vector<int32_t> source, target;
};

class PairDataset final : public Dataset {
 public:
  /// Opens `split` ("train"). Pairs with an empty side are left out and counted; unknown tokens are kept. `limit` > 0:
  /// only the first so many usable ones. Throws Error for files that are missing or contradict each other.
  PairDataset(const DataSpec& spec, const std::string& split, graph::Family family, const Dictionaries& dictionaries,
              int64_t limit);

  int64_t size() const override { return static_cast<int64_t>(indices_.size()); }
  int64_t num_tokens() const override { return num_tokens_; }
  int64_t num_left_out() const override { return num_left_out_; }
  int64_t number(int64_t i) const override { return indices_[static_cast<size_t>(i)]; }
  std::string fingerprint() const override;
  /// Tokens of each usable sentence, specials included.
  Span<const int32_t> source_lengths() const { return source_lengths_; }
  Span<const int32_t> target_lengths() const { return target_lengths_; }
  /// Usable pair i. Thread-safe.
  void read(int64_t i, Pair* out) const;

 private:
  bool begins_;  // sentences begin with <s>
  DataSides sides_;
  std::vector<int64_t> indices_;
  std::vector<int32_t> source_lengths_, target_lengths_;
  int64_t num_left_out_ = 0;
  int64_t num_tokens_ = 0;
  std::string types_;  // of the fingerprint
  ContentHash hash_;
};

}  // namespace litenat::train
