#include "eval/accuracy.h"

#include <algorithm>

#include "base/utf8.h"
#include "eval/edit_distance.h"
#include "eval/statistics.h"

namespace litenat::eval {
namespace {

/// One hypothesis against one reference.
struct Comparison {
  int64_t length = 0;
  int64_t correct = 0;
  int64_t edits = 0;

  double share() const { return length == 0 ? (edits == 0 ? 1.0 : 0.0) : static_cast<double>(correct) / length; }
  bool better_than(const Comparison& other) const {
    return share() != other.share() ? share() > other.share() : edits < other.edits;
  }
};

Comparison compare(const std::vector<char32_t>& hypothesis, const std::vector<char32_t>& reference) {
  Comparison result;
  result.length = static_cast<int64_t>(reference.size());
  result.edits = edit_distance(hypothesis, reference);
  if (hypothesis.size() == reference.size()) {
    for (size_t i = 0; i < reference.size(); ++i) result.correct += hypothesis[i] == reference[i] ? 1 : 0;
  } else {
    result.correct = std::max<int64_t>(0, result.length - result.edits);
  }
  return result;
}

double ratio(int64_t part, int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

bool contains(const std::vector<std::string>& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

}  // namespace

void AccuracyCounts::add(std::string_view hypothesis, const std::vector<std::string>& references) {
  const std::vector<char32_t> characters = to_code_points(hypothesis);
  Comparison best = compare(characters, to_code_points(references[0]));
  for (size_t i = 1; i < references.size(); ++i) {
    const Comparison other = compare(characters, to_code_points(references[i]));
    if (other.better_than(best)) best = other;
  }
  ++lines;
  const bool equal = contains(references, hypothesis);
  exact += equal ? 1 : 0;
  top_exact += equal ? 1 : 0;
  reference_characters += best.length;
  correct_characters += best.correct;
  edits += best.edits;
}

void AccuracyCounts::add_candidates(const std::vector<std::string>& candidates,
                                    const std::vector<std::string>& references) {
  const int64_t before = top_exact;
  add(candidates.empty() ? std::string_view() : std::string_view(candidates[0]), references);
  const bool any = std::any_of(candidates.begin(), candidates.end(),
                               [&](const std::string& candidate) { return contains(references, candidate); });
  top_exact = before + (any || top_exact > before ? 1 : 0);
}

void AccuracyCounts::merge(const AccuracyCounts& other) {
  lines += other.lines;
  exact += other.exact;
  top_exact += other.top_exact;
  reference_characters += other.reference_characters;
  correct_characters += other.correct_characters;
  edits += other.edits;
}

double AccuracyCounts::exact_accuracy() const { return ratio(exact, lines); }
double AccuracyCounts::top_accuracy() const { return ratio(top_exact, lines); }
double AccuracyCounts::character_accuracy() const { return ratio(correct_characters, reference_characters); }
double AccuracyCounts::character_error_rate() const { return ratio(edits, reference_characters); }

std::string AccuracyMetric::key() const {
  switch (kind_) {
    case AccuracyKind::kExact:
      return "exact_accuracy";
    case AccuracyKind::kCharacters:
      return "character_accuracy";
    case AccuracyKind::kErrorRate:
      break;
  }
  return "character_error_rate";
}

std::string AccuracyMetric::name() const {
  if (kind_ == AccuracyKind::kErrorRate) return "CER";
  return kind_ == AccuracyKind::kExact ? "exact" : "characters";
}

void AccuracyMetric::collect(std::string_view hypothesis, const std::vector<std::string>& references,
                             double* statistics) const {
  if (kind_ == AccuracyKind::kExact) {
    statistics[0] = contains(references, hypothesis) ? 1 : 0;
    statistics[1] = 1;
    return;
  }
  AccuracyCounts counts;
  counts.add(hypothesis, references);
  statistics[0] = static_cast<double>(kind_ == AccuracyKind::kCharacters ? counts.correct_characters : counts.edits);
  statistics[1] = static_cast<double>(counts.reference_characters);
}

double AccuracyMetric::score(Span<const double> totals) const {
  return totals[1] > 0 ? 100.0 * totals[0] / totals[1] : 0.0;
}

std::optional<Interval> AccuracyMetric::interval(Span<const double> totals) const {
  if (kind_ == AccuracyKind::kErrorRate) return std::nullopt;
  const Interval share = wilson_interval(totals[0], totals[1]);
  return Interval{100.0 * share.low, 100.0 * share.high};
}

}  // namespace litenat::eval
