// numpy.random.default_rng(seed): PCG64 (O'Neill 2014) seeded through numpy's SeedSequence, so that resampling draws
// what sacreBLEU draws.
#pragma once

#include <cstddef>
#include <cstdint>

namespace litenat::eval {

class NumpyGenerator {
 public:
  explicit NumpyGenerator(uint64_t seed);

  uint64_t next64();
  /// The lower, then the upper half of a next64().
  uint32_t next32();
  /// One value of choice(n) or integers(n): uniform in [0, n), 0 < n <= 2^32 - 1, by Lemire's method (2019).
  uint32_t below(uint32_t n);

 private:
  __uint128_t state_ = 0;
  __uint128_t increment_ = 0;
  bool has_half_ = false;
  uint32_t half_ = 0;
};

/// The values of one call integers(2, dtype=bool): the bits of 32-bit words, lowest first.
class NumpyBits {
 public:
  explicit NumpyBits(NumpyGenerator* generator) : generator_(generator) {}
  bool next() {
    if (left_ == 0) {
      bits_ = generator_->next32();
      left_ = 32;
    }
    const bool bit = (bits_ & 1) != 0;
    bits_ >>= 1;
    --left_;
    return bit;
  }

 private:
  NumpyGenerator* generator_;
  uint32_t bits_ = 0;
  int left_ = 0;
};

}  // namespace litenat::eval
