// Aligned sentences of a `preprocess` folder: as many source tokens (syllables) as target tokens (hanzi).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/span.h"
#include "graph/model_spec.h"
#include "train/data_sides.h"
#include "train/dataset.h"

namespace litenat::train {

struct Sentence {
  std::vector<int32_t> source;              // without </s>
  std::vector<text::SyllableId> syllables;  // of the source tokens; empty for input = tokens
  std::vector<int32_t> target;              // as many as source
};

class TaggingDataset final : public Dataset {
 public:
  /// Opens `split` ("train"). Sentences with an unknown token on either side, and empty ones, are left out and counted.
  /// `limit` > 0: only the first so many usable ones. Throws Error for files that are missing or contradict each other
  /// (with the number of the sentence).
  TaggingDataset(const DataSpec& spec, const std::string& split, graph::InputKind input,
                 const Dictionaries& dictionaries, int64_t limit);

  int64_t size() const override { return static_cast<int64_t>(indices_.size()); }
  int64_t num_tokens() const override { return num_tokens_; }
  int64_t num_left_out() const override { return num_left_out_; }
  int64_t number(int64_t i) const override { return indices_[static_cast<size_t>(i)]; }
  std::string fingerprint() const override;
  /// Tokens of each usable sentence, </s> not counted.
  Span<const int32_t> lengths() const { return lengths_; }
  /// Usable sentence i. Thread-safe.
  void read(int64_t i, Sentence* out) const;

 private:
  void read_file_sentence(int64_t number, Sentence* out) const;
  bool is_usable(const Sentence& sentence) const;
  void select(const std::string& where, int64_t limit);

  const Dictionaries* dictionaries_;
  bool typed_;  // input = units or keys: the source side holds syllables
  DataSides sides_;
  std::vector<int64_t> indices_;
  std::vector<int32_t> lengths_;
  int64_t num_left_out_ = 0;
  int64_t num_tokens_ = 0;
  ContentHash hash_;
};

}  // namespace litenat::train
