// Memory whose first byte lies on a cache line; growing it loses the contents.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include "base/status.h"

namespace litenat::runtime {

template <typename T>
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  ~AlignedBuffer() { release(); }
  AlignedBuffer(AlignedBuffer&& other) noexcept : data_(other.data_), size_(other.size_) {
    other.data_ = nullptr;
    other.size_ = 0;
  }
  AlignedBuffer& operator=(AlignedBuffer&&) = delete;
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;

  /// Makes room for `size` values. When that needs new memory, the old contents are gone.
  Status reserve(int64_t size) {
    if (size <= size_) return {};
    release();
    if (size > static_cast<int64_t>(PTRDIFF_MAX / sizeof(T))) return out_of_memory(size);
    data_ = static_cast<T*>(::operator new(static_cast<size_t>(size) * sizeof(T), kAlignment, std::nothrow));
    if (data_ == nullptr) return out_of_memory(size);
    size_ = size;
    return {};
  }

  T* data() const { return data_; }
  int64_t size() const { return size_; }

 private:
  static constexpr std::align_val_t kAlignment{64};

  static Status out_of_memory(int64_t size) {
    return {StatusCode::kOutOfMemory,
            "no memory for " + std::to_string(size) + " values of " + std::to_string(sizeof(T)) + " bytes"};
  }
  void release() {
    ::operator delete(data_, kAlignment);
    data_ = nullptr;
    size_ = 0;
  }

  T* data_ = nullptr;
  int64_t size_ = 0;
};

}  // namespace litenat::runtime
