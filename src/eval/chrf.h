// chrF (Popovic 2015) and chrF++ (Popovic 2017): F-score of character and word n-grams, equal to sacreBLEU 2.6.0's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "eval/metric.h"

namespace litenat::eval {

struct ChrfOptions {
  int char_order = 6;          // longest character n-gram, >= 0
  int word_order = 0;          // longest word n-gram; 2 = chrF++. The orders together are at least 1
  int beta = 2;                // recall counts beta times as much as precision
  bool lowercase = false;      // as Python's str.lower()
  bool whitespace = false;     // count white space as a character
  bool eps_smoothing = false;  // average the F-scores of all orders, as chrF++.py does, not those that both sides have
};

/// Statistics: for each order, characters first: n-grams of the hypothesis, of the reference, and common ones, of the
/// reference that gives the line the best score.
class ChrfMetric final : public Metric {
 public:
  explicit ChrfMetric(const ChrfOptions& options) : options_(options) {}
  std::string key() const override;
  std::string name() const override;
  size_t num_statistics() const override { return 3 * num_orders(); }
  void collect(std::string_view hypothesis, const std::vector<std::string>& references,
               double* statistics) const override;
  double score(Span<const double> totals) const override;
  std::string signature_fields() const override;

 private:
  size_t num_orders() const {
    return static_cast<size_t>(options_.char_order) + static_cast<size_t>(options_.word_order);
  }
  ChrfOptions options_;
};

}  // namespace litenat::eval
