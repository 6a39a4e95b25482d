// Writing files so that no reader ever sees half of one.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include "base/span.h"
#include "base/status.h"

namespace litenat {

/// Writes to `path`.tmp.<pid> beside the target; commit() flushes to disk and renames over `path`.
/// Destroyed without commit(), it removes the temporary file and leaves `path` as it was.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path) : path_(std::move(path)) {}
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Creates the temporary file. Call before the first write.
  Status open();
  Status write(const void* data, size_t size);
  Status write(const std::string& text) { return write(text.data(), text.size()); }
  /// Bytes written so far.
  uint64_t position() const { return position_; }
  /// fsync, close, rename. After an error the target is untouched.
  Status commit();

 private:
  Status fail(const char* what);
  std::string path_;
  std::string temporary_;
  std::FILE* file_ = nullptr;
  uint64_t position_ = 0;
};

/// Replaces `path` by `size` bytes of `data`, atomically.
Status write_file_atomically(const std::string& path, const void* data, size_t size);

}  // namespace litenat
