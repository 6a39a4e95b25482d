// The two passes over parallel text: cleaning and splitting, then tokenising.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/atomic_file.h"
#include "data/corpus_mt.h"
#include "data/corpus_mt_cleaner.h"
#include "data/corpus_mt_reader.h"
#include "data/corpus_mt_tokenizers.h"
#include "data/corpus_split.h"

namespace litenat::data {

/// Two files that grow line by line. Every function throws Error when the disk refuses.
class PairWriter {
 public:
  PairWriter(const std::string& source_path, const std::string& target_path);
  void add(std::string_view source, std::string_view target);
  /// Writes what add() has gathered; call it now and then.
  void flush();
  void commit();
  const PairInput& paths() const { return paths_; }

 private:
  PairInput paths_;
  AtomicFile source_, target_;
  std::string source_pending_, target_pending_;
};

/// PREFIX.LANG for both languages, packed or not. Throws Error when a file is missing.
PairInput find_pair_files(const std::string& prefix, const CorpusMtOptions& options);

/// Cleaned text of the subsets, in the files train.source, train.target, valid.source, ... of a folder.
class CleaningPass {
 public:
  CleaningPass(const CorpusMtOptions& options, const std::string& folder, CorpusMtSummary* summary);

  /// Source sentences of these files are not trained on.
  void reserve(const PairInput& files);
  void run(const StageProgress& progress);

  /// What was written, by subset; empty paths for held-out subsets that came from files.
  PairInput train() const { return train_.paths(); }
  PairInput valid() const { return valid_.paths(); }
  PairInput test() const { return test_.paths(); }
  int64_t train_pairs() const { return train_pairs_; }

 private:
  void add(SentencePair* pair);
  void train_on(const std::vector<SentencePair>& pairs);
  void split();
  void hold_out(int64_t wanted, int64_t share, PairWriter* writer);

  const CorpusMtOptions& options_;
  CorpusMtSummary& summary_;
  int64_t wanted_valid_, wanted_test_;
  PairWriter train_, valid_, test_;
  CopyCounter copies_;
  HeldOutPairs held_out_;
  std::unordered_set<uint64_t> reserved_;  // hashes of source sentences
  std::vector<SentencePair> rest_;
  int64_t train_pairs_ = 0;
};

struct TokenizingOptions {
  bool lower_case = false;  // of text that is split at blanks; other tokenizers do it themselves
  int64_t max_tokens = 0;   // pairs with more are dropped; 0: none is, nor one without tokens
  int threads = 1;
};

/// Writes the tokens of the pairs of `files` to `writer` and counts them.
void tokenize_pairs(const PairInput& files, const CorpusTokenizers& tokenizers, const TokenizingOptions& options,
                    PairWriter* writer, CorpusMtSummary::Subset* subset, DropCounts* dropped,
                    const StageProgress& progress);

}  // namespace litenat::data
