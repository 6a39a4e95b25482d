// Exact accuracy, character accuracy and character error rate.
//
//   exact       share of the lines that equal a reference
//   characters  sum over lines of correct characters / sum of reference lengths. Where hypothesis and reference have
//               the same length, correct = equal characters at equal positions (a text-entry line keeps one character
//               a syllable, so a position means something); else correct = max(0, length - edit distance)
//   cer         sum of edit distances / sum of reference lengths; may exceed 1
//   top_n       share of the lines of which one of the first n candidates equals a reference
//
// A character is a Unicode code point. Of several references the one counts that gives the line the most correct
// characters as a share of its length; ties: the fewest edits, then the first.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "eval/edit_distance.h"
#include "eval/metric.h"

namespace litenat::eval {

/// Sums over lines; a plain value that can be merged.
struct AccuracyCounts {
  int64_t lines = 0;
  int64_t exact = 0;
  int64_t top_exact = 0;  // lines with a reference among the candidates given
  int64_t reference_characters = 0;
  int64_t correct_characters = 0;
  int64_t edits = 0;

  /// `references` is not empty.
  void add(std::string_view hypothesis, const std::vector<std::string>& references);
  /// The first candidate is the hypothesis; none = an empty one.
  void add_candidates(const std::vector<std::string>& candidates, const std::vector<std::string>& references);
  void merge(const AccuracyCounts& other);

  /// Shares in [0, 1] (cer: [0, inf)); 0 when there is no line or character.
  double exact_accuracy() const;
  double top_accuracy() const;
  double character_accuracy() const;
  double character_error_rate() const;
};

/// The measures above as metrics, in percent. Their statistics are a count and what it is a share of.
enum class AccuracyKind { kExact, kCharacters, kErrorRate };

class AccuracyMetric final : public Metric {
 public:
  explicit AccuracyMetric(AccuracyKind kind) : kind_(kind) {}
  std::string key() const override;
  std::string name() const override;
  size_t num_statistics() const override { return 2; }
  void collect(std::string_view hypothesis, const std::vector<std::string>& references,
               double* statistics) const override;
  double score(Span<const double> totals) const override;
  /// Of the shares. Characters of a line are no independent trials: theirs is too narrow, a bootstrap is not.
  std::optional<Interval> interval(Span<const double> totals) const override;

 private:
  AccuracyKind kind_;
};

}  // namespace litenat::eval
