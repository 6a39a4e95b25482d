#include "base/atomic_file.h"

#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>

namespace litenat {

AtomicFile::~AtomicFile() {
  if (file_ != nullptr) std::fclose(file_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Status AtomicFile::fail(const char* what) {
  return io_error(std::string("cannot ") + what + " " + path_ + ": " + std::strerror(errno));
}

Status AtomicFile::open() {
  struct stat info = {};
  if (::stat(path_.c_str(), &info) == 0 && !S_ISREG(info.st_mode))  // renaming over a device would replace it
    return invalid_argument("cannot write " + path_ + ": expected a regular file or none, found something else");
  temporary_ = path_ + ".tmp." + std::to_string(::getpid());
  file_ = std::fopen(temporary_.c_str(), "wbe");
  if (file_ == nullptr) {
    temporary_.clear();
    return fail("create");
  }
  return {};
}

Status AtomicFile::write(const void* data, size_t size) {
  if (file_ == nullptr) return internal_error("write to a file that is not open: " + path_);
  if (size > 0 && std::fwrite(data, 1, size, file_) != size) return fail("write");
  position_ += size;
  return {};
}

Status AtomicFile::commit() {
  if (file_ == nullptr) return internal_error("commit of a file that is not open: " + path_);
  std::FILE* file = file_;
  file_ = nullptr;
  const bool flushed = std::fflush(file) == 0 && ::fsync(::fileno(file)) == 0;
  const int saved = errno;
  const bool closed = std::fclose(file) == 0;
  if (!flushed) errno = saved;
  if (!flushed || !closed) return fail("write");
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) return fail("rename to");
  temporary_.clear();
  return {};
}

Status write_file_atomically(const std::string& path, const void* data, size_t size) {
  AtomicFile file(path);
  LITENAT_RETURN_IF_ERROR(file.open());
  LITENAT_RETURN_IF_ERROR(file.write(data, size));
  return file.commit();
}

}  // namespace litenat
