// Aligned sentences of a `preprocess` folder: as many source tokens (syllables) as target tokens (hanzi).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/span.h"
#include "data/indexed_dataset.h"
#include "graph/model_spec.h"
#include "text/dictionary.h"
#include "text/syllables.h"
#include "train/data_spec.h"

namespace litenat::train {

/// The dictionaries of a data folder.
struct Dictionaries {
  text::Dictionary source, target;
  /// Syllable of each source id, kNoSyllable for other tokens.
  std::vector<text::SyllableId> syllables;

  /// Reads dict.<source>.txt and dict.<target>.txt. Throws Error.
  static Dictionaries load(const DataSpec& spec);
};

struct Sentence {
  std::vector<int32_t> source;              // without </s>
  std::vector<text::SyllableId> syllables;  // of the source tokens; empty for input = tokens
  std::vector<int32_t> target;              // as many as source
};

class TaggingDataset {
 public:
  /// Opens `split` ("train"). Sentences with an unknown token on either side, and empty ones, are left out and counted.
  /// `limit` > 0: only the first so many usable ones. Throws Error for files that are missing or contradict each other
  /// (with the number of the sentence).
  TaggingDataset(const DataSpec& spec, const std::string& split, graph::InputKind input,
                 const Dictionaries& dictionaries, int64_t limit);

  int64_t size() const { return static_cast<int64_t>(indices_.size()); }
  /// Tokens of each usable sentence, </s> not counted.
  Span<const int32_t> lengths() const { return lengths_; }
  /// Usable sentence i. Thread-safe.
  void read(int64_t i, Sentence* out) const;
  /// Its number in the files: what a user can look up.
  int64_t number(int64_t i) const { return indices_[static_cast<size_t>(i)]; }
  int64_t num_left_out() const { return num_left_out_; }
  int64_t num_tokens() const { return num_tokens_; }
  /// Changes when the data do: sizes and tokens of both sides.
  std::string fingerprint() const;

 private:
  void read_file_sentence(int64_t number, Sentence* out) const;
  bool is_usable(const Sentence& sentence) const;
  void select(const std::string& where, int64_t limit);

  const Dictionaries* dictionaries_;
  bool typed_;  // input = units or keys: the source side holds syllables
  std::shared_ptr<const data::IndexedDataset> source_, target_;
  std::vector<int64_t> indices_;
  std::vector<int32_t> lengths_;
  int64_t num_left_out_ = 0;
  int64_t num_tokens_ = 0;
};

}  // namespace litenat::train
