#include "eval/bleu.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "eval/ngram_counts.h"

namespace litenat::eval {
namespace {

/// The reference length nearest to that of the hypothesis; ties: the shorter.
int64_t closest_length(int64_t length, const std::vector<std::vector<std::string>>& references) {
  int64_t best = static_cast<int64_t>(references[0].size());
  for (const auto& reference : references) {
    const int64_t candidate = static_cast<int64_t>(reference.size());
    const int64_t difference = std::llabs(candidate - length);
    const int64_t best_difference = std::llabs(best - length);
    if (difference < best_difference || (difference == best_difference && candidate < best)) best = candidate;
  }
  return best;
}

/// Each n-gram with its highest count in any reference.
NgramCounts merged_counts(const std::vector<std::vector<std::string>>& references, size_t order) {
  NgramCounts merged = count_ngrams(references[0], order);
  for (size_t i = 1; i < references.size(); ++i) {
    for (const auto& [ngram, count] : count_ngrams(references[i], order)) {
      int64_t& highest = merged[ngram];
      highest = std::max(highest, count);
    }
  }
  return merged;
}

}  // namespace

std::string references_field(size_t num_references, bool varying) {
  return "nrefs:" + (varying ? std::string("var") : std::to_string(num_references));
}

void Bleu::add(std::string_view hypothesis, const std::vector<std::string>& references) {
  const std::vector<std::string> tokens = tokenize(tokenizer_, hypothesis);
  std::vector<std::vector<std::string>> reference_tokens;
  for (const std::string& reference : references) reference_tokens.push_back(tokenize(tokenizer_, reference));
  const int64_t length = static_cast<int64_t>(tokens.size());
  hypothesis_length_ += length;
  reference_length_ += closest_length(length, reference_tokens);
  for (size_t order = 1; order <= total_.size(); ++order) {
    total_[order - 1] += std::max<int64_t>(0, length - static_cast<int64_t>(order) + 1);
    correct_[order - 1] += count_matches(count_ngrams(tokens, order), merged_counts(reference_tokens, order));
  }
  varying_ = varying_ || (num_references_ != 0 && num_references_ != references.size());
  num_references_ = references.size();
}

BleuScore Bleu::score() const {
  BleuScore result;
  result.hypothesis_length = hypothesis_length_;
  result.reference_length = reference_length_;
  result.brevity_penalty = 1.0;
  if (hypothesis_length_ < reference_length_) {
    const double ratio = static_cast<double>(reference_length_) / static_cast<double>(hypothesis_length_);
    result.brevity_penalty = hypothesis_length_ > 0 ? std::exp(1.0 - ratio) : 0.0;
  }
  if (std::all_of(correct_.begin(), correct_.end(), [](int64_t count) { return count == 0; })) return result;
  double smoothing = 1.0;
  double log_sum = 0.0;
  for (size_t n = 0; n < total_.size(); ++n) {
    if (total_[n] == 0) return result;  // no n-gram of this order: the geometric mean is 0
    if (correct_[n] == 0) smoothing *= 2.0;
    const double hits = correct_[n] == 0 ? 1.0 / smoothing : static_cast<double>(correct_[n]);
    result.precisions[n] = 100.0 * hits / static_cast<double>(total_[n]);
    log_sum += std::log(result.precisions[n]);
  }
  result.score = result.brevity_penalty * std::exp(log_sum / static_cast<double>(total_.size()));
  return result;
}

std::string Bleu::signature() const {
  return references_field(num_references_, varying_) + "|case:mixed|eff:no|tok:" + kTokenizerNames.name(tokenizer_) +
         "|smooth:exp|version:" + kSacrebleuVersion;
}

std::string BleuScore::format() const {
  char text[256];
  const double ratio =
      reference_length == 0 ? 0.0 : static_cast<double>(hypothesis_length) / static_cast<double>(reference_length);
  std::snprintf(text, sizeof(text), "%.2f %.1f/%.1f/%.1f/%.1f (BP = %.3f ratio = %.3f hyp_len = %lld ref_len = %lld)",
                score, precisions[0], precisions[1], precisions[2], precisions[3], brevity_penalty, ratio,
                static_cast<long long>(hypothesis_length), static_cast<long long>(reference_length));
  return text;
}

}  // namespace litenat::eval
