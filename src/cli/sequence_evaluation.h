// Scoring a model with a decoder on test sets.
#pragma once

#include <string>
#include <vector>

#include "cli/json_output.h"
#include "cli/sequence_batches.h"
#include "cli/sequence_sets.h"
#include "eval/metric_set.h"

namespace litenat::cli {

struct SequenceEvaluation {
  std::string name;
  int64_t lines = 0;
  int64_t failed_lines = 0;                 // counted as empty outputs
  std::vector<eval::MetricResult> metrics;  // of the best outputs: BLEU, chrF2, TER, accuracies, CER
  double top_exact = 0;                     // share of the lines of which one of --nbest outputs equals a reference
  int64_t output_tokens = 0;
  double seconds = 0;            // wall time of all batches
  double mean_milliseconds = 0;  // until a line's batch was done; the delay of a line where batches are single lines
  double p95_milliseconds = 0;
  std::vector<std::string> outputs;  // the best one of every line

  double sentences_per_second() const { return seconds > 0 ? static_cast<double>(lines) / seconds : 0; }
  double tokens_per_second() const { return seconds > 0 ? static_cast<double>(output_tokens) / seconds : 0; }
  JsonResult to_json() const;
};

/// Converts and scores the sentences of `set`.
SequenceEvaluation evaluate_sequence_set(const SequenceSet& set, SequenceWorkers* workers, eval::Tokenizer tokenizer,
                                         const Context& context);

/// A table of all results for people, and the signature of BLEU.
std::string sequence_evaluation_table(const std::vector<SequenceEvaluation>& results);

}  // namespace litenat::cli
