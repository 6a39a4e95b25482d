#include "runtime/candidates.h"

#include <algorithm>
#include <cmath>

namespace litenat::runtime {
namespace {

constexpr int64_t kGroup = 64;                // logits that are passed over together when their largest is too small
constexpr int64_t kParallelLogits = 1 << 16;  // below which waking threads costs more than it saves

/// The order of candidates: by logit, then the lower token. The first of a heap so ordered is the worst.
bool is_better(const std::pair<float, int32_t>& a, const std::pair<float, int32_t>& b) {
  return a.first > b.first || (a.first == b.first && a.second < b.second);
}

}  // namespace

Status Candidates::begin(int64_t rows, int32_t k, Span<const int32_t> wanted) {
  rows_ = rows;
  k_ = k;
  wanted_tokens_ = wanted;
  LITENAT_RETURN_IF_ERROR(tokens_.reserve(rows * k_));
  LITENAT_RETURN_IF_ERROR(logits_.reserve(rows * k_));
  LITENAT_RETURN_IF_ERROR(log_sum_.reserve(rows));
  return wanted_.reserve(static_cast<int64_t>(wanted.size()));
}

bool Candidates::add(const kernels::Kernels& kernels, ThreadPool* threads, const float* logits, int64_t first,
                     int64_t rows, int64_t vocabulary) {
  const int64_t parts = rows * vocabulary < kParallelLogits ? 1 : std::min<int64_t>(threads->num_threads(), rows);
  if (scratch_.size() < static_cast<size_t>(parts)) scratch_.resize(static_cast<size_t>(parts));
  std::vector<char> finite(static_cast<size_t>(parts), 1);
  threads->run(static_cast<int>(parts), [&](int part) {
    const size_t p = static_cast<size_t>(part);
    for (int64_t row = rows * part / parts; row < rows * (part + 1) / parts && finite[p]; ++row)
      finite[p] = add_row(kernels, logits + row * vocabulary, first + row, vocabulary, &scratch_[p]) ? 1 : 0;
  });
  return std::all_of(finite.begin(), finite.end(), [](char ok) { return ok != 0; });
}

bool Candidates::add_row(const kernels::Kernels& kernels, const float* logits, int64_t row, int64_t vocabulary,
                         Scratch* scratch) {
  const float log_sum = log_sum_.data()[row] = kernels.log_sum_exp(logits, vocabulary);
  bool finite = std::isfinite(log_sum);
  if (!wanted_tokens_.empty()) {
    const float wanted = wanted_.data()[row] = logits[wanted_tokens_[static_cast<size_t>(row)]];
    finite = finite && std::isfinite(wanted);
  }
  if (!finite || k_ == 0) return finite;
  find_best(kernels, logits, vocabulary, scratch);
  for (int64_t i = 0; i < k_; ++i) {
    const Candidate& candidate = scratch->heap[static_cast<size_t>(i)];
    logits_.data()[row * k_ + i] = candidate.first;
    tokens_.data()[row * k_ + i] = candidate.second;
  }
  return std::isfinite(scratch->heap.back().first);
}

/// Leaves the k best in scratch->heap, best first. Groups are skipped whose largest logit cannot enter: a later token
/// loses against an equal one.
void Candidates::find_best(const kernels::Kernels& kernels, const float* logits, int64_t vocabulary,
                           Scratch* scratch) const {
  std::vector<Candidate>& heap = scratch->heap;
  scratch->maxima.resize(static_cast<size_t>((vocabulary + kGroup - 1) / kGroup));
  kernels.max_groups(logits, vocabulary, kGroup, scratch->maxima.data());
  const size_t k = static_cast<size_t>(k_);
  heap.clear();
  for (int64_t first = 0; first < vocabulary; first += kGroup) {
    if (heap.size() == k && !(scratch->maxima[static_cast<size_t>(first / kGroup)] > heap.front().first)) continue;
    for (int64_t token = first; token < std::min(first + kGroup, vocabulary); ++token) {
      if (heap.size() == k) {
        if (!(logits[token] > heap.front().first)) continue;
        std::pop_heap(heap.begin(), heap.end(), is_better);
        heap.pop_back();
      }
      heap.emplace_back(logits[token], static_cast<int32_t>(token));
      std::push_heap(heap.begin(), heap.end(), is_better);
    }
  }
  std::sort_heap(heap.begin(), heap.end(), is_better);
}

decode::RowCandidates Candidates::results() const {
  const size_t rows = static_cast<size_t>(rows_);
  const size_t all = static_cast<size_t>(rows_ * k_);
  return {static_cast<int32_t>(k_),
          {tokens_.data(), all},
          {logits_.data(), all},
          {log_sum_.data(), rows},
          {wanted_.data(), wanted_tokens_.size()}};
}

}  // namespace litenat::runtime
