// Counting the n-grams of a sequence, for BLEU and chrF.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace litenat::eval {

/// n-gram (its tokens' bytes, each ended by a byte that no token holds) -> how often.
using NgramCounts = std::unordered_map<std::string, int64_t>;

/// The n-grams of `tokens` of exactly `order` tokens. Tokens are UTF-8, so the byte 0xFF ends them unambiguously.
inline NgramCounts count_ngrams(const std::vector<std::string>& tokens, size_t order) {
  NgramCounts counts;
  std::string key;
  for (size_t first = 0; first + order <= tokens.size(); ++first) {
    key.clear();
    for (size_t i = first; i < first + order; ++i) (key += tokens[i]) += '\xFF';
    ++counts[key];
  }
  return counts;
}

/// Sum over the n-grams of `a` of the lesser of both counts.
inline int64_t count_matches(const NgramCounts& a, const NgramCounts& b) {
  int64_t matches = 0;
  for (const auto& [ngram, count] : a) {
    const auto found = b.find(ngram);
    if (found != b.end()) matches += count < found->second ? count : found->second;
  }
  return matches;
}

}  // namespace litenat::eval
