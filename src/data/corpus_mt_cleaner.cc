#include "data/corpus_mt_cleaner.h"

#include <algorithm>
#include <iterator>
#include <numeric>

#include "base/random.h"
#include "data/text_cleaning.h"

namespace litenat::data {
namespace {

constexpr uint64_t kSourceHash = 1, kPairHash = 2;  // seeds of hashes with different uses

constexpr std::array<const char*, kNumDropReasons> kReasonNames{"column_missing", "too_long",  "broken_utf8", "nul",
                                                                "empty",          "length",    "ratio",       "copies",
                                                                "held_out",       "no_tokens", "tokens"};

/// Whether a raw pair must go before it is cleaned.
bool is_damaged(const PairBlock& block, size_t i, DropReason* reason) {
  const std::string_view source = block.source_line(i), target = block.target_line(i);
  *reason = DropReason::kColumnMissing;
  if (block.states[i] == RawPairState::kColumnMissing) return true;
  *reason = DropReason::kTooLong;
  if (block.states[i] == RawPairState::kTooLong) return true;
  *reason = DropReason::kNul;
  if (source.find('\0') != std::string_view::npos || target.find('\0') != std::string_view::npos) return true;
  *reason = DropReason::kBrokenUtf8;
  return !is_utf8(source) || !is_utf8(target);
}

/// Whether a cleaned pair must go.
bool is_unfit(const SentencePair& pair, const CleaningOptions& options, DropReason* reason) {
  *reason = DropReason::kEmpty;
  if (pair.source.empty() || pair.target.empty()) return true;
  const auto [shorter, longer] = std::minmax({count_words(pair.source), count_words(pair.target)});
  *reason = DropReason::kLength;
  if (shorter < options.min_length || longer > options.max_length) return true;
  *reason = DropReason::kRatio;
  return static_cast<double>(longer) > options.max_ratio * static_cast<double>(shorter);
}

}  // namespace

int64_t DropCounts::total() const { return std::accumulate(counts_.begin(), counts_.end(), int64_t{0}); }

const char* DropCounts::name(DropReason reason) { return kReasonNames[static_cast<size_t>(reason)]; }

Json DropCounts::to_json() const {
  Json json = Json::object();
  for (size_t i = 0; i < counts_.size(); ++i) json.set(kReasonNames[i], Json(counts_[i]));
  return json;
}

uint64_t hash_source(std::string_view source) { return hash_bytes(source, kSourceHash); }

std::vector<SentencePair> clean_pairs(const PairBlock& block, const CleaningOptions& options, DropCounts* dropped) {
  std::vector<SentencePair> pairs;
  for (size_t i = 0; i < block.size(); ++i) {
    DropReason reason{};
    if (is_damaged(block, i, &reason)) {
      dropped->add(reason);
      continue;
    }
    SentencePair pair{clean_line(block.source_line(i)), clean_line(block.target_line(i)), 0, 0};
    if (is_unfit(pair, options, &reason)) {
      dropped->add(reason);
      continue;
    }
    pair.source_hash = hash_source(pair.source);
    pair.pair_hash = hash_bytes(pair.target, pair.source_hash ^ kPairHash);
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

bool HeldOutPairs::take(SentencePair* pair, std::vector<SentencePair>* rest) {
  const uint64_t priority = SplitMix64(seed_, pair->source_hash).next();
  if (size_ == 0 || (sources_.size() == size_ && priority > sources_.rbegin()->first)) return false;
  sources_[priority].push_back(std::move(*pair));
  if (sources_.size() > size_) {
    const auto last = std::prev(sources_.end());
    std::move(last->second.begin(), last->second.end(), std::back_inserter(*rest));
    sources_.erase(last);
  }
  return true;
}

void HeldOutPairs::move_first(size_t count, std::vector<SentencePair>* pairs, DropCounts* dropped) {
  for (; count > 0 && !sources_.empty(); --count) {
    std::vector<SentencePair>& translations = sources_.begin()->second;
    dropped->add(DropReason::kHeldOut, static_cast<int64_t>(translations.size()) - 1);
    pairs->push_back(std::move(translations.front()));
    sources_.erase(sources_.begin());
  }
}

void HeldOutPairs::move_rest(std::vector<SentencePair>* pairs) {
  for (auto& [priority, translations] : sources_)
    std::move(translations.begin(), translations.end(), std::back_inserter(*pairs));
  sources_.clear();
}

}  // namespace litenat::data
