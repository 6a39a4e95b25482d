#include "eval/metric_set.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <system_error>
#include <thread>

namespace litenat::eval {
namespace {

std::unique_ptr<Metric> make_metric(MetricKind kind, const MetricOptions& options) {
  switch (kind) {
    case MetricKind::kBleu:
      return std::make_unique<BleuMetric>(options.bleu);
    case MetricKind::kChrf:
      return std::make_unique<ChrfMetric>(options.chrf);
    case MetricKind::kChrfPlusPlus: {
      ChrfOptions chrf = options.chrf;
      chrf.word_order = 2;
      return std::make_unique<ChrfMetric>(chrf);
    }
    case MetricKind::kTer:
      return std::make_unique<TerMetric>(options.ter);
    case MetricKind::kExact:
      return std::make_unique<AccuracyMetric>(AccuracyKind::kExact);
    case MetricKind::kCharacters:
      return std::make_unique<AccuracyMetric>(AccuracyKind::kCharacters);
    case MetricKind::kErrorRate:
      break;
  }
  return std::make_unique<AccuracyMetric>(AccuracyKind::kErrorRate);
}

std::string two_decimals(double value) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.2f", value);
  return text;
}

std::string test_fields(const PairedOptions& options) {
  return std::string("|") + kPairedTestNames.name(options.test) + ":" + std::to_string(options.num_trials()) +
         "|seed:" + std::to_string(options.seed);
}

}  // namespace

Result<std::vector<MetricKind>> parse_metrics(const std::string& list) {
  std::vector<MetricKind> metrics;
  for (size_t first = 0; first <= list.size();) {
    const size_t end = std::min(list.find(',', first), list.size());
    const std::string name = list.substr(first, end - first);
    MetricKind kind = MetricKind::kBleu;
    if (!kMetricNames.parse(name, &kind))
      return invalid_argument("unknown metric '" + name + "', expected some of " + kMetricNames.list());
    if (std::find(metrics.begin(), metrics.end(), kind) != metrics.end())
      return invalid_argument("metric '" + name + "' is given twice");
    metrics.push_back(kind);
    first = end + 1;
  }
  return metrics;
}

std::string MetricResult::format() const {
  std::string text = name + (signature.empty() ? "" : "|" + signature) + " = " + two_decimals(score);
  if (is_share) text += " %";
  if (interval) text += " [" + two_decimals(interval->low) + ", " + two_decimals(interval->high) + "]";
  // sacreBLEU leaves a mean of 0 out.
  if (confidence && confidence->mean > 0)
    text += " (μ = " + two_decimals(confidence->mean) + " ± " + two_decimals(confidence->half_width) + ")";
  return details.empty() ? text : text + " " + details;
}

MetricSet::MetricSet(const MetricOptions& options) {
  for (const MetricKind kind : options.metrics) {
    metrics_.push_back(make_metric(kind, options));
    width_ += metrics_.back()->num_statistics();
  }
}

void MetricSet::collect(std::string_view hypothesis, const std::vector<std::string>& references, double* row) const {
  for (const auto& metric : metrics_) {
    metric->collect(hypothesis, references, row);
    row += metric->num_statistics();
  }
}

void MetricSet::count_references(size_t count) {
  varying_references_ = varying_references_ || (num_references_ != 0 && num_references_ != count);
  num_references_ = count;
}

void MetricSet::add(std::string_view hypothesis, const std::vector<std::string>& references) {
  statistics_.resize(statistics_.size() + width_);
  collect(hypothesis, references, statistics_.data() + num_lines_ * width_);
  count_references(references.size());
  ++num_lines_;
}

void MetricSet::add_lines(const std::vector<std::string>& hypotheses,
                          const std::vector<std::vector<std::string>>& references, size_t first, size_t count,
                          int threads) {
  constexpr size_t kBlock = 64;  // lines that a thread takes at a time
  statistics_.resize(statistics_.size() + count * width_);
  double* rows = statistics_.data() + num_lines_ * width_;
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t begin = next.fetch_add(kBlock); begin < count; begin = next.fetch_add(kBlock))
      for (size_t i = begin; i < std::min(count, begin + kBlock); ++i)
        collect(hypotheses[first + i], references[first + i], rows + i * width_);
  };
  std::vector<std::thread> helpers;
  const size_t blocks = (count + kBlock - 1) / kBlock;
  try {
    for (size_t i = 1; i < std::min(static_cast<size_t>(std::max(threads, 1)), blocks); ++i) helpers.emplace_back(work);
  } catch (const std::system_error&) {
    // The system allows no more threads: those that there are do the work.
  }
  work();
  for (std::thread& helper : helpers) helper.join();
  for (size_t i = 0; i < count; ++i) count_references(references[first + i].size());
  num_lines_ += count;
}

StatisticsTable MetricSet::table() const { return {statistics_, num_lines_, width_}; }

std::vector<double> MetricSet::totals() const {
  std::vector<double> totals(width_, 0.0);
  for (size_t i = 0; i < statistics_.size(); ++i) totals[i % width_] += statistics_[i];
  return totals;
}

std::vector<double> MetricSet::score_totals(Span<const double> totals) const {
  std::vector<double> scores;
  size_t offset = 0;
  for (const auto& metric : metrics_) {
    scores.push_back(metric->score(totals.subspan(offset, metric->num_statistics())));
    offset += metric->num_statistics();
  }
  return scores;
}

std::vector<MetricResult> MetricSet::results_with(const std::string& resampling_fields) const {
  const std::vector<double> all = totals();
  std::vector<MetricResult> results;
  size_t offset = 0;
  for (const auto& metric : metrics_) {
    const Span<const double> part = Span<const double>(all).subspan(offset, metric->num_statistics());
    offset += metric->num_statistics();
    MetricResult result;
    result.key = metric->key();
    result.name = metric->name();
    result.score = metric->score(part);
    result.details = metric->details(part);
    result.interval = metric->interval(part);
    const std::string fields = metric->signature_fields();
    result.is_share = fields.empty();
    if (!fields.empty()) {
      result.signature = references_field(num_references_, varying_references_);
      result.signature.append(resampling_fields).append("|").append(fields).append("|version:");
      result.signature.append(kSacrebleuVersion);
    }
    results.push_back(std::move(result));
  }
  return results;
}

std::vector<MetricResult> MetricSet::results() const { return results_with(""); }

std::vector<MetricResult> MetricSet::results(const BootstrapOptions& options) const {
  std::vector<MetricResult> results =
      results_with("|bs:" + std::to_string(options.resamples) + "|seed:" + std::to_string(options.seed));
  const std::vector<Confidence> confidences = bootstrap(
      table(), [this](Span<const double> totals) { return score_totals(totals); }, options);
  for (size_t m = 0; m < confidences.size(); ++m) results[m].confidence = confidences[m];
  return results;
}

std::vector<double> MetricSet::line_scores(size_t line) const {
  std::vector<double> scores;
  size_t offset = line * width_;
  for (const auto& metric : metrics_) {
    scores.push_back(metric->line_score(Span<const double>(statistics_).subspan(offset, metric->num_statistics())));
    offset += metric->num_statistics();
  }
  return scores;
}

std::vector<MetricResult> MetricSet::baseline_results(const PairedOptions& options) const {
  std::vector<MetricResult> results = results_with(test_fields(options));
  if (options.test != PairedTest::kBootstrap) return results;
  BootstrapOptions resampling;
  resampling.resamples = options.num_trials();
  resampling.seed = options.seed;
  resampling.stop = options.stop;
  const std::vector<MetricResult> with_confidence = this->results(resampling);
  for (size_t m = 0; m < results.size(); ++m) results[m].confidence = with_confidence[m].confidence;
  return results;
}

Status MetricSet::compare(const MetricSet& baseline, const MetricSet& system, const PairedOptions& options,
                          std::vector<MetricResult>* results) {
  if (baseline.num_lines_ != system.num_lines_)
    return invalid_argument("the system has " + std::to_string(system.num_lines_) + " lines, expected " +
                            std::to_string(baseline.num_lines_) + " as the baseline has");
  if (baseline.width_ != system.width_ || baseline.metrics_.size() != system.metrics_.size())
    return invalid_argument("system and baseline were scored by different metrics");
  *results = system.results_with(test_fields(options));
  const std::vector<PairedResult> tests = paired_test(
      baseline.table(), system.table(), [&](Span<const double> totals) { return system.score_totals(totals); },
      options);
  for (size_t m = 0; m < tests.size(); ++m) {
    (*results)[m].p_value = tests[m].p_value;
    if (tests[m].has_confidence) (*results)[m].confidence = tests[m].confidence;
  }
  return {};
}

}  // namespace litenat::eval
