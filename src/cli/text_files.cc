#include "cli/text_files.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/mapped_file.h"

namespace litenat::cli {
namespace {

constexpr size_t kReadBytes = 1 << 16;

void drop_carriage_return(std::string* line) {
  if (!line->empty() && line->back() == '\r') line->pop_back();
}

}  // namespace

void require_file(const std::string& path, const std::string& what) {
  const auto file = MappedFile::open(path);
  if (!file.ok()) throw Error(path + ": cannot be read, expected " + what + " (" + file.status().message() + ")");
}

std::vector<std::string> read_lines(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(path + ": cannot be read: " + std::strerror(errno));
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    drop_carriage_return(&line);
    lines.push_back(std::move(line));
    throw_if_interrupted();
  }
  if (file.bad()) throw Error(path + ": cannot be read, expected a text file");
  return lines;
}

std::vector<std::string> split_tabs(const std::string& line) {
  std::vector<std::string> parts;
  size_t first = 0;
  for (size_t tab = line.find('\t'); tab != std::string::npos; tab = line.find('\t', first)) {
    parts.push_back(line.substr(first, tab - first));
    first = tab + 1;
  }
  parts.push_back(line.substr(first));
  return parts;
}

bool LineReader::fill() {
  if (position_ > 0) buffer_.erase(0, position_);
  position_ = 0;
  const size_t size = buffer_.size();
  buffer_.resize(size + kReadBytes);
  const ssize_t got = read(file_descriptor_, buffer_.data() + size, kReadBytes);
  const int error = errno;
  buffer_.resize(size + static_cast<size_t>(got > 0 ? got : 0));
  throw_if_interrupted();
  if (got < 0 && error != EINTR) throw Error(std::string("standard input: ") + std::strerror(error));
  if (got == 0) ended_ = true;
  return got > 0;
}

bool LineReader::has_buffered_line() const { return buffer_.find('\n', position_) != std::string::npos; }

bool LineReader::next(std::string* line) {
  line->clear();
  for (;;) {
    const size_t end = buffer_.find('\n', position_);
    const size_t stop = end == std::string::npos ? buffer_.size() : end;
    const size_t room = max_bytes_ + 1 - line->size();
    line->append(buffer_, position_, std::min(stop - position_, room));
    const bool had_text = stop > position_ || !line->empty();
    position_ = stop;
    if (end != std::string::npos) {
      ++position_;
      drop_carriage_return(line);
      return true;
    }
    if (ended_) return had_text;
    fill();
  }
}

}  // namespace litenat::cli
