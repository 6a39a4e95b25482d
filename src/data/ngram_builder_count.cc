// NgramCounter: sentences to sorted, counted n-grams.
#include <algorithm>

#include "data/ngram_builder.h"

namespace litenat::data {
namespace {

using Counted = NgramCounter::Counted;
constexpr size_t kPendingLimit = size_t{1} << 22;

// Adds up the counts of equal keys of a sorted list.
void collapse(std::vector<Counted>* list) {
  size_t kept = 0;
  for (size_t i = 0; i < list->size(); ++i) {
    if (kept > 0 && (*list)[kept - 1].key == (*list)[i].key) {
      (*list)[kept - 1].count += (*list)[i].count;
    } else {
      (*list)[kept++] = (*list)[i];
    }
  }
  list->resize(kept);
}

bool key_less(const Counted& a, const Counted& b) { return a.key < b.key; }

// Sorts `pending` into the sorted `full`.
void merge_into(std::vector<Counted>* pending, std::vector<Counted>* full) {
  std::sort(pending->begin(), pending->end(), key_less);
  collapse(pending);
  std::vector<Counted> merged;
  merged.reserve(full->size() + pending->size());
  std::merge(full->begin(), full->end(), pending->begin(), pending->end(), std::back_inserter(merged), key_less);
  collapse(&merged);
  *full = std::move(merged);
  pending->clear();
}

}  // namespace

NgramCounter::NgramCounter(uint32_t vocabulary, int order) : vocabulary_(vocabulary), order_(order) {}

void NgramCounter::add(Span<const uint32_t> sentence, uint32_t count) {
  padded_.assign(1, vocabulary_);
  for (const uint32_t id : sentence) padded_.push_back(id < vocabulary_ ? id : vocabulary_ + 2);
  padded_.push_back(vocabulary_ + 1);
  for (size_t end = 2; end <= padded_.size(); ++end) add_window(padded_, end, count);
  if (pending_.size() >= kPendingLimit) merge_into(&pending_, &full_);
}

// The n-gram that ends before `end`: of full length, or shorter where the sentence begins.
void NgramCounter::add_window(Span<const uint32_t> padded, size_t end, uint32_t count) {
  const size_t length = std::min(end, static_cast<size_t>(order_));
  Counted counted{{}, count};
  std::copy(padded.begin() + (end - length), padded.begin() + end, counted.key.begin());
  const bool is_full = length == static_cast<size_t>(order_);
  auto& list = is_full ? pending_ : starts_[length - 1];
  list.push_back(counted);
  if (!is_full && list.size() >= kPendingLimit) {
    std::sort(list.begin(), list.end(), key_less);
    collapse(&list);
  }
}

std::vector<Counted> NgramCounter::take_full() {
  merge_into(&pending_, &full_);
  return std::move(full_);
}

std::vector<Counted> NgramCounter::take_starts(int length) {
  auto& list = starts_[static_cast<size_t>(length - 1)];
  std::sort(list.begin(), list.end(), key_less);
  collapse(&list);
  return std::move(list);
}

}  // namespace litenat::data
