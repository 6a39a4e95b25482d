// The files of a corpus folder, written aside.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "data/corpus_batch.h"
#include "data/corpus_split.h"
#include "data/staged_folder.h"

namespace litenat::data {

/// A line of key tokens a mode, for one clause.
using KeyLines = std::vector<std::string>;

/// {subset}.hanzi, .pinyin and, when asked for, {subset}.<mode>; {subset}.<mode>.tsv for held-out subsets. Every
/// function throws Error when the disk refuses.
/// Every file that a corpus folder may hold, whatever the key modes.
std::vector<std::string> corpus_file_names();

class CorpusOutput {
 public:
  CorpusOutput(const std::string& folder, const KeySampling& sampling, bool key_files);
  ~CorpusOutput();

  /// Appends clause `i` of `batch` to the training set.
  void add_train(const ClauseBatch& batch, size_t i);
  /// Appends every copy of a clause that has left the held-out sample.
  void add_train(const HeldOutClause& clause);
  /// Writes a held-out subset; returns the number of its hanzi.
  int64_t write_held_out(const std::string& subset, const std::vector<HeldOutClause>& clauses);
  /// Writes what add_train() has gathered to the disk; call it now and then.
  void flush();
  void write_text(const std::string& name, const std::string& text);
  /// Moves everything to the target folder.
  void commit();

 private:
  struct File {
    std::unique_ptr<AtomicFile> file;
    std::string pending;
  };
  File open(const std::string& name) const;
  static void write_pending(File* file);
  void close(File* file);
  std::vector<std::string> file_names(const std::string& subset) const;
  KeyLines key_lines(const HeldOutClause& clause) const;
  std::string pairs(const std::vector<HeldOutClause>& clauses, size_t mode) const;

  StagedFolder folder_;
  KeySampling sampling_;
  bool key_files_;
  std::vector<File> train_;  // hanzi, pinyin, then the key files by mode
};

}  // namespace litenat::data
