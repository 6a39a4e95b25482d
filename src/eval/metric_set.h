// Several measures of one test set: feed lines, read results.
//
//     MetricOptions options;
//     options.bleu.tokenizer = Tokenizer::kZh;
//     MetricSet metrics(options);
//     metrics.add(hypothesis, references);            // or add_lines for many at once, on several threads
//     for (const MetricResult& result : metrics.results()) use(result.key, result.score, result.signature);
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "eval/accuracy.h"
#include "eval/bleu.h"
#include "eval/chrf.h"
#include "eval/metric.h"
#include "eval/resampling.h"
#include "eval/ter.h"

namespace litenat::eval {

enum class MetricKind { kBleu, kChrf, kChrfPlusPlus, kTer, kExact, kCharacters, kErrorRate };
inline const EnumNames<MetricKind> kMetricNames{{{MetricKind::kBleu, "bleu"},
                                                 {MetricKind::kChrf, "chrf"},
                                                 {MetricKind::kChrfPlusPlus, "chrf++"},
                                                 {MetricKind::kTer, "ter"},
                                                 {MetricKind::kExact, "exact"},
                                                 {MetricKind::kCharacters, "characters"},
                                                 {MetricKind::kErrorRate, "cer"}}};

/// "bleu,ter" -> {kBleu, kTer}. An unknown, repeated or missing name is kInvalidArgument.
Result<std::vector<MetricKind>> parse_metrics(const std::string& list);

struct MetricOptions {
  std::vector<MetricKind> metrics = {MetricKind::kBleu,  MetricKind::kChrf,       MetricKind::kTer,
                                     MetricKind::kExact, MetricKind::kCharacters, MetricKind::kErrorRate};
  BleuOptions bleu;
  ChrfOptions chrf;  // of chrf++ the word order is 2 whatever is said here
  TerOptions ter;
};

/// One score with all that is known about it; plain, ready for JSON or a table.
struct MetricResult {
  std::string key;                       // "bleu": Metric::key
  std::string name;                      // "BLEU": Metric::name
  double score = 0;                      // percent
  bool is_share = false;                 // JSON writes score / 100: accuracies and error rates
  std::string signature;                 // sacreBLEU's; empty for measures it does not have
  std::string details;                   // "65.0/40.0/25.0/15.0 (BP = ...": often empty
  std::optional<Interval> interval;      // Wilson's
  std::optional<Confidence> confidence;  // of bootstrap resamples
  std::optional<double> p_value;         // of a paired test against a baseline

  /// "BLEU|nrefs:1|... = 32.10 (μ = 32.07 ± 1.02) 65.0/...": the line that sacreBLEU prints.
  std::string format() const;
};

/// Collects the statistics of a test set's lines and keeps them (8 bytes a statistic: BLEU 10, chrF 18, TER 2 a line).
class MetricSet {
 public:
  explicit MetricSet(const MetricOptions& options = {});

  /// `references` is not empty.
  void add(std::string_view hypothesis, const std::vector<std::string>& references);
  /// Adds hypotheses[i] with references[i], i in [first, first + count), computed on `threads` threads.
  void add_lines(const std::vector<std::string>& hypotheses, const std::vector<std::vector<std::string>>& references,
                 size_t first, size_t count, int threads);

  size_t num_lines() const { return num_lines_; }
  const std::vector<std::unique_ptr<Metric>>& metrics() const { return metrics_; }
  /// The scores in the order of MetricOptions::metrics; with Wilson intervals where they apply.
  std::vector<MetricResult> results() const;
  /// The same with the confidence of `resamples` bootstrap resamples (> 1).
  std::vector<MetricResult> results(const BootstrapOptions& options) const;
  /// The scores of one line alone (BLEU: effective order), in the order of MetricOptions::metrics.
  std::vector<double> line_scores(size_t line) const;
  /// The statistics of all lines and metrics, [num_lines][width], for the paired tests.
  StatisticsTable table() const;

  /// Gives `results` of `system` the p-values and confidences of a paired test against `baseline`, and to both the
  /// signature of the test. Both sets hold the same lines and metrics, else kInvalidArgument.
  static Status compare(const MetricSet& baseline, const MetricSet& system, const PairedOptions& options,
                        std::vector<MetricResult>* results);
  /// What compare() gives the baseline itself: confidences and the signature of the test, no p-value.
  std::vector<MetricResult> baseline_results(const PairedOptions& options) const;

 private:
  void collect(std::string_view hypothesis, const std::vector<std::string>& references, double* row) const;
  void count_references(size_t count);
  std::vector<double> totals() const;
  std::vector<double> score_totals(Span<const double> totals) const;
  std::vector<MetricResult> results_with(const std::string& resampling_fields) const;

  std::vector<std::unique_ptr<Metric>> metrics_;
  size_t width_ = 0;  // statistics a line
  size_t num_lines_ = 0;
  std::vector<double> statistics_;  // [num_lines][width]
  size_t num_references_ = 0;
  bool varying_references_ = false;
};

}  // namespace litenat::eval
