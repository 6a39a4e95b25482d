// numpy's legacy generator (numpy.random.RandomState), of which fairseq's orders are drawn.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/span.h"

namespace litenat::data {

/// MT19937 (Matsumoto, Nishimura 1998) with the seeding and the draws of numpy.random.RandomState.
class NumpyRandom {
 public:
  /// RandomState(seed) for an integer seed.
  explicit NumpyRandom(uint32_t seed);
  /// RandomState([key, ...]) for a list of at least one integer.
  explicit NumpyRandom(Span<const uint32_t> key);

  /// The next 32 random bits.
  uint32_t next();
  /// Uniform in [0, max], by rejection as RandomState.shuffle draws it.
  uint64_t interval(uint64_t max);
  /// RandomState.shuffle: in place.
  template <typename T>
  void shuffle(std::vector<T>* items) {
    for (size_t i = items->size(); i-- > 1;) {
      using std::swap;
      const size_t j = static_cast<size_t>(interval(i));
      if (i != j) swap((*items)[i], (*items)[j]);
    }
  }
  /// RandomState.permutation(n): 0 .. n - 1 shuffled.
  std::vector<int64_t> permutation(int64_t n);

 private:
  static constexpr size_t kStateSize = 624;
  void seed(uint32_t seed);
  void refill();

  uint32_t state_[kStateSize];
  size_t position_ = kStateSize;
};

}  // namespace litenat::data
