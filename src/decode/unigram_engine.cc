#include "decode/unigram_engine.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace litenat::decode {
namespace {

constexpr double kUnseenCount = 0.5;
constexpr float kIllegalPenalty = 20;  // a hanzi without such a reading: only where nothing is forbidden

}  // namespace

UnigramEngine::UnigramEngine(const text::Dictionary* targets, const text::Lexicon* lexicon, float weight)
    : lexicon_(lexicon), weight_(weight) {
  for (int32_t id = 0; id < targets->size(); ++id) {
    counts_.push_back(static_cast<double>(std::max<int64_t>(targets->count(id), 0)) + kUnseenCount);
    illegal_.push_back(weight * static_cast<float>(std::log(counts_.back())) - kIllegalPenalty);
  }
}

Result<TaggerEngine::Output> UnigramEngine::run(Span<const int32_t> ids, Span<const int32_t>) {
  for (const int32_t id : ids) {
    if (id < text::kFirstUnit || id >= text::kFirstUnit + text::num_units()) {
      return invalid_argument("the unigram engine reads units, found id " + std::to_string(id));
    }
  }
  emissions_.resize(ids.size() * counts_.size());
  for (size_t i = 0; i < ids.size(); ++i) fill_row(ids[i], emissions_.data() + i * counts_.size());
  return Output{emissions_, {}};
}

void UnigramEngine::fill_row(text::UnitId unit, float* row) {
  allowed_.assign(counts_.size(), 0);
  const auto root = lexicon_->children(0);
  for (const text::SyllableId syllable : text::unit_syllables(unit)) {
    const auto* found = std::lower_bound(root.syllables.begin(), root.syllables.end(), syllable);
    if (found == root.syllables.end() || *found != syllable) continue;
    const auto endings = lexicon_->endings(root.first_node + static_cast<uint32_t>(found - root.syllables.begin()));
    for (size_t i = 0; i < endings.size(); ++i) {
      const text::Lexicon::Ending ending = endings[i];
      const size_t target = lexicon_->word_characters(ending.word)[0];
      if (target < counts_.size()) allowed_[target] += counts_[target] * std::exp(ending.log_weight);
    }
  }
  for (size_t i = 0; i < counts_.size(); ++i) {
    row[i] = allowed_[i] > 0 ? weight_ * static_cast<float>(std::log(allowed_[i])) : illegal_[i];
  }
}

}  // namespace litenat::decode
