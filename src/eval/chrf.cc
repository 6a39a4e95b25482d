#include "eval/chrf.h"

#include "base/utf8.h"
#include "eval/bleu.h"
#include "eval/ngram_counts.h"
#include "eval/tokenizer.h"

namespace litenat::eval {
namespace {

using CountsByOrder = std::array<NgramCounts, Chrf::kOrder>;

CountsByOrder count_characters(std::string_view line) {
  // The tokens of the char tokeniser are exactly the characters that are no white space.
  const std::vector<std::string> characters = tokenize(Tokenizer::kChar, line);
  CountsByOrder counts;
  for (size_t order = 1; order <= counts.size(); ++order) counts[order - 1] = count_ngrams(characters, order);
  return counts;
}

int64_t sum(const NgramCounts& counts) {
  int64_t total = 0;
  for (const auto& [ngram, count] : counts) total += count;
  return total;
}

Chrf::Statistics compare(const CountsByOrder& hypothesis, const CountsByOrder& reference) {
  Chrf::Statistics statistics;
  for (size_t n = 0; n < statistics.size(); ++n) {
    // sacreBLEU counts an order only where the reference has n-grams of it.
    statistics[n].hypothesis = reference[n].empty() ? 0 : sum(hypothesis[n]);
    statistics[n].reference = sum(reference[n]);
    statistics[n].matches = count_matches(hypothesis[n], reference[n]);
  }
  return statistics;
}

/// F2 of the mean precision and mean recall over the orders that both sides have.
double f_score(const Chrf::Statistics& statistics) {
  constexpr double kBetaSquared = 4.0;
  double precision = 0;
  double recall = 0;
  int orders = 0;
  for (const Chrf::Counts& counts : statistics) {
    if (counts.hypothesis == 0 || counts.reference == 0) continue;
    precision += static_cast<double>(counts.matches) / static_cast<double>(counts.hypothesis);
    recall += static_cast<double>(counts.matches) / static_cast<double>(counts.reference);
    ++orders;
  }
  if (precision + recall <= 0) return 0;
  precision /= orders;
  recall /= orders;
  return 100.0 * (1 + kBetaSquared) * precision * recall / (kBetaSquared * precision + recall);
}

}  // namespace

void Chrf::add(std::string_view hypothesis, const std::vector<std::string>& references) {
  const CountsByOrder counts = count_characters(hypothesis);
  Statistics best{};
  double best_score = -1;
  for (const std::string& reference : references) {
    const Statistics statistics = compare(counts, count_characters(reference));
    const double score = f_score(statistics);
    if (score > best_score) {
      best_score = score;
      best = statistics;
    }
  }
  for (size_t n = 0; n < best.size(); ++n) {
    statistics_[n].hypothesis += best[n].hypothesis;
    statistics_[n].reference += best[n].reference;
    statistics_[n].matches += best[n].matches;
  }
  varying_ = varying_ || (num_references_ != 0 && num_references_ != references.size());
  num_references_ = references.size();
}

double Chrf::score() const { return f_score(statistics_); }

std::string Chrf::signature() const {
  return references_field(num_references_, varying_) +
         "|case:mixed|eff:yes|nc:6|nw:0|space:no|version:" + kSacrebleuVersion;
}

}  // namespace litenat::eval
