// Inputs and results of models with a decoder, for tests.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <vector>

#include "base/random.h"
#include "runtime/sequence_executor.h"

namespace litenat::runtime::testing {

/// Packed rows of several sentences, or of several decoder inputs and the sentences that they belong to.
struct Items {
  std::vector<int32_t> ids;
  std::vector<int32_t> lengths;
  std::vector<int32_t> sentences;

  size_t begin(size_t item) const {
    size_t sum = 0;
    for (size_t i = 0; i < item; ++i) sum += static_cast<size_t>(lengths[i]);
    return sum;
  }
  std::vector<int32_t> item(size_t i) const {
    return {ids.begin() + static_cast<int64_t>(begin(i)), ids.begin() + static_cast<int64_t>(begin(i + 1))};
  }
};

inline std::vector<int32_t> random_tokens(int64_t vocabulary, size_t count, SplitMix64* random) {
  std::vector<int32_t> tokens(count);
  for (int32_t& token : tokens) token = static_cast<int32_t>(random->below(static_cast<uint64_t>(vocabulary)));
  return tokens;
}

inline Items random_items(int64_t vocabulary, std::vector<int32_t> lengths, uint64_t seed) {
  SplitMix64 random(seed);
  Items items;
  items.lengths = std::move(lengths);
  items.ids = random_tokens(vocabulary, items.begin(items.lengths.size()), &random);
  return items;
}

/// All logits of rows [rows, vocabulary], and the sums.
struct RowResults {
  size_t vocabulary = 0;
  std::vector<float> logits;
  std::vector<float> log_sum;

  RowResults rows(size_t first, size_t count) const {
    const auto at = [](const std::vector<float>& values, size_t begin, size_t end) {
      return std::vector<float>(values.begin() + static_cast<int64_t>(begin),
                                values.begin() + static_cast<int64_t>(end));
    };
    return {vocabulary, at(logits, first * vocabulary, (first + count) * vocabulary),
            at(log_sum, first, first + count)};
  }
  /// Bit for bit.
  bool operator==(const RowResults& o) const {
    const auto same = [](const std::vector<float>& a, const std::vector<float>& b) {
      return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
    };
    return same(logits, o.logits) && same(log_sum, o.log_sum);
  }
};

/// The logits by token of candidates that are the whole vocabulary.
inline RowResults dense(const decode::RowCandidates& candidates) {
  RowResults result;
  const size_t vocabulary = result.vocabulary = static_cast<size_t>(candidates.per_row);
  result.logits.resize(candidates.logits.size());
  for (size_t i = 0; i < candidates.logits.size(); ++i)
    result.logits[i / vocabulary * vocabulary + static_cast<size_t>(candidates.tokens[i])] = candidates.logits[i];
  result.log_sum.assign(candidates.log_sum.begin(), candidates.log_sum.end());
  return result;
}

inline RowResults decode_all(SequenceExecutor* executor, const Items& items) {
  Result<decode::RowCandidates> candidates =
      executor->decode(items.ids, items.lengths, items.sentences, executor->traits().target_vocabulary, {});
  EXPECT_TRUE(candidates.ok()) << candidates.status().message();
  return candidates.ok() ? dense(candidates.value()) : RowResults();
}

inline std::unique_ptr<SequenceExecutor> make_sequence_executor(const std::shared_ptr<const Model>& model,
                                                                int num_threads = 1,
                                                                const kernels::Kernels* kernels = nullptr) {
  Result<std::unique_ptr<SequenceExecutor>> executor = SequenceExecutor::create(model, num_threads, kernels);
  EXPECT_TRUE(executor.ok()) << executor.status().message();
  return std::move(executor).value();
}

}  // namespace litenat::runtime::testing
