// A read-only memory mapping of a whole file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/span.h"
#include "base/status.h"

namespace litenat {

/// Owns the mapping; bytes() stays valid for the object's life. An empty file maps to no bytes.
class MappedFile {
 public:
  /// Maps `path`. Errors: kNotFound, kIo, kInvalidArgument (not a regular file).
  static Result<std::shared_ptr<const MappedFile>> open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  Span<const uint8_t> bytes() const { return {data_, size_}; }
  const std::string& path() const { return path_; }

 private:
  MappedFile(std::string path, const uint8_t* data, size_t size) : path_(std::move(path)), data_(data), size_(size) {}
  std::string path_;
  const uint8_t* data_;
  size_t size_;
};

}  // namespace litenat
