#include "eval/resampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "eval/numpy_generator.h"

namespace litenat::eval {
namespace {

void add_row(const StatisticsTable& table, size_t line, std::vector<double>* totals) {
  const double* row = table.values.data() + line * table.width;
  for (size_t i = 0; i < table.width; ++i) (*totals)[i] += row[i];
}

bool stopped(const std::function<bool()>& stop) { return stop && stop(); }

/// The scores of metrics in many trials, [metric][trial].
using TrialScores = std::vector<std::vector<double>>;

void append(const std::vector<double>& scores, TrialScores* trials) {
  trials->resize(scores.size());
  for (size_t m = 0; m < scores.size(); ++m) (*trials)[m].push_back(scores[m]);
}

/// Totals of each of `tables` over the same lines, drawn with replacement as many as there are.
void resample(const std::vector<const StatisticsTable*>& tables, NumpyGenerator* generator,
              std::vector<std::vector<double>>* totals) {
  const auto lines = static_cast<uint32_t>(tables[0]->lines);
  for (size_t t = 0; t < tables.size(); ++t) (*totals)[t].assign(tables[t]->width, 0.0);
  for (uint32_t i = 0; i < lines; ++i) {
    const size_t line = generator->below(lines);
    for (size_t t = 0; t < tables.size(); ++t) add_row(*tables[t], line, &(*totals)[t]);
  }
}

/// The share of trials whose statistic exceeds what was observed; both counts one more, so that it is never 0.
double p_value(const std::vector<double>& statistics, double observed) {
  const auto above = std::count_if(statistics.begin(), statistics.end(), [&](double s) { return s > observed; });
  return static_cast<double>(above + 1) / static_cast<double>(statistics.size() + 1);
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::vector<double> score_all(const StatisticsTable& table, const ScoreTotals& score) {
  std::vector<double> totals(table.width, 0.0);
  for (size_t line = 0; line < table.lines; ++line) add_row(table, line, &totals);
  return score(totals);
}

std::vector<double> absolute_differences(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> differences(a.size());
  for (size_t i = 0; i < a.size(); ++i) differences[i] = std::fabs(a[i] - b[i]);
  return differences;
}

/// Scores of both systems in every trial.
struct PairedTrials {
  TrialScores baseline;
  TrialScores system;
};

PairedTrials draw_bootstrap(const StatisticsTable& baseline, const StatisticsTable& system, const ScoreTotals& score,
                            const PairedOptions& options) {
  NumpyGenerator generator(options.seed);
  PairedTrials trials;
  std::vector<std::vector<double>> totals(2);
  for (int i = 0; i < options.num_trials() && !stopped(options.stop); ++i) {
    resample({&baseline, &system}, &generator, &totals);
    append(score(totals[0]), &trials.baseline);
    append(score(totals[1]), &trials.system);
  }
  return trials;
}

/// Two pseudo-systems a trial, each line given at random to the one or the other.
PairedTrials draw_shuffles(const StatisticsTable& baseline, const StatisticsTable& system, const ScoreTotals& score,
                           const PairedOptions& options) {
  NumpyGenerator generator(options.seed);
  NumpyBits bits(&generator);
  PairedTrials trials;
  for (int i = 0; i < options.num_trials() && !stopped(options.stop); ++i) {
    std::vector<double> a(baseline.width, 0.0);
    std::vector<double> b(baseline.width, 0.0);
    for (size_t line = 0; line < baseline.lines; ++line) {
      const bool stays = bits.next();
      add_row(baseline, line, stays ? &a : &b);
      add_row(system, line, stays ? &b : &a);
    }
    append(score(a), &trials.baseline);
    append(score(b), &trials.system);
  }
  return trials;
}

}  // namespace

Confidence estimate_confidence(std::vector<double> scores) {
  if (scores.empty()) return {};
  std::sort(scores.begin(), scores.end());
  const size_t cut = scores.size() / 40;
  return {mean_of(scores), 0.5 * (scores[scores.size() - cut - 1] - scores[cut])};
}

std::vector<Confidence> bootstrap(const StatisticsTable& table, const ScoreTotals& score,
                                  const BootstrapOptions& options) {
  std::vector<Confidence> result;
  if (table.lines == 0) return result;
  NumpyGenerator generator(options.seed);
  TrialScores trials;
  std::vector<std::vector<double>> totals(1);
  for (int i = 0; i < options.resamples && !stopped(options.stop); ++i) {
    resample({&table}, &generator, &totals);
    append(score(totals[0]), &trials);
  }
  for (std::vector<double>& scores : trials) result.push_back(estimate_confidence(std::move(scores)));
  return result;
}

std::vector<PairedResult> paired_test(const StatisticsTable& baseline, const StatisticsTable& system,
                                      const ScoreTotals& score, const PairedOptions& options) {
  const bool bootstrap_test = options.test == PairedTest::kBootstrap;
  std::vector<PairedResult> results;
  if (baseline.lines == 0) return results;
  const std::vector<double> observed = absolute_differences(score_all(baseline, score), score_all(system, score));
  PairedTrials trials = bootstrap_test ? draw_bootstrap(baseline, system, score, options)
                                       : draw_shuffles(baseline, system, score, options);
  for (size_t m = 0; m < trials.system.size(); ++m) {
    std::vector<double> statistics = absolute_differences(trials.baseline[m], trials.system[m]);
    if (bootstrap_test) {  // centred: the resamples scatter around the observed difference, not around none
      const double mean = mean_of(statistics);
      for (double& statistic : statistics) statistic -= mean;
    }
    PairedResult result;
    result.p_value = p_value(statistics, observed[m]);
    result.has_confidence = bootstrap_test;
    if (bootstrap_test) result.confidence = estimate_confidence(std::move(trials.system[m]));
    results.push_back(result);
  }
  return results;
}

}  // namespace litenat::eval
