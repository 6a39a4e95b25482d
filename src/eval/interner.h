// Numbers for equal things: the core of counting n-grams.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace litenat::eval {

inline uint64_t hash_of(uint64_t key) {
  key = (key ^ (key >> 32)) * 0x9E3779B97F4A7C15ull;
  return key ^ (key >> 29);
}
inline uint64_t hash_of(std::string_view key) {
  uint64_t hash = key.size();
  for (; key.size() >= 8; key.remove_prefix(8)) {
    uint64_t word = 0;
    std::memcpy(&word, key.data(), 8);
    hash = hash_of(hash ^ word);
  }
  uint64_t word = 0;
  std::memcpy(&word, key.data(), key.size());
  return hash_of(hash ^ word);
}

/// Gives each distinct key the next number 0, 1, 2, ... A string_view key must outlive the interner.
template <typename Key>
class Interner {
 public:
  /// Room for `max_keys` distinct keys.
  explicit Interner(size_t max_keys) { reset(max_keys); }
  /// Forgets all keys.
  void reset(size_t max_keys) {
    size_t slots = 16;
    while (slots < 2 * max_keys) slots *= 2;
    slots_.assign(slots, kEmpty);
    keys_.clear();
  }
  /// The number of `key`; at most max_keys distinct ones may be asked for.
  int32_t intern(Key key) {
    const size_t mask = slots_.size() - 1;
    for (size_t slot = hash_of(key) & mask;; slot = (slot + 1) & mask) {
      if (slots_[slot] == kEmpty) {
        slots_[slot] = static_cast<int32_t>(keys_.size());
        keys_.push_back(key);
        return slots_[slot];
      }
      if (keys_[static_cast<size_t>(slots_[slot])] == key) return slots_[slot];
    }
  }
  size_t size() const { return keys_.size(); }

 private:
  static constexpr int32_t kEmpty = -1;
  std::vector<int32_t> slots_;
  std::vector<Key> keys_;
};

}  // namespace litenat::eval
