#include "eval/numpy_generator.h"

#include <array>

namespace litenat::eval {
namespace {

/// numpy.random.SeedSequence(seed).generate_state(8): words that depend on every bit of the seed.
class SeedSequence {
 public:
  explicit SeedSequence(uint64_t seed) {
    const std::array<uint32_t, 4> entropy = {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32), 0, 0};
    for (size_t i = 0; i < pool_.size(); ++i) pool_[i] = hash(entropy[i]);
    for (size_t source = 0; source < pool_.size(); ++source)
      for (size_t target = 0; target < pool_.size(); ++target)
        if (source != target) pool_[target] = mix(pool_[target], hash(pool_[source]));
  }
  std::array<uint32_t, 8> words() const {
    constexpr uint32_t kMultiplier = 0x58F38DED;
    uint32_t constant = 0x8B51F9DD;
    std::array<uint32_t, 8> words{};
    for (size_t i = 0; i < words.size(); ++i) {
      uint32_t value = pool_[i % pool_.size()] ^ constant;
      constant *= kMultiplier;
      value *= constant;
      words[i] = value ^ (value >> 16);
    }
    return words;
  }

 private:
  uint32_t hash(uint32_t value) {
    constexpr uint32_t kMultiplier = 0x931E8875;
    value ^= hash_constant_;
    hash_constant_ *= kMultiplier;
    value *= hash_constant_;
    return value ^ (value >> 16);
  }
  static uint32_t mix(uint32_t x, uint32_t y) {
    const uint32_t value = 0xCA01F9DDu * x - 0x4973F715u * y;
    return value ^ (value >> 16);
  }
  uint32_t hash_constant_ = 0x43B0D7E5;
  std::array<uint32_t, 4> pool_{};
};

constexpr __uint128_t kMultiplier = static_cast<__uint128_t>(0x2360ED051FC65DA4ull) << 64 | 0x4385DF649FCCF645ull;

}  // namespace

NumpyGenerator::NumpyGenerator(uint64_t seed) {
  const std::array<uint32_t, 8> words = SeedSequence(seed).words();
  const auto wide = [&](size_t first) {
    const uint64_t high = static_cast<uint64_t>(words[first + 1]) << 32 | words[first];
    const uint64_t low = static_cast<uint64_t>(words[first + 3]) << 32 | words[first + 2];
    return static_cast<__uint128_t>(high) << 64 | low;
  };
  increment_ = wide(4) << 1 | 1;
  state_ = (increment_ + wide(0)) * kMultiplier + increment_;
}

uint64_t NumpyGenerator::next64() {
  state_ = state_ * kMultiplier + increment_;
  const uint64_t folded = static_cast<uint64_t>(state_ >> 64) ^ static_cast<uint64_t>(state_);
  const auto rotation = static_cast<unsigned>(state_ >> 122);
  return folded >> rotation | folded << ((64 - rotation) & 63);
}

uint32_t NumpyGenerator::next32() {
  if (has_half_) {
    has_half_ = false;
    return half_;
  }
  const uint64_t value = next64();
  has_half_ = true;
  half_ = static_cast<uint32_t>(value >> 32);
  return static_cast<uint32_t>(value);
}

uint32_t NumpyGenerator::below(uint32_t n) {
  if (n == 1) return 0;  // numpy draws nothing then
  uint64_t product = static_cast<uint64_t>(next32()) * n;
  if (static_cast<uint32_t>(product) < n) {
    const uint32_t threshold = (0u - n) % n;
    while (static_cast<uint32_t>(product) < threshold) product = static_cast<uint64_t>(next32()) * n;
  }
  return static_cast<uint32_t>(product >> 32);
}

}  // namespace litenat::eval
