#include "data/numpy_random.h"

#include <algorithm>
#include <numeric>

namespace litenat::data {
namespace {

constexpr size_t kShift = 397;  // the "M" of MT19937

uint32_t twist(uint32_t high, uint32_t low) {
  const uint32_t y = (high & 0x80000000u) | (low & 0x7FFFFFFFu);
  return (y >> 1) ^ ((y & 1u) != 0 ? 0x9908B0DFu : 0u);
}

}  // namespace

NumpyRandom::NumpyRandom(uint32_t seed_value) { seed(seed_value); }

void NumpyRandom::seed(uint32_t seed) {
  for (size_t i = 0; i < kStateSize; ++i) {
    state_[i] = seed;
    seed = 1812433253u * (seed ^ (seed >> 30)) + static_cast<uint32_t>(i) + 1;
  }
  position_ = kStateSize;
}

NumpyRandom::NumpyRandom(Span<const uint32_t> key) {
  seed(19650218u);
  size_t i = 1, j = 0;
  const auto mix = [&](uint32_t multiplier) {
    return state_[i] ^ ((state_[i - 1] ^ (state_[i - 1] >> 30)) * multiplier);
  };
  const auto step = [&] {
    if (++i < kStateSize) return;
    state_[0] = state_[kStateSize - 1];
    i = 1;
  };
  for (size_t k = std::max(kStateSize, key.size()); k > 0; --k) {
    state_[i] = mix(1664525u) + key[j] + static_cast<uint32_t>(j);
    step();
    if (++j == key.size()) j = 0;
  }
  for (size_t k = kStateSize - 1; k > 0; --k) {
    state_[i] = mix(1566083941u) - static_cast<uint32_t>(i);
    step();
  }
  state_[0] = 0x80000000u;
}

void NumpyRandom::refill() {
  for (size_t i = 0; i < kStateSize; ++i)
    state_[i] = state_[(i + kShift) % kStateSize] ^ twist(state_[i], state_[(i + 1) % kStateSize]);
  position_ = 0;
}

uint32_t NumpyRandom::next() {
  if (position_ == kStateSize) refill();
  uint32_t y = state_[position_++];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9D2C5680u;
  y ^= (y << 15) & 0xEFC60000u;
  return y ^ (y >> 18);
}

uint64_t NumpyRandom::interval(uint64_t max) {
  if (max == 0) return 0;
  uint64_t mask = max;
  for (int shift = 1; shift < 64; shift *= 2) mask |= mask >> shift;
  const auto draw = [&]() -> uint64_t {
    if (max <= 0xFFFFFFFFull) return next();
    const uint64_t high = next();  // numpy takes the upper half first
    return high << 32 | next();
  };
  uint64_t value = draw() & mask;
  while (value > max) value = draw() & mask;
  return value;
}

std::vector<int64_t> NumpyRandom::permutation(int64_t n) {
  std::vector<int64_t> items(static_cast<size_t>(n));
  std::iota(items.begin(), items.end(), 0);
  shuffle(&items);
  return items;
}

}  // namespace litenat::data
