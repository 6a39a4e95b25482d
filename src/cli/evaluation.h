// Scoring a model on sets of typed keys and their hanzi.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/converter.h"
#include "cli/json_output.h"
#include "eval/accuracy.h"

namespace litenat::cli {

/// Inputs with one or more references each.
struct PairSet {
  std::string name;
  std::vector<std::string> inputs;
  std::vector<std::vector<std::string>> references;
};

/// Reads a tab-separated file: input, reference, more references. Throws Error naming the line.
PairSet read_pairs(const std::string& path);

/// Every .tsv file of a corpus folder whose name starts with "<subset>.", by name.
std::vector<std::string> corpus_pair_files(const std::string& folder, const std::string& subset);

struct EvaluationResult {
  std::string name;
  eval::AccuracyCounts accuracy;
  double bleu = 0;
  std::string bleu_signature;
  int64_t failed_lines = 0;      // not converted: counted as empty outputs
  double mean_milliseconds = 0;  // of a line
  double p95_milliseconds = 0;
  double keys_per_second = 0;  // of all threads together
  bool has_baseline = false;
  eval::AccuracyCounts baseline;
  std::vector<std::string> outputs;  // the best candidate of every line

  JsonResult to_json() const;
};

/// Converts the lines of `set` on `threads` threads (one converter each) and scores them.
EvaluationResult evaluate_set(const PairSet& set, const export_model::ResolvedModel& resolved,
                              const EngineOptions& options, bool with_baseline, int num_best, const Context& context);

/// A table of all results for people.
std::string evaluation_table(const std::vector<EvaluationResult>& results);

}  // namespace litenat::cli
