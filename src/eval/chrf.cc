#include "eval/chrf.h"

#include <algorithm>

#include "base/utf8.h"
#include "eval/ngrams.h"
#include "eval/tokenizer.h"
#include "eval/unicode.h"

namespace litenat::eval {
namespace {

std::vector<int32_t> characters_of(std::string_view line, bool whitespace) {
  std::vector<int32_t> characters;
  characters.reserve(line.size());
  for (size_t i = 0; i < line.size();) {
    const char32_t c = decode_utf8(line, &i);
    if (whitespace || !is_white_space(c)) characters.push_back(static_cast<int32_t>(c));
  }
  return characters;
}

bool is_ascii_punctuation(char c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

/// The words of `line` separated by spaces, with one punctuation mark split off the end of a word, or else off its
/// beginning: sacreBLEU splits "(hi)" into "(hi" and ")".
std::string separate_words(std::string_view line) {
  std::string out;
  for (std::string_view word : split_words(line)) {
    size_t first_bytes = 0;
    decode_utf8(word, &first_bytes);
    if (first_bytes < word.size() && is_ascii_punctuation(word.back())) {
      out.append(word.substr(0, word.size() - 1)).append(" ");
      word.remove_prefix(word.size() - 1);
    } else if (first_bytes < word.size() && is_ascii_punctuation(word.front())) {
      out.append(word.substr(0, 1)).append(" ");
      word.remove_prefix(1);
    }
    out.append(word).append(" ");
  }
  return out;
}

/// Writes the statistics of orders 1 to `num_orders` of each reference (sequences 1, 2, ...) against the hypothesis
/// (sequence 0) to rows[reference][offset ...].
void count_orders(const TokenSequences& tokens, int num_orders, size_t offset, std::vector<std::vector<double>>* rows) {
  NgramWalk walk(tokens);
  for (int n = 0; n < num_orders; ++n, offset += 3) {
    walk.advance();
    for (size_t r = 0; r < rows->size(); ++r) {
      double* statistics = (*rows)[r].data() + offset;
      const int64_t in_reference = walk.total(r + 1);
      // sacreBLEU counts an order only where the reference has n-grams of it.
      statistics[0] = in_reference == 0 ? 0.0 : static_cast<double>(walk.total(0));
      statistics[1] = static_cast<double>(in_reference);
      statistics[2] = static_cast<double>(walk.matches(0, r + 1));
    }
  }
}

double f_score(double precision, double recall, double beta_squared) {
  const double denominator = beta_squared * precision + recall;
  return denominator > 0 ? (1 + beta_squared) * precision * recall / denominator : 0.0;
}

}  // namespace

void ChrfMetric::collect(std::string_view hypothesis, const std::vector<std::string>& references,
                         double* statistics) const {
  const auto prepare = [&](std::string_view line) { return options_.lowercase ? to_lower(line) : clean_utf8(line); };
  TokenSequences characters;
  TokenTexts words;
  const auto add = [&](std::string_view raw) {
    const std::string line = prepare(raw);
    characters.push_back(characters_of(line, options_.whitespace));
    if (options_.word_order > 0) words.add_separated(separate_words(line));
  };
  add(hypothesis);
  for (const std::string& reference : references) add(reference);
  std::vector<std::vector<double>> rows(references.size(), std::vector<double>(num_statistics()));
  count_orders(characters, options_.char_order, 0, &rows);
  if (options_.word_order > 0)
    count_orders(words.numbers(), options_.word_order, 3 * static_cast<size_t>(options_.char_order), &rows);
  size_t best = 0;
  for (size_t r = 1; r < rows.size(); ++r)
    if (score(rows[r]) > score(rows[best])) best = r;
  std::copy(rows[best].begin(), rows[best].end(), statistics);
}

double ChrfMetric::score(Span<const double> totals) const {
  constexpr double kEps = 1e-16;  // chrF++.py's stand-in for an order without n-grams
  const double beta_squared = static_cast<double>(options_.beta) * options_.beta;
  double precisions = 0;
  double recalls = 0;
  double smoothed = 0;
  int effective_order = 0;
  for (size_t n = 0; n < num_orders(); ++n) {
    const double in_hypothesis = totals[3 * n];
    const double in_reference = totals[3 * n + 1];
    const double matches = totals[3 * n + 2];
    const double precision = in_hypothesis > 0 ? matches / in_hypothesis : kEps;
    const double recall = in_reference > 0 ? matches / in_reference : kEps;
    smoothed += beta_squared * precision + recall > 0 ? f_score(precision, recall, beta_squared) : kEps;
    if (in_hypothesis == 0 || in_reference == 0) continue;
    precisions += precision;
    recalls += recall;
    ++effective_order;
  }
  if (options_.eps_smoothing) return 100.0 * smoothed / static_cast<double>(num_orders());
  if (effective_order == 0) return 0;
  return 100.0 * f_score(precisions / effective_order, recalls / effective_order, beta_squared);
}

std::string ChrfMetric::key() const {
  return "chrf" + std::to_string(options_.beta) + std::string(static_cast<size_t>(options_.word_order), '+');
}

std::string ChrfMetric::name() const {
  return "chrF" + std::to_string(options_.beta) + std::string(static_cast<size_t>(options_.word_order), '+');
}

std::string ChrfMetric::signature_fields() const {
  return std::string("case:") + (options_.lowercase ? "lc" : "mixed") +
         "|eff:" + (options_.eps_smoothing ? "no" : "yes") + "|nc:" + std::to_string(options_.char_order) +
         "|nw:" + std::to_string(options_.word_order) + "|space:" + (options_.whitespace ? "yes" : "no");
}

}  // namespace litenat::eval
