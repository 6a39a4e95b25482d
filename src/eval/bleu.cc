#include "eval/bleu.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "eval/ngrams.h"
#include "eval/unicode.h"

namespace litenat::eval {
namespace {

/// The reference length nearest to that of the hypothesis (sequence 0); ties: the shorter.
int64_t closest_length(const TokenSequences& tokens) {
  const int64_t length = static_cast<int64_t>(tokens[0].size());
  int64_t best = static_cast<int64_t>(tokens[1].size());
  for (size_t s = 2; s < tokens.size(); ++s) {
    const int64_t candidate = static_cast<int64_t>(tokens[s].size());
    const int64_t difference = std::llabs(candidate - length);
    const int64_t best_difference = std::llabs(best - length);
    if (difference < best_difference || (difference == best_difference && candidate < best)) best = candidate;
  }
  return best;
}

/// Matches of the hypothesis where each n-gram of the references counts as often as in the one that has most of it.
int64_t clipped_matches(const NgramWalk& walk, size_t num_sequences) {
  if (num_sequences == 2) return walk.matches(0, 1);
  const std::vector<int32_t>& hypothesis = walk.counts(0);
  int64_t matches = 0;
  for (size_t gram = 0; gram < hypothesis.size(); ++gram) {
    int32_t highest = 0;
    for (size_t s = 1; s < num_sequences; ++s) highest = std::max(highest, walk.counts(s)[gram]);
    matches += std::min(hypothesis[gram], highest);
  }
  return matches;
}

double brevity_penalty(double hypothesis_length, double reference_length) {
  if (hypothesis_length >= reference_length) return 1.0;
  return hypothesis_length > 0 ? std::exp(1.0 - reference_length / hypothesis_length) : 0.0;
}

/// The precision in percent of an order, smoothed; `fictitious` is the share of a match that kExp counts next.
double smoothed_precision(double matches, double total, const BleuOptions& options, double* fictitious) {
  if (matches > 0) return 100.0 * matches / total;
  switch (options.smoothing) {
    case Smoothing::kExp:
      *fictitious /= 2;
      return 100.0 * *fictitious / total;
    case Smoothing::kFloor:
      return 100.0 * options.smoothing_value.value_or(0.1) / total;
    case Smoothing::kAddK:
    case Smoothing::kNone:
      break;
  }
  return 0;
}

}  // namespace

void BleuMetric::collect(std::string_view hypothesis, const std::vector<std::string>& references,
                         double* statistics) const {
  TokenTexts texts;
  texts.add(options_.tokenizer, hypothesis, options_.lowercase);
  for (const std::string& reference : references) texts.add(options_.tokenizer, reference, options_.lowercase);
  const TokenSequences tokens = texts.numbers();
  statistics[0] = static_cast<double>(tokens[0].size());
  statistics[1] = static_cast<double>(closest_length(tokens));
  NgramWalk walk(tokens);
  for (size_t n = 0; n < kOrder; ++n) {
    walk.advance();
    statistics[2 + n] = static_cast<double>(clipped_matches(walk, tokens.size()));
    statistics[2 + kOrder + n] = static_cast<double>(walk.total(0));
  }
}

BleuScore BleuMetric::evaluate(Span<const double> totals, bool effective_order) const {
  BleuScore result;
  result.hypothesis_length = static_cast<int64_t>(totals[0]);
  result.reference_length = static_cast<int64_t>(totals[1]);
  result.brevity_penalty = brevity_penalty(totals[0], totals[1]);
  const Span<const double> matches = totals.subspan(2, kOrder);
  if (std::all_of(matches.begin(), matches.end(), [](double count) { return count == 0; })) return result;
  double fictitious = 1.0;
  double log_sum = 0.0;
  size_t num_orders = effective_order ? 0 : kOrder;
  for (size_t n = 0; n < kOrder; ++n) {
    const double k = options_.smoothing == Smoothing::kAddK && n > 0 ? options_.smoothing_value.value_or(1.0) : 0.0;
    const double total = totals[2 + kOrder + n] + k;
    if (total == 0) break;
    if (effective_order) num_orders = n + 1;
    result.precisions[n] = smoothed_precision(matches[n] + k, total, options_, &fictitious);
  }
  for (size_t n = 0; n < num_orders; ++n) {
    if (result.precisions[n] == 0) return result;  // the geometric mean is 0
    log_sum += std::log(result.precisions[n]);
  }
  result.score = result.brevity_penalty * std::exp(log_sum / static_cast<double>(num_orders));
  return result;
}

std::string BleuMetric::signature_fields() const {
  std::string smoothing = kSmoothingNames.name(options_.smoothing);
  if (options_.smoothing == Smoothing::kFloor || options_.smoothing == Smoothing::kAddK) {
    char text[32];
    const double fallback = options_.smoothing == Smoothing::kFloor ? 0.1 : 1.0;
    std::snprintf(text, sizeof(text), "[%.2f]", options_.smoothing_value.value_or(fallback));
    smoothing += text;
  }
  return std::string("case:") + (options_.lowercase ? "lc" : "mixed") +
         "|eff:" + (options_.effective_order ? "yes" : "no") + "|tok:" + kTokenizerNames.name(options_.tokenizer) +
         "|smooth:" + smoothing;
}

std::string BleuScore::details() const {
  char text[256];
  const double ratio =
      reference_length == 0 ? 0.0 : static_cast<double>(hypothesis_length) / static_cast<double>(reference_length);
  std::snprintf(text, sizeof(text), "%.1f/%.1f/%.1f/%.1f (BP = %.3f ratio = %.3f hyp_len = %lld ref_len = %lld)",
                precisions[0], precisions[1], precisions[2], precisions[3], brevity_penalty, ratio,
                static_cast<long long>(hypothesis_length), static_cast<long long>(reference_length));
  return text;
}

std::string references_field(size_t num_references, bool varying) {
  return "nrefs:" + (varying ? std::string("var") : std::to_string(num_references));
}

void Bleu::add(std::string_view hypothesis, const std::vector<std::string>& references) {
  std::array<double, 2 + 2 * BleuMetric::kOrder> line{};
  metric_.collect(hypothesis, references, line.data());
  for (size_t i = 0; i < line.size(); ++i) totals_[i] += line[i];
  varying_ = varying_ || (num_references_ != 0 && num_references_ != references.size());
  num_references_ = references.size();
}

std::string Bleu::signature() const {
  return references_field(num_references_, varying_) + "|" + metric_.signature_fields() +
         "|version:" + kSacrebleuVersion;
}

}  // namespace litenat::eval
