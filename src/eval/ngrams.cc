#include "eval/ngrams.h"

#include <algorithm>

namespace litenat::eval {

NgramWalk::NgramWalk(const TokenSequences& tokens)
    : tokens_(tokens), interner_(0), grams_(tokens.size()), counts_(tokens.size()) {
  for (const std::vector<int32_t>& sequence : tokens) num_tokens_ += sequence.size();
}

void NgramWalk::advance() {
  ++order_;
  interner_.reset(num_tokens_);
  for (size_t s = 0; s < tokens_.size(); ++s) {
    const std::vector<int32_t>& tokens = tokens_[s];
    std::vector<int32_t>& grams = grams_[s];
    grams.resize(tokens.size() >= order_ ? tokens.size() - order_ + 1 : 0);
    for (size_t i = 0; i < grams.size(); ++i) {
      const uint64_t head = order_ == 1 ? 0 : static_cast<uint32_t>(grams[i]);
      grams[i] = interner_.intern(head << 32 | static_cast<uint32_t>(tokens[i + order_ - 1]));
    }
  }
  for (size_t s = 0; s < tokens_.size(); ++s) {
    counts_[s].assign(interner_.size(), 0);
    for (const int32_t gram : grams_[s]) ++counts_[s][static_cast<size_t>(gram)];
  }
}

int64_t NgramWalk::matches(size_t a, size_t b) const {
  int64_t matches = 0;
  for (size_t i = 0; i < counts_[a].size(); ++i) matches += std::min(counts_[a][i], counts_[b][i]);
  return matches;
}

}  // namespace litenat::eval
