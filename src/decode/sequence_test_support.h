// An engine whose distributions are a table: a hash of the sentence, of what was read and of the token.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "decode/sequence_engine.h"

namespace litenat::decode::testing {

inline uint32_t mix(uint32_t hash, uint32_t value) { return (hash ^ (value + 1)) * 16777619u; }

/// The logit of `token` where the sentence is `source` and `history` was read (or: at the last place of `history`).
inline float table_logit(const std::vector<int32_t>& source, const std::vector<int32_t>& history, int32_t token) {
  uint32_t hash = 2166136261u;
  for (const int32_t id : source) hash = mix(hash, static_cast<uint32_t>(id));
  hash = mix(hash, 9999);
  for (const int32_t id : history) hash = mix(hash, static_cast<uint32_t>(id));
  hash = mix(mix(hash, 7777), static_cast<uint32_t>(token));
  hash = (hash ^ hash >> 15) * 0x2c1b3c6du;
  hash = (hash ^ hash >> 12) * 0x297a2d39u;
  return static_cast<float>((hash ^ hash >> 15) % 4096u) / 1024.0F;
}

/// ln p of every token.
inline std::vector<double> table_log_probabilities(const std::vector<int32_t>& source,
                                                   const std::vector<int32_t>& history, int32_t vocabulary) {
  std::vector<double> result;
  double sum = 0;
  for (int32_t v = 0; v < vocabulary; ++v) {
    result.push_back(table_logit(source, history, v));
    sum += std::exp(result.back());
  }
  for (double& value : result) value -= std::log(sum);
  return result;
}

/// Autoregressive: a row's history is </s> and the tokens read since. Else: the number of rows of its item, then its
/// own place (from 0), so that neighbours are independent given the length.
class TableEngine : public SequenceEngine {
 public:
  explicit TableEngine(int32_t vocabulary, bool autoregressive = true) {
    traits_.autoregressive = autoregressive;
    traits_.target_vocabulary = vocabulary;
  }
  SequenceTraits& settings() { return traits_; }
  const SequenceTraits& traits() const override { return traits_; }

  Status encode(Span<const int32_t> ids, Span<const int32_t> lengths) override {
    sentences_.clear();
    rows_.clear();
    size_t first = 0;
    for (const int32_t length : lengths) {
      sentences_.emplace_back(ids.begin() + first, ids.begin() + first + length);
      first += static_cast<size_t>(length);
    }
    started_ = false;
    return {};
  }

  Result<Span<const float>> length_logits() override {
    logits_of_lengths_.clear();
    for (const std::vector<int32_t>& sentence : sentences_)
      for (int32_t c = 0; c < traits_.length_classes; ++c)
        logits_of_lengths_.push_back(c == predicted_class(sentence) ? 5.0F : table_logit(sentence, {}, c));
    return Span<const float>(logits_of_lengths_);
  }
  /// What length_logits() prefers: the sentence's first id, so that tests choose it.
  static int32_t predicted_class(const std::vector<int32_t>& sentence) { return sentence[0]; }

  Result<RowCandidates> step(Span<const int32_t> tokens, Span<const int32_t> parents, int32_t k,
                             Span<const int32_t> wanted) override {
    std::vector<Row> rows;
    for (size_t i = 0; i < tokens.size(); ++i) {
      const auto parent = static_cast<size_t>(parents[i]);
      if (parent >= (started_ ? rows_.size() : sentences_.size())) return invalid_argument("a parent out of range");
      rows.push_back(started_ ? rows_[parent] : Row{parents[i], {}});
      rows.back().history.push_back(tokens[i]);
    }
    rows_ = std::move(rows);
    started_ = true;
    return answer(k, wanted);
  }

  Result<RowCandidates> decode(Span<const int32_t> ids, Span<const int32_t> lengths, Span<const int32_t> sentences,
                               int32_t k, Span<const int32_t> wanted) override {
    rows_.clear();
    size_t next = 0;
    for (size_t i = 0; i < lengths.size(); ++i) {
      std::vector<int32_t> history;
      for (int32_t t = 0; t < lengths[i]; ++t) {
        history.push_back(ids[next++]);
        rows_.push_back({sentences[i], traits_.autoregressive ? history : std::vector<int32_t>{lengths[i], t}});
      }
    }
    return answer(k, wanted);
  }

  float transition(int32_t previous, int32_t next) const override {
    return traits_.has_transitions ? table_logit({previous}, {next}, 0) : 0.0F;
  }

  int64_t rows_run = 0;            // of all passes
  float poison = 0;                // added to every log_sum
  std::vector<int32_t> forbidden;  // tokens of probability 0

 private:
  struct Row {
    int32_t sentence;
    std::vector<int32_t> history;
  };

  Result<RowCandidates> answer(int32_t k, Span<const int32_t> wanted) {
    if (k < 1 || k > traits_.target_vocabulary) return invalid_argument("k out of range");
    rows_run += static_cast<int64_t>(rows_.size());
    tokens_.clear();
    logits_.clear();
    log_sum_.clear();
    wanted_.clear();
    for (size_t i = 0; i < rows_.size(); ++i) add_row(rows_[i], k, wanted.empty() ? -1 : wanted[i]);
    return RowCandidates{k, tokens_, logits_, log_sum_, wanted_};
  }

  void add_row(const Row& row, int32_t k, int32_t wanted) {
    std::vector<float> logits;
    double sum = 0;
    for (int32_t v = 0; v < traits_.target_vocabulary; ++v) {
      logits.push_back(table_logit(sentences_[static_cast<size_t>(row.sentence)], row.history, v));
      if (std::count(forbidden.begin(), forbidden.end(), v) > 0) logits.back() = -INFINITY;
      sum += std::exp(static_cast<double>(logits.back()));
    }
    std::vector<int32_t> order(logits.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
      return logits[static_cast<size_t>(a)] > logits[static_cast<size_t>(b)];
    });
    for (int32_t i = 0; i < k; ++i) {
      tokens_.push_back(order[static_cast<size_t>(i)]);
      logits_.push_back(logits[static_cast<size_t>(tokens_.back())]);
    }
    log_sum_.push_back(static_cast<float>(std::log(sum)) + poison);
    if (wanted >= 0) wanted_.push_back(logits[static_cast<size_t>(wanted)]);
  }

  SequenceTraits traits_;
  std::vector<std::vector<int32_t>> sentences_;
  std::vector<Row> rows_;
  bool started_ = false;
  std::vector<int32_t> tokens_;
  std::vector<float> logits_, log_sum_, wanted_, logits_of_lengths_;
};

}  // namespace litenat::decode::testing
