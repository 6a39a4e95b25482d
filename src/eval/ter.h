// Translation edit rate (Snover et al. 2006): word edits plus shifts of word sequences, divided by the reference
// length. Equal to sacreBLEU 2.6.0's, that is tercom's algorithm with its heuristics and limits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "eval/metric.h"

namespace litenat::eval {

struct TerOptions {
  bool normalized = false;      // separate punctuation, resolve XML escapes
  bool no_punct = false;        // remove punctuation
  bool asian_support = false;   // with the two above: also of Chinese and Japanese; ideographs become words
  bool case_sensitive = false;  // else lower-cased
};

/// The words of `line` as tercom's normaliser makes them, separated by single spaces.
std::string tercom_tokenize(std::string_view line, const TerOptions& options);

/// The fewest edits found that turn `hypothesis` into `reference`: shifts, insertions, deletions and substitutions,
/// each of cost 1. Words are numbers: equal words, equal numbers. Greedy, as tercom: an upper bound of the true
/// minimum.
int64_t translation_edits(const std::vector<int32_t>& hypothesis, const std::vector<int32_t>& reference);

/// Statistics: edits to the reference that takes the fewest, mean length of the references.
class TerMetric final : public Metric {
 public:
  explicit TerMetric(const TerOptions& options) : options_(options) {}
  std::string key() const override { return "ter"; }
  std::string name() const override { return "TER"; }
  size_t num_statistics() const override { return 2; }
  void collect(std::string_view hypothesis, const std::vector<std::string>& references,
               double* statistics) const override;
  double score(Span<const double> totals) const override;
  std::string signature_fields() const override;

 private:
  TerOptions options_;
};

}  // namespace litenat::eval
