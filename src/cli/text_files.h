// Reading text files and standard input line by line.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace litenat::cli {

/// Throws Error when `path` is no file that can be read; `what` says what was expected. For verbs whose work begins
/// elsewhere: it is told before a library is loaded.
void require_file(const std::string& path, const std::string& what);

/// The lines of `path` without their ends (LF or CR LF). Throws Error when it cannot be read.
std::vector<std::string> read_lines(const std::string& path);

/// The parts of `line` between tabs.
std::vector<std::string> split_tabs(const std::string& line);

/// Reads lines from a file descriptor; a signal ends the wait for input (std::getline would go on waiting).
class LineReader {
 public:
  /// Of a line longer than `max_bytes` only the first max_bytes + 1 bytes are kept, so that memory stays bounded and
  /// the length check of whoever uses the line still sees that it is too long.
  LineReader(int file_descriptor, size_t max_bytes) : file_descriptor_(file_descriptor), max_bytes_(max_bytes) {}
  /// The next line, without its end. False at the end of the input. Throws Interrupted, Error (read failed).
  bool next(std::string* line);
  /// True when the next call will not wait for input.
  bool has_buffered_line() const;

 private:
  bool fill();
  int file_descriptor_;
  size_t max_bytes_;
  std::string buffer_;
  size_t position_ = 0;
  bool ended_ = false;
};

}  // namespace litenat::cli
