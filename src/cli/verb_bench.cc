// litenat bench: latency and memory of a model.
#include <chrono>
#include <fstream>
#include <iostream>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/random.h"
#include "cli/converter.h"
#include "cli/evaluation.h"
#include "cli/json_output.h"
#include "cli/program.h"
#include "cli/text_table.h"
#include "cli/verbs.h"
#include "eval/statistics.h"
#include "runtime/executor.h"
#include "text/dictionary.h"

namespace litenat::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct BenchOptions {
  std::string model;
  std::vector<int> lengths = {1, 4, 8, 16, 32, 64};
  std::vector<int> thread_counts;
  std::string pairs;
  double seconds = 0.5;
};

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

struct Latency {
  std::string what;  // "network", "conversion"
  int threads = 1;
  int length = 0;  // rows; 0 = the lines of a file
  std::vector<double> milliseconds;
};

/// Runs `action` for `seconds`, after some runs to warm up, and times every run.
std::vector<double> time_runs(double seconds, const std::function<void(int64_t)>& action) {
  constexpr int kWarmUpRuns = 5;
  for (int64_t i = 0; i < kWarmUpRuns; ++i) action(i);
  std::vector<double> samples;
  const Clock::time_point start = Clock::now();
  while (samples.empty() || milliseconds_since(start) < seconds * 1000) {
    throw_if_interrupted();
    const Clock::time_point begin = Clock::now();
    action(static_cast<int64_t>(samples.size()));
    samples.push_back(milliseconds_since(begin));
  }
  return samples;
}

Latency time_network(const std::shared_ptr<const runtime::Model>& model, int length, int threads, double seconds) {
  const auto executor = value_or_throw(runtime::Executor::create(model, threads));
  SplitMix64 random(1, static_cast<uint64_t>(length));
  const uint64_t tokens = static_cast<uint64_t>(model->spec().source_vocabulary - text::kNumSpecials);
  std::vector<int32_t> ids(static_cast<size_t>(length));
  for (int32_t& id : ids) id = static_cast<int32_t>(text::kNumSpecials + random.below(tokens));
  const std::vector<int32_t> lengths = {length};
  Latency latency{"network", threads, length, {}};
  latency.milliseconds = time_runs(seconds, [&](int64_t) { throw_if_error(executor->run(ids, lengths).status()); });
  return latency;
}

Latency time_conversion(const export_model::ResolvedModel& resolved, const PairSet& set, int threads, double seconds,
                        const Context& context) {
  Converter converter(resolved, EngineOptions(), threads, context);
  Latency latency{"conversion", threads, 0, {}};
  latency.milliseconds = time_runs(seconds, [&](int64_t i) {
    throw_if_error(converter.convert(set.inputs[static_cast<size_t>(i) % set.inputs.size()]).status());
  });
  return latency;
}

/// A line "VmHWM:  1234 kB" of /proc/self/status in bytes; 0 where there is none.
double process_bytes(const std::string& key) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);)
    if (line.compare(0, key.size(), key) == 0) return 1024 * std::strtod(line.c_str() + key.size() + 1, nullptr);
  return 0;
}

struct Memory {
  double load_milliseconds = 0;
  double before = 0;  // resident bytes before the model was opened
  double loaded = 0;
  double peak = 0;
};

JsonResult to_json(const Latency& latency) {
  JsonResult json = {{"what", latency.what}, {"threads", latency.threads}};
  if (latency.length > 0) json["length"] = latency.length;
  json["runs"] = latency.milliseconds.size();
  for (const int p : {50, 95, 99})
    json["p" + std::to_string(p) + "_milliseconds"] = eval::percentile(latency.milliseconds, p);
  json["mean_milliseconds"] = eval::mean(latency.milliseconds);
  return json;
}

void print_table(const std::vector<Latency>& latencies, const Memory& memory) {
  TextTable table({"what", "threads", "rows", "runs", "p50 ms", "p95 ms", "p99 ms", "rows/s"});
  for (const Latency& latency : latencies) {
    const double mean = eval::mean(latency.milliseconds);
    table.add(
        {latency.what, std::to_string(latency.threads), latency.length > 0 ? std::to_string(latency.length) : "lines",
         std::to_string(latency.milliseconds.size()), fixed(eval::percentile(latency.milliseconds, 50), 4),
         fixed(eval::percentile(latency.milliseconds, 95), 4), fixed(eval::percentile(latency.milliseconds, 99), 4),
         latency.length > 0 ? short_count(1000 * latency.length / mean) : "-"});
  }
  std::cout << table.to_string() << "load: " << fixed(memory.load_milliseconds, 2)
            << " ms; resident: " << file_size(memory.before) << " before, " << file_size(memory.loaded) << " loaded, "
            << file_size(memory.peak) << " peak\n";
}

void bench(const BenchOptions& options, const Context& context) {
  PairSet set;
  if (!options.pairs.empty()) set = read_pairs(options.pairs);
  Memory memory;
  memory.before = process_bytes("VmRSS");
  const Clock::time_point start = Clock::now();
  const export_model::ResolvedModel resolved = export_model::resolve_model(options.model);
  memory.load_milliseconds = milliseconds_since(start);
  memory.loaded = process_bytes("VmRSS");
  std::vector<int> thread_counts = options.thread_counts;
  if (thread_counts.empty()) thread_counts = {context.threads_or(1)};
  std::vector<Latency> latencies;
  for (const int threads : thread_counts) {
    for (const int length : options.lengths)
      latencies.push_back(time_network(resolved.model, length, threads, options.seconds));
    if (!set.inputs.empty()) latencies.push_back(time_conversion(resolved, set, threads, options.seconds, context));
  }
  memory.peak = process_bytes("VmHWM");
  if (!context.json) {
    print_table(latencies, memory);
    return;
  }
  JsonResult list = JsonResult::array();
  for (const Latency& latency : latencies) list.push_back(to_json(latency));
  print_json({{"model", options.model},
              {"size_bytes", resolved.size_bytes},
              {"load_milliseconds", memory.load_milliseconds},
              {"resident_bytes_before", memory.before},
              {"resident_bytes_loaded", memory.loaded},
              {"resident_bytes_peak", memory.peak},
              {"latencies", list}});
}

}  // namespace

void add_bench(Program& program) {
  auto options = std::make_shared<BenchOptions>();
  Verb verb = program.add_verb("bench", "Measures latency by length and threads, load time and memory");
  verb.app->add_option("MODEL", options->model, "run folder, checkpoint or .litenat file")->required();
  verb.app->add_option("--lengths", options->lengths, "rows of the sentences")
      ->delimiter(',')
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  verb.app->add_option("--thread-counts", options->thread_counts, "threads of a run (default: --threads, else 1)")
      ->delimiter(',')
      ->check(CLI::Range(1, 1024));
  verb.app->add_option("--pairs", options->pairs, "also time the conversion of these lines (first column)");
  verb.app->add_option("--seconds", options->seconds, "time for each measurement")
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
  verb.with_json();
  verb.examples({"litenat bench model.int8.litenat",
                 "LITENAT_FORCE_ISA=avx2 litenat bench model.litenat --lengths 8,16",
                 "litenat bench model.litenat --thread-counts 1,2,4 --pairs chat.tsv --json"});
  verb.run([options](const Context& context) { bench(*options, context); });
}

}  // namespace litenat::cli
