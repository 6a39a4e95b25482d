// log.jsonl: one JSON object a line, appended while training runs.
#pragma once

#include <cstdint>
#include <string>

#include "base/json.h"

namespace litenat::train {

class JsonLog {
 public:
  /// Opens `path` to append. Lines about updates after `last_update` (written by a process that was killed before its
  /// next checkpoint) and a cut last line are removed first. Throws Error.
  JsonLog(const std::string& path, int64_t last_update);
  ~JsonLog();
  JsonLog(const JsonLog&) = delete;
  JsonLog& operator=(const JsonLog&) = delete;

  /// Appends one line; it is with the operating system when this returns. Throws Error (a full disk).
  void write(const Json& line);

 private:
  std::string path_;
  int file_;
};

}  // namespace litenat::train
