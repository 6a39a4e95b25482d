// The self-contained HTML page of `litenat report`.
#pragma once

#include <string>
#include <vector>

#include "cli/evaluation.h"
#include "cli/model_facts.h"
#include "cli/plot.h"

namespace litenat::cli {

struct ReportModel {
  std::string name;
  ModelFacts facts;
  std::vector<EvaluationResult> results;  // one a set, the same sets for every model
  std::vector<Series> training;           // nll by update, from log.jsonl; empty when there is none
};

/// Rows of the sentence that the page counts multiply-adds for.
constexpr int64_t kReportLength = 16;

/// A whole page: tables of quality, size, compute and latency, and pictures as inline SVG. `models` is not empty.
std::string report_page(const std::vector<ReportModel>& models);

}  // namespace litenat::cli
