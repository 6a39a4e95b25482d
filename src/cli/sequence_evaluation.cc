#include "cli/sequence_evaluation.h"

#include <algorithm>
#include <chrono>

#include "base/log.h"
#include "cli/text_table.h"
#include "eval/statistics.h"

namespace litenat::cli {
namespace {

bool any_equals(const std::vector<SequenceOutput>& outputs, const std::vector<std::string>& references) {
  return std::any_of(outputs.begin(), outputs.end(), [&](const SequenceOutput& output) {
    return std::find(references.begin(), references.end(), output.text) != references.end();
  });
}

std::vector<SequenceResult> convert_all(const SequenceSet& set, SequenceWorkers* workers, const Context& context) {
  const auto progress = context.progress(set.name, static_cast<int64_t>(set.sources.size()), "lines");
  std::vector<SequenceResult> all(set.sources.size());
  int64_t done = 0;
  workers->run(set.sources, [&](const std::vector<size_t>& numbers, std::vector<SequenceResult> results) {
    for (size_t i = 0; i < numbers.size(); ++i) all[numbers[i]] = std::move(results[i]);
    progress->update(done += static_cast<int64_t>(numbers.size()));
  });
  return all;
}

void take_lines(const SequenceSet& set, const std::vector<SequenceResult>& results, SequenceEvaluation* evaluation) {
  std::vector<double> milliseconds;
  for (size_t i = 0; i < results.size(); ++i) {
    const SequenceResult& result = results[i];
    milliseconds.push_back(result.milliseconds);
    evaluation->outputs.push_back(result.outputs.empty() ? "" : result.outputs[0].text);
    evaluation->output_tokens += result.outputs.empty() ? 0 : result.outputs[0].num_tokens;
    evaluation->top_exact += any_equals(result.outputs, set.references[i]) ? 1 : 0;
    if (result.status.ok()) continue;
    ++evaluation->failed_lines;
    log_warning(set.name + ", line " + std::to_string(i + 1) + ": " + result.status.message());
  }
  evaluation->lines = static_cast<int64_t>(results.size());
  evaluation->top_exact /= static_cast<double>(results.size());
  evaluation->mean_milliseconds = eval::mean(milliseconds);
  evaluation->p95_milliseconds = eval::percentile(milliseconds, 95);
}

/// The score of the metric `key`, as text.
std::string score_of(const SequenceEvaluation& result, const std::string& key) {
  for (const eval::MetricResult& metric : result.metrics)
    if (metric.key == key) return fixed(metric.score, 2);
  return "";
}

}  // namespace

SequenceEvaluation evaluate_sequence_set(const SequenceSet& set, SequenceWorkers* workers, eval::Tokenizer tokenizer,
                                         const Context& context) {
  SequenceEvaluation evaluation;
  evaluation.name = set.name;
  const auto start = std::chrono::steady_clock::now();
  const std::vector<SequenceResult> results = convert_all(set, workers, context);
  evaluation.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  take_lines(set, results, &evaluation);
  eval::MetricOptions options;
  options.bleu.tokenizer = tokenizer;
  eval::MetricSet metrics(options);
  metrics.add_lines(evaluation.outputs, set.references, 0, evaluation.outputs.size(), context.threads_or(1));
  evaluation.metrics = metrics.results();
  return evaluation;
}

JsonResult SequenceEvaluation::to_json() const {
  JsonResult json = {{"set", name}, {"lines", lines}, {"failed_lines", failed_lines}};
  for (const eval::MetricResult& metric : metrics) {
    json[metric.key] = metric.score;
    if (!metric.signature.empty()) json[metric.key + "_signature"] = metric.signature;
  }
  json["top_n_accuracy"] = 100 * top_exact;
  json["output_tokens"] = output_tokens;
  json["seconds"] = seconds;
  json["sentences_per_second"] = sentences_per_second();
  json["tokens_per_second"] = tokens_per_second();
  json["mean_milliseconds"] = mean_milliseconds;
  json["p95_milliseconds"] = p95_milliseconds;
  return json;
}

std::string sequence_evaluation_table(const std::vector<SequenceEvaluation>& results) {
  TextTable table({"set", "lines", "BLEU", "chrF2", "TER", "exact %", "chars %", "sentences/s", "tokens/s"});
  for (const SequenceEvaluation& result : results)
    table.add({result.name, std::to_string(result.lines), score_of(result, "bleu"), score_of(result, "chrf2"),
               score_of(result, "ter"), score_of(result, "exact_accuracy"), score_of(result, "character_accuracy"),
               short_count(result.sentences_per_second()), short_count(result.tokens_per_second())});
  std::string text = table.to_string();
  for (const eval::MetricResult& metric : results.empty() ? std::vector<eval::MetricResult>() : results[0].metrics)
    if (metric.key == "bleu") text += "BLEU|" + metric.signature + "\n";
  return text;
}

}  // namespace litenat::cli
