// The hash table behind token dictionaries: open addressing over stored hashes; the tokens live elsewhere.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace litenat::text {

/// A 64-bit hash of the bytes of `token`. Stable within a process only: never store it.
inline uint64_t hash_token(std::string_view token) {
  constexpr uint64_t kMultiplier = 0x9E3779B97F4A7C15ull;
  const char* p = token.data();
  size_t left = token.size();
  uint64_t hash = left * kMultiplier;
  const auto mix = [&hash](uint64_t word) {
    const __uint128_t product = static_cast<__uint128_t>(hash ^ word) * 0xD6E8FEB86659FD93ull;
    hash = static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  };
  uint64_t word = 0;
  for (; left >= 8; left -= 8, p += 8) {
    std::memcpy(&word, p, 8);
    mix(word);
  }
  if (left >= 4) {  // two overlapping halves cover 4 to 7 bytes
    uint32_t first = 0, last = 0;
    std::memcpy(&first, p, 4);
    std::memcpy(&last, p + left - 4, 4);
    mix(static_cast<uint64_t>(last) << 32 | first);
  } else if (left > 0) {  // first, middle and last byte cover 1 to 3 bytes
    const auto byte = [p](size_t i) { return static_cast<uint64_t>(static_cast<unsigned char>(p[i])); };
    mix(byte(0) | byte(left / 2) << 8 | byte(left - 1) << 16);
  }
  return (hash ^ hash >> 29) * kMultiplier;
}

/// Maps hashes to the numbers 0, 1, 2... of items that the caller keeps. The caller compares the items.
class TokenTable {
 public:
  static constexpr int32_t kNone = -1;

  TokenTable() { slots_.resize(kInitialSlots); }

  /// The number that `matches` accepts among those inserted with `hash`, or kNone.
  template <typename Matches>
  int32_t find(uint64_t hash, Matches&& matches) const {
    for (size_t i = hash & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1)) {
      const Slot& slot = slots_[i];
      if (slot.number == kNone) return kNone;
      if (slot.hash == hash && matches(slot.number)) return slot.number;
    }
  }
  /// Adds `number`, which find() must not have found under `hash`.
  void insert(uint64_t hash, int32_t number) {
    if ((used_ + 1) * 2 > slots_.size()) grow();
    place({hash, number});
    ++used_;
  }
  /// Lets `hash` lead to `number` where it led to `old_number`.
  void replace(uint64_t hash, int32_t old_number, int32_t number) {
    for (size_t i = hash & (slots_.size() - 1);; i = (i + 1) & (slots_.size() - 1))
      if (slots_[i].number == old_number) {
        slots_[i].number = number;
        return;
      }
  }
  void clear() {
    slots_.assign(kInitialSlots, Slot{});
    used_ = 0;
  }

 private:
  static constexpr size_t kInitialSlots = 64;  // a power of two
  struct Slot {
    uint64_t hash = 0;
    int32_t number = kNone;
  };

  void place(const Slot& slot) {
    size_t i = slot.hash & (slots_.size() - 1);
    while (slots_[i].number != kNone) i = (i + 1) & (slots_.size() - 1);
    slots_[i] = slot;
  }
  void grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old)
      if (slot.number != kNone) place(slot);
  }

  std::vector<Slot> slots_;
  size_t used_ = 0;
};

}  // namespace litenat::text
