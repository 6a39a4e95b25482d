// What every measure of text quality has in common.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/span.h"

namespace litenat::eval {

/// A 95 % interval, in the unit of the score it belongs to.
struct Interval {
  double low = 0;
  double high = 0;
};

/// One measure. A line contributes a fixed number of sums, its statistics; a corpus is scored from their totals, so
/// that corpora can be merged, resampled and shuffled without looking at the text again. Immutable: threads may share
/// one.
class Metric {
 public:
  Metric() = default;
  Metric(const Metric&) = delete;
  Metric& operator=(const Metric&) = delete;
  virtual ~Metric() = default;

  /// What JSON calls it: "bleu", "chrf2", "chrf2++", "ter", "exact_accuracy", ...
  virtual std::string key() const = 0;
  /// What people call it: "BLEU", "chrF2++", "TER", "exact", ...
  virtual std::string name() const = 0;
  virtual size_t num_statistics() const = 0;
  /// Writes the num_statistics() statistics of one line. `references` is not empty. Malformed UTF-8 counts as U+FFFD.
  virtual void collect(std::string_view hypothesis, const std::vector<std::string>& references,
                       double* statistics) const = 0;
  /// The score of a corpus in percent, of the totals of its lines.
  virtual double score(Span<const double> totals) const = 0;
  /// The score of one line in percent; differs from score() where a measure is meant for corpora (BLEU).
  virtual double line_score(Span<const double> statistics) const { return score(statistics); }
  /// More to say than the score: BLEU's precisions and lengths. Often empty.
  virtual std::string details(Span<const double> /*totals*/) const { return {}; }
  /// The fields of sacreBLEU's signature between the number of references and the version; empty = it has none.
  virtual std::string signature_fields() const { return {}; }
  /// The Wilson interval where the score is a share of independent trials.
  virtual std::optional<Interval> interval(Span<const double> /*totals*/) const { return std::nullopt; }
};

}  // namespace litenat::eval
