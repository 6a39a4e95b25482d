// A small counter-based random generator: the same stream on every machine and thread count.
#pragma once

#include <cstdint>

namespace litenat {

/// SplitMix64 (Steele, Lea, Flood 2014). Cheap to seed: make one for each (seed, item) pair, and
/// what an item draws does not depend on which thread handles it.
class SplitMix64 {
 public:
  explicit SplitMix64(uint64_t seed) : state_(seed) {}
  SplitMix64(uint64_t seed, uint64_t stream) : state_(seed ^ mix(stream + 0x9E3779B97F4A7C15ull)) {}

  uint64_t next() { return mix(state_ += 0x9E3779B97F4A7C15ull); }
  /// Uniform in [0, 1), 53 bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  /// Uniform in [0, n); n > 0. The bias is below n / 2^64.
  uint64_t below(uint64_t n) { return static_cast<uint64_t>((static_cast<__uint128_t>(next()) * n) >> 64); }

 private:
  static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  uint64_t state_;
};

}  // namespace litenat
