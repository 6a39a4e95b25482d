#include "cli/distill_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/error.h"

namespace litenat::cli {
namespace {

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) throw Error(path + ": cannot be read");
  return text.str();
}

}  // namespace

DistillLog::DistillLog(const std::string& path, const std::string& identity, size_t num_lines, bool restart)
    : path_(path), outputs_(num_lines) {
  file_ = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file_ < 0) throw Error(path + ": cannot be opened: " + std::strerror(errno));
  try {
    if (flock(file_, LOCK_EX | LOCK_NB) != 0)
      throw Error(path + ": another litenat distill writes it: let it end, or give another --output");
    if (restart) cut(0);
    read(identity);
  } catch (...) {
    close(file_);
    throw;
  }
}

DistillLog::~DistillLog() {
  if (file_ >= 0) close(file_);
}

void DistillLog::read(const std::string& identity) {
  if (lseek(file_, 0, SEEK_END) == 0) {
    write(identity + "\n");
    return;
  }
  const std::string text = read_text(path_);
  const size_t end = text.find('\n');
  if (end == std::string::npos) {  // killed while it wrote the first line
    cut(0);
    write(identity + "\n");
    return;
  }
  if (text.compare(0, end, identity) != 0)
    throw Error(path_ + ": is of another model, input or settings (" + text.substr(0, std::min<size_t>(end, 400)) +
                "), expected " + identity + ": remove it, or begin anew with --restart");
  const size_t good = read_records(text, end + 1);
  if (good < text.size()) cut(good);
}

void DistillLog::cut(size_t size) {
  if (ftruncate(file_, static_cast<off_t>(size)) != 0) throw Error(path_ + ": cannot be cut: " + std::strerror(errno));
}

/// Takes the whole records from `begin` on; returns where they end.
size_t DistillLog::read_records(const std::string& text, size_t begin) {
  for (;;) {
    const size_t end = text.find('\n', begin);
    if (end == std::string::npos || !take_record(text.substr(begin, end - begin))) return begin;
    begin = end + 1;
  }
}

bool DistillLog::take_record(const std::string& record) {
  size_t line = 0;
  const char* last = record.data() + record.size();
  const auto number = std::from_chars(record.data(), last, line);
  if (number.ec != std::errc() || number.ptr == last || *number.ptr != '\t') return false;
  if (line >= outputs_.size() || outputs_[line]) return false;
  outputs_[line] = std::string(number.ptr + 1, last);
  ++num_done_;
  return true;
}

void DistillLog::add(const std::vector<size_t>& lines, const std::vector<std::string>& outputs) {
  std::string text;
  for (size_t i = 0; i < lines.size(); ++i) text += std::to_string(lines[i]) + "\t" + outputs[i] + "\n";
  write(text);
  for (size_t i = 0; i < lines.size(); ++i) outputs_[lines[i]] = outputs[i];
  num_done_ += lines.size();
}

void DistillLog::write(const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t count = ::write(file_, text.data() + done, text.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw Error(path_ + ": cannot be written: " + std::strerror(errno));
    done += static_cast<size_t>(count);
  }
}

void DistillLog::remove() {
  if (unlink(path_.c_str()) != 0) throw Error(path_ + ": cannot be removed: " + std::strerror(errno));
}

}  // namespace litenat::cli
