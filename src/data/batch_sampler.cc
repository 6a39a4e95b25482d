#include "data/batch_sampler.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "base/error.h"
#include "data/numpy_random.h"

namespace litenat::data {
namespace {

void sort_by_length(Span<const int32_t> lengths, std::vector<int64_t>* order) {
  std::stable_sort(order->begin(), order->end(), [lengths](int64_t a, int64_t b) {
    return lengths[static_cast<size_t>(a)] < lengths[static_cast<size_t>(b)];
  });
}

/// fairseq's batch_by_size over sentences in `order` of `lengths` (by position in the order). It keeps a batch
/// [start, end) and a tail [end, position]: the tail joins the batch whenever both together have a good number of
/// sentences, and becomes the next batch when both together are too large.
class BatchCutter {
 public:
  BatchCutter(const std::vector<int64_t>& order, const BatchSpec& spec) : order_(order), spec_(spec) {}

  void add(size_t position, int64_t length) {
    tail_longest_ = std::max(tail_longest_, length);
    int64_t longest = std::max(batch_longest_, tail_longest_);
    const int64_t sentences = static_cast<int64_t>(position + 1 - start_);
    const bool overflow = (spec_.max_sentences > 0 && sentences > spec_.max_sentences) || too_large(sentences, longest);
    if (overflow) {
      if (too_large(static_cast<int64_t>(position + 1 - end_), tail_longest_)) {
        emit(end_);
        end_ = position;
        tail_longest_ = length;
      }
      emit(end_);
      longest = tail_longest_;
    }
    if (overflow || sentences < spec_.multiple || sentences % spec_.multiple == 0) {
      end_ = position + 1;
      batch_longest_ = longest;
      tail_longest_ = 0;
    }
  }

  std::vector<Batch> finish() {
    emit(end_);
    emit(order_.size());
    return std::move(batches_);
  }

 private:
  bool too_large(int64_t sentences, int64_t longest) const { return sentences * longest > spec_.max_tokens; }

  void emit(size_t end) {
    if (end == start_) return;
    batches_.emplace_back(order_.begin() + static_cast<std::ptrdiff_t>(start_),
                          order_.begin() + static_cast<std::ptrdiff_t>(end));
    start_ = end;
  }

  const std::vector<int64_t>& order_;
  const BatchSpec& spec_;
  std::vector<Batch> batches_;
  size_t start_ = 0, end_ = 0;
  int64_t batch_longest_ = 0, tail_longest_ = 0;
};

}  // namespace

std::vector<Batch> make_batches(Span<const int32_t> source_lengths, Span<const int32_t> target_lengths,
                                const BatchSpec& spec, bool shuffle, uint32_t seed, int64_t* num_skipped) {
  const bool has_targets = !target_lengths.empty();
  if (has_targets && target_lengths.size() != source_lengths.size())
    throw Error("expected as many targets as sources, found " + std::to_string(target_lengths.size()) + " and " +
                std::to_string(source_lengths.size()));
  const int64_t count = static_cast<int64_t>(source_lengths.size());
  std::vector<int64_t> order(source_lengths.size());
  std::iota(order.begin(), order.end(), 0);
  if (shuffle) order = NumpyRandom(seed).permutation(count);
  if (has_targets) sort_by_length(target_lengths, &order);
  sort_by_length(source_lengths, &order);

  const auto length = [&](int64_t i) {
    const size_t k = static_cast<size_t>(i);
    return has_targets ? std::max(source_lengths[k], target_lengths[k]) : source_lengths[k];
  };
  order.erase(std::remove_if(order.begin(), order.end(), [&](int64_t i) { return length(i) > spec.max_positions; }),
              order.end());
  if (num_skipped != nullptr) *num_skipped = count - static_cast<int64_t>(order.size());
  BatchCutter cutter(order, spec);
  for (size_t position = 0; position < order.size(); ++position) {
    const int32_t tokens = length(order[position]);
    if (tokens > spec.max_tokens)
      throw Error("sentence " + std::to_string(order[position]) + " has " + std::to_string(tokens) +
                  " tokens, more than max_tokens (" + std::to_string(spec.max_tokens) +
                  "); raise max_tokens or lower max_positions");
    cutter.add(position, tokens);
  }
  return cutter.finish();
}

std::vector<Batch> shard_epoch(const std::vector<Batch>& batches, uint32_t seed, int64_t epoch, int rank,
                               int num_ranks) {
  std::vector<size_t> order(batches.size());
  std::iota(order.begin(), order.end(), 0);
  NumpyRandom(static_cast<uint32_t>(seed + static_cast<uint64_t>(epoch))).shuffle(&order);
  const size_t ranks = static_cast<size_t>(num_ranks), first = static_cast<size_t>(rank);
  std::vector<Batch> shard((batches.size() + ranks - 1) / ranks);
  for (size_t i = 0; i < shard.size(); ++i)
    if (i * ranks + first < order.size()) shard[i] = batches[order[i * ranks + first]];
  return shard;
}

}  // namespace litenat::data
