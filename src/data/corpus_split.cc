#include "data/corpus_split.h"

#include <algorithm>

#include "base/random.h"

namespace litenat::data {
namespace {

constexpr uint64_t kCountMask = 63;

}  // namespace

uint64_t hash_clause(Span<const char32_t> characters) {
  uint64_t hash = 0x9E3779B97F4A7C15ull + characters.size();
  for (const char32_t c : characters) {
    hash = (hash ^ c) * 0xD6E8FEB86659FD93ull;
    hash ^= hash >> 32;
  }
  return SplitMix64(hash).next();
}

int CopyCounter::add(uint64_t hash) {
  const uint64_t key = hash & ~kCountMask;
  for (size_t i = home(hash);; i = (i + 1) & (slots_.size() - 1)) {
    uint64_t& slot = slots_[i];
    if (slot == 0) {
      slot = key | 1;
      if (++used_ * 2 > slots_.size()) grow();
      return 0;
    }
    if ((slot & ~kCountMask) == key) {
      const auto count = static_cast<int>(slot & kCountMask);
      if (count < kMaxCopies) ++slot;
      return count;
    }
  }
}

void CopyCounter::grow() {
  std::vector<uint64_t> old(slots_.size() * 2);
  old.swap(slots_);
  for (const uint64_t slot : old) {
    if (slot == 0) continue;
    size_t i = home(slot);
    while (slots_[i] != 0) i = (i + 1) & (slots_.size() - 1);
    slots_[i] = slot;
  }
}

uint64_t HeldOutSample::priority(uint64_t hash) const { return SplitMix64(seed_, hash).next(); }

bool HeldOutSample::add(uint64_t priority, const ClauseLines& lines, HeldOutClause* evicted) {
  const auto known = by_priority_.find(priority);
  if (known != by_priority_.end()) {
    ++known->second.copies;
    return false;
  }
  by_priority_.emplace(priority, HeldOutClause{priority, 1, lines});
  highest_.push(priority);
  if (by_priority_.size() <= size_) return false;
  const auto last = by_priority_.find(highest_.top());
  *evicted = std::move(last->second);
  by_priority_.erase(last);
  highest_.pop();
  return true;
}

std::vector<HeldOutClause> HeldOutSample::take(size_t count, std::vector<HeldOutClause>* rest) {
  std::vector<HeldOutClause> all;
  for (auto& [priority, clause] : by_priority_) all.push_back(std::move(clause));
  by_priority_.clear();
  highest_ = {};
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.priority < b.priority; });
  const size_t kept = std::min(count, all.size());
  for (size_t i = kept; i < all.size(); ++i) rest->push_back(std::move(all[i]));
  all.resize(kept);
  return all;
}

}  // namespace litenat::data
