// A view of contiguous values that it does not own (std::span is C++20; the runtime is C++17).
#pragma once

#include <cstddef>
#include <type_traits>
#include <vector>

namespace litenat {

template <typename T>
class Span {
 public:
  constexpr Span() = default;
  constexpr Span(T* data, size_t size) : data_(data), size_(size) {}
  template <typename U, typename = std::enable_if_t<std::is_same_v<std::remove_const_t<T>, U>>>
  Span(std::vector<U>& v) : data_(v.data()), size_(v.size()) {}  // NOLINT: implicit on purpose
  template <typename U, typename = std::enable_if_t<std::is_same_v<T, const U>>>
  Span(const std::vector<U>& v) : data_(v.data()), size_(v.size()) {}  // NOLINT
  template <typename U, typename = std::enable_if_t<std::is_same_v<T, const U>>>
  constexpr Span(Span<U> other) : data_(other.data()), size_(other.size()) {}  // NOLINT

  constexpr T* data() const { return data_; }
  constexpr size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr T& operator[](size_t i) const { return data_[i]; }
  constexpr T* begin() const { return data_; }
  constexpr T* end() const { return data_ + size_; }
  /// Elements [first, first + count); the caller keeps the range inside the span.
  constexpr Span subspan(size_t first, size_t count) const { return {data_ + first, count}; }

 private:
  T* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace litenat
