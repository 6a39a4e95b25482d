// The text of files, folders and standard input as numbered blocks that end between words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "data/corpus_reader.h"

namespace litenat::data {

/// What was read and what was not.
struct InputCounts {
  int64_t documents = 0;   // files read
  int64_t bytes = 0;       // of text, decompressed
  int64_t empty = 0;       // files without a byte
  int64_t unreadable = 0;  // files of folders that could not be opened
  int64_t long_lines = 0;  // longer than a block; they are read in pieces
  int64_t cut = 0;         // archives that end early or are damaged; what came before was kept
};

/// A piece of one document: at most kBlockSize bytes, cut after a line end, else after a blank or '>', else between
/// characters.
struct CorpusBlock {
  uint64_t number = 0;  // in the order of the input
  std::string text;
  int64_t raw_bytes = 0;  // of files taken so far, as raw_total() counts them
};

class CorpusInput {
 public:
  static constexpr size_t kBlockSize = size_t{1} << 20;

  /// `paths`: files, folders (read recursively, names ascending; links to folders are not followed) and "-". Paths of
  /// folders that contain one of `exclude` are left out; a file reached twice is read once. Throws Error for a path
  /// that does not exist.
  CorpusInput(const std::vector<std::string>& paths, const std::vector<std::string>& exclude);

  /// The next block, or false at the end. Not for several threads at once. A file named by the caller that cannot be
  /// read is an Error; others are counted and logged.
  bool next(CorpusBlock* block);
  const InputCounts& counts() const { return counts_; }
  /// Bytes of all the files, compressed as they are; standard input counts as 0.
  int64_t raw_total() const { return raw_total_; }

 private:
  struct File {
    std::string path;
    bool named;  // by the caller
  };
  void add_folder(const std::string& path, const std::vector<std::string>& exclude);
  void add_file(const std::string& path, bool named);
  bool open_next();
  void fill(std::string* text);
  void cut(std::string* text);
  void close();

  std::vector<File> files_;
  std::set<std::pair<uint64_t, uint64_t>> seen_;  // device and inode
  size_t next_file_ = 0;
  std::unique_ptr<ByteReader> reader_;
  std::string tail_;  // read, but behind the last block's cut
  bool in_long_line_ = false;
  uint64_t next_number_ = 0;
  int64_t file_bytes_ = 0;
  int64_t raw_done_ = 0;
  int64_t raw_total_ = 0;
  InputCounts counts_;
};

}  // namespace litenat::data
