// What the kernels' tests share: memory that faults just outside its bounds, random matrices, and the list of tables.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace litenat::kernels {

/// Where an array lies between two inaccessible pages: one element beyond that edge faults.
enum class Edge { kFront, kBack };

/// `count` elements of T in pages of their own, filled with the byte 0xa5.
template <class T>
class GuardedArray {
 public:
  explicit GuardedArray(int64_t count, Edge edge = Edge::kBack) : bytes_(static_cast<size_t>(count) * sizeof(T)) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t body = (bytes_ + page - 1) / page * page;
    mapped_ = body + 2 * page;
    base_ = static_cast<char*>(mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (base_ == MAP_FAILED || (body > 0 && mprotect(base_ + page, body, PROT_READ | PROT_WRITE) != 0)) std::abort();
    if (body > 0) std::memset(base_ + page, 0xa5, body);
    data_ = reinterpret_cast<T*>(edge == Edge::kFront ? base_ + page : base_ + page + body - bytes_);
  }
  ~GuardedArray() { munmap(base_, mapped_); }
  GuardedArray(const GuardedArray&) = delete;
  GuardedArray& operator=(const GuardedArray&) = delete;

  T* data() { return data_; }
  T& operator[](int64_t i) { return data_[i]; }
  size_t size() const { return bytes_ / sizeof(T); }
  T* begin() { return data_; }
  T* end() { return data_ + size(); }

  /// The same bits everywhere: what lies between the rows counts too.
  bool same_bits(const GuardedArray& other) const {
    return bytes_ == other.bytes_ && std::memcmp(data_, other.data_, bytes_) == 0;
  }

 private:
  char* base_;
  size_t mapped_;
  size_t bytes_;
  T* data_;
};

/// Elements of a matrix without the gap after its last row.
inline int64_t matrix_size(int64_t rows, int64_t columns, int64_t stride) {
  return rows == 0 || columns == 0 ? 0 : (rows - 1) * stride + columns;
}

/// A float matrix at the edge of accessible memory.
class GuardedMatrix : public GuardedArray<float> {
 public:
  GuardedMatrix(int64_t rows, int64_t columns, int64_t stride, Edge edge = Edge::kBack)
      : GuardedArray<float>(matrix_size(rows, columns, stride), edge) {}

  template <class Random>
  GuardedMatrix& fill(Random& random, float deviation = 1.0f) {
    std::normal_distribution<float> normal(0.0f, deviation);
    for (float& v : *this) v = normal(random);
    return *this;
  }
};

inline std::vector<const Kernels*> all_tables() {
  int count = 0;
  const Kernels* const* tables = available_kernels(&count);
  return {tables, tables + count};
}

inline const Kernels& scalar_table() { return *all_tables().front(); }

/// A test that runs once for every table of this build that this CPU can run.
class TableTest : public testing::TestWithParam<const Kernels*> {
 protected:
  const Kernels& table() const { return *GetParam(); }
  const Kernels& scalar() const { return scalar_table(); }
  std::mt19937 random_{20240229};
};

inline std::string table_name(const testing::TestParamInfo<const Kernels*>& info) { return name_of(info.param->isa); }

#define LITENAT_INSTANTIATE_FOR_TABLES(Suite) \
  INSTANTIATE_TEST_SUITE_P(Tables, Suite, testing::ValuesIn(all_tables()), table_name)

}  // namespace litenat::kernels
