// Pairs of lines from parallel files, as numbered blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/corpus_reader.h"

namespace litenat::data {

/// Lines of a file (plain, gzip, xz, bzip2, or "-"), without their ends "\n" or "\r\n" and a byte order mark.
class LineReader {
 public:
  static constexpr size_t kMaxLineBytes = size_t{1} << 20;

  explicit LineReader(const std::string& path) : path_(path), reader_(path), buffer_(size_t{1} << 16, '\0') {}

  /// Appends the next line to *text, or false at the end. *too_long: it has more than kMaxLineBytes bytes, of which
  /// only the first are appended. Throws Error for an archive that is cut or damaged.
  bool next(std::string* text, bool* too_long);
  /// Skips to the end.
  void skip_rest();

  const std::string& path() const { return path_; }
  int64_t lines() const { return lines_; }
  /// Bytes taken from the file, before decompression; 0 for standard input.
  int64_t raw_bytes() const { return path_ == "-" ? 0 : static_cast<int64_t>(reader_.raw_bytes()); }

 private:
  bool refill();

  std::string path_;
  ByteReader reader_;
  std::string buffer_;
  size_t begin_ = 0, end_ = 0;
  int64_t lines_ = 0;
};

/// Two files line by line, or one whose lines have tabs between the sides (target is empty then).
struct PairInput {
  std::string source;
  std::string target;
};

enum class RawPairState : uint8_t { kWhole, kTooLong, kColumnMissing };

/// Consecutive pairs, as they are in the files.
struct PairBlock {
  std::string source, target;
  std::vector<size_t> source_ends, target_ends;  // line i ends there
  std::vector<RawPairState> states;
  int64_t first_line = 0;  // of the input the block is of, from 1
  int64_t raw_bytes = 0;   // of all files taken so far

  size_t size() const { return states.size(); }
  std::string_view source_line(size_t i) const { return line(source, source_ends, i); }
  std::string_view target_line(size_t i) const { return line(target, target_ends, i); }
  void clear();

 private:
  static std::string_view line(const std::string& text, const std::vector<size_t>& ends, size_t i) {
    const size_t begin = i == 0 ? 0 : ends[i - 1];
    return std::string_view(text).substr(begin, ends[i] - begin);
  }
};

class PairReader {
 public:
  /// Columns count from 1; they matter to files with tabs. Throws Error for a file that is not there.
  PairReader(std::vector<PairInput> inputs, int source_column, int target_column);

  /// The next block, or false at the end. Throws Error for files of different lengths (with both names and lengths).
  bool next(PairBlock* block);
  /// Bytes of all files as they are on the disk; standard input counts as 0.
  int64_t raw_total() const { return raw_total_; }

 private:
  bool open_next();
  bool add_pair(PairBlock* block);
  bool add_row(PairBlock* block);
  [[noreturn]] void fail_lengths();

  std::vector<PairInput> inputs_;
  int source_column_, target_column_;
  size_t next_input_ = 0;
  std::unique_ptr<LineReader> source_, target_;
  std::string row_;
  int64_t raw_done_ = 0, raw_total_ = 0;
};

}  // namespace litenat::data
