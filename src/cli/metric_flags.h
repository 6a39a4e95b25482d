// What `score` and `evaluate` share: the flags that choose metrics, and printing their results.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/json_output.h"
#include "eval/metric_set.h"

namespace litenat::cli {

/// The flags that choose and configure metrics. Their names follow sacreBLEU's.
class MetricFlags {
 public:
  void add_to(CLI::App* app);
  /// Throws UsageError when a flag's value makes no sense.
  eval::MetricOptions options() const;
  /// True when --confidence was given.
  bool confidence() const { return confidence_; }
  /// For --confidence; ends early, with what it has, on an interrupt.
  eval::BootstrapOptions bootstrap() const;
  uint64_t seed() const { return seed_; }
  /// The results of a set, with confidence where it was asked for. Throws Interrupted.
  std::vector<eval::MetricResult> results(const eval::MetricSet& metrics) const;

 private:
  std::string metrics_ = "bleu,chrf,ter,exact,characters,cer";
  std::string tokenizer_ = "13a";
  std::string smoothing_ = "exp";
  double smoothing_value_ = -1;  // negative = the method's own
  bool lowercase_ = false;
  eval::ChrfOptions chrf_;
  eval::TerOptions ter_;
  bool confidence_ = false;
  int resamples_ = 1000;
  uint64_t seed_ = eval::kDefaultSeed;
};

/// One line of results: of a test set, or of a system.
struct ScoredRow {
  std::string name;
  size_t lines = 0;
  std::vector<eval::MetricResult> results;
};

/// "bleu": score, "bleu_signature", "bleu_confidence": {mean, half_width}, "bleu_p_value", ... of each result that has
/// them. Accuracies and error rates are shares, all others percent.
JsonResult metrics_json(const std::vector<eval::MetricResult>& results);

/// A row a set or system, a column a metric, and the signatures below. `first_column` heads the names.
std::string metrics_table(const std::string& first_column, const std::vector<ScoredRow>& rows);

}  // namespace litenat::cli
