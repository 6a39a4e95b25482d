#include "train/json_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/mapped_file.h"

namespace litenat::train {
namespace {

/// True for a line {"update": n, ...} with n <= last_update.
bool is_kept(std::string_view line, int64_t last_update) {
  const Result<Json> json = Json::parse(line);
  if (!json.ok() || !json.value().is_object()) return false;
  const Json* update = json.value().find("update");
  return update != nullptr && update->is_integer() && update->integer() <= last_update;
}

void drop_later_lines(const std::string& path, int64_t last_update) {
  if (!std::filesystem::is_regular_file(path)) return;
  const auto file = value_or_throw(MappedFile::open(path));
  const std::string_view text(reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size());
  std::string kept;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) break;
    const std::string_view line = text.substr(begin, end - begin);
    if (is_kept(line, last_update)) kept.append(line).append("\n");
    begin = end + 1;
  }
  if (kept.size() != text.size()) throw_if_error(write_file_atomically(path, kept.data(), kept.size()));
}

}  // namespace

JsonLog::JsonLog(const std::string& path, int64_t last_update) : path_(path) {
  drop_later_lines(path, last_update);
  file_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (file_ < 0) throw Error(path + ": cannot open: " + std::strerror(errno));
}

JsonLog::~JsonLog() { ::close(file_); }

void JsonLog::write(const Json& line) {
  const std::string text = line.dump() + "\n";
  for (size_t done = 0; done < text.size();) {
    const ssize_t written = ::write(file_, text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) throw Error(path_ + ": cannot write: " + std::strerror(errno));
    done += static_cast<size_t>(written);
  }
}

}  // namespace litenat::train
