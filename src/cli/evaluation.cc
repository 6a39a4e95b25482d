#include "cli/evaluation.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <filesystem>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "cli/baseline.h"
#include "cli/text_files.h"
#include "cli/text_table.h"
#include "eval/bleu.h"
#include "eval/statistics.h"

namespace litenat::cli {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// What the threads fill in, each at its own lines.
struct LineResults {
  explicit LineResults(size_t count) : candidates(count), milliseconds(count), failed(count) {}
  std::vector<std::vector<std::string>> candidates;
  std::vector<double> milliseconds;
  std::vector<char> failed;
};

/// Takes lines of a set one after the other until none is left or someone failed.
class LineWorker {
 public:
  LineWorker(const PairSet& set, LineResults* results) : set_(set), results_(results) {}

  void run(Converter* converter, const std::function<void(int64_t)>& report) {
    try {
      for (size_t i = next_++; i < set_.inputs.size() && !interrupted() && !stop_; i = next_++) {
        convert(converter, i);
        if (report) report(static_cast<int64_t>(i));
      }
    } catch (...) {
      stop_ = true;
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!error_) error_ = std::current_exception();
    }
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void convert(Converter* converter, size_t i) {
    const Clock::time_point start = Clock::now();
    const auto candidates = converter->convert(set_.inputs[i]);
    results_->milliseconds[i] = milliseconds_since(start);
    results_->failed[i] = candidates.ok() ? 0 : 1;
    if (!candidates.ok()) {
      const std::lock_guard<std::mutex> lock(mutex_);
      log_warning(set_.name + ", line " + std::to_string(i + 1) + ": " + candidates.status().message());
      return;
    }
    for (const decode::Candidate& candidate : candidates.value()) results_->candidates[i].push_back(candidate.text);
  }

  const PairSet& set_;
  LineResults* results_;
  std::atomic<size_t> next_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::exception_ptr error_;
};

/// Converts every line; returns the wall time in seconds.
double convert_lines(const PairSet& set, std::vector<std::unique_ptr<Converter>>* converters, const Context& context,
                     LineResults* results) {
  const auto progress = context.progress(set.name, static_cast<int64_t>(set.inputs.size()), "lines");
  const Clock::time_point start = Clock::now();
  LineWorker worker(set, results);
  std::vector<std::thread> threads;
  for (size_t i = 1; i < converters->size(); ++i)
    threads.emplace_back([&, i] { worker.run((*converters)[i].get(), nullptr); });
  worker.run((*converters)[0].get(), [&](int64_t done) { progress->update(done); });
  for (std::thread& thread : threads) thread.join();
  worker.rethrow();
  throw_if_interrupted();
  return milliseconds_since(start) / 1000;
}

void score_lines(const PairSet& set, const LineResults& lines, EvaluationResult* result) {
  eval::Bleu bleu(eval::Tokenizer::kChar);
  for (size_t i = 0; i < set.inputs.size(); ++i) {
    const auto& candidates = lines.candidates[i];
    result->outputs.push_back(candidates.empty() ? "" : candidates[0]);
    result->accuracy.add_candidates(candidates, set.references[i]);
    bleu.add(result->outputs.back(), set.references[i]);
    result->failed_lines += lines.failed[i];
  }
  result->bleu = bleu.score().score;
  result->bleu_signature = bleu.signature();
  result->mean_milliseconds = eval::mean(lines.milliseconds);
  result->p95_milliseconds = eval::percentile(lines.milliseconds, 95);
}

void score_baseline(const PairSet& set, const decode::ImeResources* resources, EvaluationResult* result) {
  BaselineConverter baseline(*resources);
  for (size_t i = 0; i < set.inputs.size(); ++i)
    result->baseline.add(baseline.convert(set.inputs[i]), set.references[i]);
  result->has_baseline = true;
}

JsonResult accuracy_json(const eval::AccuracyCounts& counts) {
  return {{"exact", counts.exact_accuracy()},
          {"characters", counts.character_accuracy()},
          {"character_error_rate", counts.character_error_rate()}};
}

}  // namespace

PairSet read_pairs(const std::string& path) {
  PairSet set;
  set.name = fs::path(path).stem().string();
  int64_t number = 0;
  for (const std::string& line : read_lines(path)) {
    ++number;
    if (line.empty()) continue;
    std::vector<std::string> columns = split_tabs(line);
    if (columns.size() < 2)
      throw Error(path + ":" + std::to_string(number) + ": has no tab, expected an input, a tab and the reference");
    set.inputs.push_back(columns[0]);
    set.references.emplace_back(columns.begin() + 1, columns.end());
  }
  if (set.inputs.empty()) throw Error(path + ": has no line, expected an input, a tab and the reference on each");
  return set;
}

std::vector<std::string> corpus_pair_files(const std::string& folder, const std::string& subset) {
  std::error_code error;
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name.compare(0, subset.size() + 1, subset + ".") == 0 && entry.path().extension() == ".tsv")
      files.push_back(entry.path().string());
  }
  if (files.empty())
    throw Error(folder + ": holds no file " + subset + ".*.tsv, expected a folder of `litenat corpus ime`");
  std::sort(files.begin(), files.end());
  return files;
}

EvaluationResult evaluate_set(const PairSet& set, const export_model::ResolvedModel& resolved,
                              const EngineOptions& options, bool with_baseline, int num_best, const Context& context) {
  std::vector<std::unique_ptr<Converter>> converters;
  for (int i = 0; i < context.threads_or(1); ++i) {
    converters.push_back(std::make_unique<Converter>(resolved, options, 1, context));
    converters.back()->options().num_best = num_best;
  }
  LineResults lines(set.inputs.size());
  const double seconds = convert_lines(set, &converters, context, &lines);
  EvaluationResult result;
  result.name = set.name;
  score_lines(set, lines, &result);
  size_t keys = 0;
  for (const std::string& input : set.inputs) keys += input.size();
  result.keys_per_second = seconds > 0 ? static_cast<double>(keys) / seconds : 0;
  if (with_baseline) score_baseline(set, resolved.model->ime(), &result);
  return result;
}

JsonResult EvaluationResult::to_json() const {
  JsonResult json = {{"set", name}, {"lines", accuracy.lines}, {"failed_lines", failed_lines}};
  json.update(accuracy_json(accuracy));
  json["top_n"] = accuracy.top_accuracy();
  json["bleu"] = bleu;
  json["bleu_signature"] = bleu_signature;
  json["mean_milliseconds"] = mean_milliseconds;
  json["p95_milliseconds"] = p95_milliseconds;
  json["keys_per_second"] = keys_per_second;
  if (has_baseline) json["baseline"] = accuracy_json(baseline);
  return json;
}

std::string evaluation_table(const std::vector<EvaluationResult>& results) {
  const bool with_baseline = !results.empty() && results[0].has_baseline;
  std::vector<std::string> header = {"set",  "lines",   "exact %", "chars %", "CER %",
                                     "BLEU", "ms mean", "ms p95",  "keys/s"};
  if (with_baseline) header.insert(header.end(), {"base exact %", "base chars %"});
  TextTable table(header);
  for (const EvaluationResult& result : results) {
    std::vector<std::string> row = {result.name,
                                    std::to_string(result.accuracy.lines),
                                    percent(result.accuracy.exact_accuracy()),
                                    percent(result.accuracy.character_accuracy()),
                                    percent(result.accuracy.character_error_rate()),
                                    fixed(result.bleu, 2),
                                    fixed(result.mean_milliseconds, 3),
                                    fixed(result.p95_milliseconds, 3),
                                    short_count(result.keys_per_second)};
    if (with_baseline) {
      row.push_back(percent(result.baseline.exact_accuracy()));
      row.push_back(percent(result.baseline.character_accuracy()));
    }
    table.add(row);
  }
  return table.to_string();
}

}  // namespace litenat::cli
