// How sure a score is: bootstrap confidence, paired bootstrap and paired approximate randomisation, as sacreBLEU 2.6.0
// does them and with the same draws (numpy's default_rng). Totals are summed in double precision where sacreBLEU sums
// resamples in single precision, so a resample's score can differ in the sixth digit.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/fields.h"
#include "base/span.h"

namespace litenat::eval {

/// The mean score of bootstrap resamples and half the width of the interval that holds 95 % of them.
struct Confidence {
  double mean = 0;
  double half_width = 0;
};

constexpr uint64_t kDefaultSeed = 12345;  // sacreBLEU's

struct BootstrapOptions {
  int resamples = 1000;
  uint64_t seed = kDefaultSeed;
  std::function<bool()> stop;  // asked now and then; true ends early with what has been drawn
};

/// bs: paired bootstrap (Koehn 2004). ar: paired approximate randomisation (Riezler and Maxwell 2005).
enum class PairedTest { kBootstrap, kRandomisation };
inline const EnumNames<PairedTest> kPairedTestNames{
    {{PairedTest::kBootstrap, "bs"}, {PairedTest::kRandomisation, "ar"}}};

struct PairedOptions {
  PairedTest test = PairedTest::kBootstrap;
  int trials = 0;  // resamples or shuffles; 0 = 1000 for bs, 10000 for ar
  uint64_t seed = kDefaultSeed;
  std::function<bool()> stop;

  int num_trials() const { return trials > 0 ? trials : test == PairedTest::kBootstrap ? 1000 : 10000; }
};

/// The statistics of a set's lines. A view: the values stay with their owner.
struct StatisticsTable {
  Span<const double> values;  // [lines][width]
  size_t lines = 0;
  size_t width = 0;
};

/// The scores (one a metric) of the totals of all statistics of a line ([width]).
using ScoreTotals = std::function<std::vector<double>(Span<const double> totals)>;

/// The mean of `scores` and half the distance between the 2.5 % at either end.
Confidence estimate_confidence(std::vector<double> scores);

/// One Confidence a metric; empty when there is no line.
std::vector<Confidence> bootstrap(const StatisticsTable& table, const ScoreTotals& score,
                                  const BootstrapOptions& options);

/// One metric of a system compared with a baseline.
struct PairedResult {
  double p_value = 1;
  bool has_confidence = false;  // bs only
  Confidence confidence;        // of the system
};

/// One PairedResult a metric. Both tables have the same shape. Equal systems get the smallest p-value, as from
/// sacreBLEU: no trial's difference exceeds theirs.
std::vector<PairedResult> paired_test(const StatisticsTable& baseline, const StatisticsTable& system,
                                      const ScoreTotals& score, const PairedOptions& options);

}  // namespace litenat::eval
