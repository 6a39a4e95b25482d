#include "base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <atomic>
#include <cerrno>
#include <cstring>

namespace litenat {
namespace {

/// Unique among the threads of this process, and among processes by its number.
std::string temporary_name(const std::string& path) {
  static std::atomic<unsigned> counter{0};
  return path + ".tmp." + std::to_string(::getpid()) + "-" + std::to_string(counter.fetch_add(1));
}

/// Makes the renaming itself survive a loss of power. File systems that cannot do it for folders are not at fault.
void sync_folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

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
  temporary_ = temporary_name(path_);
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
  sync_folder_of(path_);
  return {};
}

Status write_file_atomically(const std::string& path, const void* data, size_t size) {
  AtomicFile file(path);
  LITENAT_RETURN_IF_ERROR(file.open());
  LITENAT_RETURN_IF_ERROR(file.write(data, size));
  return file.commit();
}

}  // namespace litenat
