// The corpus of an input method: raw Chinese text to aligned clauses of hanzi, pinyin and typed keys.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/fields.h"
#include "base/json.h"
#include "data/corpus_batch.h"
#include "data/corpus_input.h"
#include "data/corpus_split.h"
#include "data/key_sampler.h"

namespace litenat::data {

struct CorpusImeOptions {
  std::vector<std::string> inputs;
  std::string output;
  std::vector<std::string> phrases;
  std::vector<std::string> readings;
  std::vector<std::string> exclude;
  std::string opencc;
  std::vector<KeyMode> keys{KeyMode::kFull, KeyMode::kMixed, KeyMode::kInitials, KeyMode::kNineKey,
                            KeyMode::kNineKeyInitials};
  bool key_files = false;
  double cut = 0.3;
  RetroflexStyle retroflex = RetroflexStyle::kTwoLetters;
  int min_length = 2;
  int max_length = 20;
  int max_copies = 3;
  int64_t valid_clauses = 1000;
  int64_t test_clauses = 1000;
  int64_t seed = 1;
  int threads = 1;

  template <class V>
  void visit(V& v) {
    v("inputs", inputs, "files, folders (recursive) and - for standard input; gzip, xz and bzip2 are unpacked");
    v("output", output, "the corpus folder to write");
    v("phrases", phrases, "phrase dictionaries (default: Debian's rime-data-pinyin-simp)");
    v("readings", readings, "readings of characters (default: Unihan_Readings of Debian's unicode-data)");
    v("exclude", exclude, "parts of path names: such files of input folders are left out");
    v("opencc", opencc, "OpenCC's conversion of the text (t2s: traditional to simplified); empty: none");
    v("keys", keys, "key modes to sample", kKeyModeNames);
    v("key_files", key_files, "also write the typed units of every clause, one file a subset and mode");
    v("cut", cut, "share of the syllables of mixed keys that are cut to their initial", between(0, 1));
    v("retroflex", retroflex, "zh, ch and sh as an initial: two letters, one, or either", kRetroflexStyleNames);
    v("min_length", min_length, "shortest clause in hanzi", between(1, 1000));
    v("max_length", max_length, "longest clause in hanzi; longer runs are cut between words", between(1, 1000));
    v("max_copies", max_copies, "copies of a clause that are kept (0: all)", between(0, CopyCounter::kMaxCopies));
    v("valid_clauses", valid_clauses, "clauses held out for validation (at most a tenth of all)", between(0, 1e7));
    v("test_clauses", test_clauses, "clauses held out for the test (at most a tenth of all)", between(0, 1e7));
    v("seed", seed, "draws the held-out clauses and the keys", between(0, 9e15));
    v("threads", threads, "threads; the output does not depend on them", between(1, 1024));
  }
};

struct CorpusImeSummary {
  InputCounts input;
  TextCounts text;
  ClauseCounts clauses;
  int64_t duplicates = 0;  // copies dropped
  struct Subset {
    std::string name;
    int64_t clauses = 0;
    int64_t hanzi = 0;
  };
  Subset train{"train"}, valid{"valid"}, test{"test"};
  double seconds = 0;

  Json to_json() const;
};

/// `done` of `total` bytes of the files are through (total 0: standard input alone).
using CorpusProgress = std::function<void(int64_t done, int64_t total)>;

/// Writes the corpus folder (docs/formats.md), aside first. Throws Error when an input that the caller named cannot be
/// read, an option is out of bounds, no clause is left, or the folder cannot be written; Interrupted when asked to
/// stop.
CorpusImeSummary make_ime_corpus(const CorpusImeOptions& options, const CorpusProgress& progress);

}  // namespace litenat::data
