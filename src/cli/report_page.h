// The self-contained HTML page of `litenat report`.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/evaluation.h"
#include "cli/model_facts.h"
#include "cli/plot.h"
#include "cli/sequence_evaluation.h"

namespace litenat::cli {

/// How a model did on one set: named cells of the set's table, and what pictures show.
struct ReportScore {
  std::string set;
  int64_t lines = 0;
  std::vector<std::pair<std::string, std::string>> cells;  // column and value; the same columns for every model
  double quality = 0;                                      // percent: characters of text entry, BLEU of translation
  double exact = 0;                                        // percent of the lines
  double milliseconds = 0;                                 // a line
  std::optional<double> baseline;                          // quality of the baseline
  std::vector<std::pair<std::string, std::string>> baseline_cells;  // those columns that it has
  std::string signature;                                            // of BLEU
};
ReportScore report_score(const EvaluationResult& result);
ReportScore report_score(const SequenceEvaluation& result);

struct ReportModel {
  std::string name;
  ModelFacts facts;
  std::vector<ReportScore> results;  // one a set, the same sets for every model
  std::vector<Series> training;      // nll by update, from log.jsonl; empty when there is none
};

/// What the page measures quality in: "characters", "BLEU"; and what its baseline is.
struct ReportQuality {
  std::string name = "characters %";
  std::string baseline = "commonest hanzi";
};

/// Rows of the sentence that the page counts multiply-adds for.
constexpr int64_t kReportLength = 16;

/// A whole page: tables of quality, size, compute and latency, and pictures as inline SVG. `models` is not empty.
std::string report_page(const std::vector<ReportModel>& models, const ReportQuality& quality);

}  // namespace litenat::cli
