// litenat bench: latency and memory of a model.
#include <chrono>
#include <fstream>
#include <functional>
#include <iostream>
#include <optional>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/random.h"
#include "cli/converter.h"
#include "cli/evaluation.h"
#include "cli/json_output.h"
#include "cli/program.h"
#include "cli/sequence_converter.h"
#include "cli/text_table.h"
#include "cli/verbs.h"
#include "eval/statistics.h"
#include "runtime/executor.h"
#include "runtime/sequence_executor.h"
#include "text/dictionary.h"

namespace litenat::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct BenchOptions {
  std::string model;
  std::vector<int> lengths = {1, 4, 8, 16, 32, 64};
  std::vector<int> batches = {1};
  std::vector<int> thread_counts;
  std::optional<int> beam;
  std::string pairs;
  double seconds = 0.5;
};

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

struct Latency {
  std::string what;  // "network", "conversion"
  int threads = 1;
  int length = 0;  // rows of a sentence; 0 = the lines of a file
  int batch = 1;   // sentences of a run
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

/// What one measurement of the network is made with.
struct NetworkRun {
  std::shared_ptr<const runtime::Model> model;
  int length = 0;
  int batch = 1;
  int beam = 1;  // autoregressive
  int threads = 1;
  double seconds = 0;

  std::vector<int32_t> random_ids(int64_t count, int64_t vocabulary) const {
    SplitMix64 random(1, static_cast<uint64_t>(count));
    std::vector<int32_t> ids(static_cast<size_t>(count));
    for (int32_t& id : ids)
      id = static_cast<int32_t>(text::kNumSpecials +
                                random.below(static_cast<uint64_t>(vocabulary) - text::kNumSpecials));
    return ids;
  }
  std::vector<int32_t> source() const { return random_ids(int64_t{length} * batch, model->spec().source_vocabulary); }
  std::vector<int32_t> lengths() const { return std::vector<int32_t>(static_cast<size_t>(batch), length); }
};

std::vector<double> time_tagger(const NetworkRun& run) {
  const auto executor = value_or_throw(runtime::Executor::create(run.model, run.threads));
  const std::vector<int32_t> ids = run.source(), lengths = run.lengths();
  return time_runs(run.seconds, [&](int64_t) { throw_if_error(executor->run(ids, lengths).status()); });
}

/// Encodes, then decodes as many rows as the source has, in one pass.
std::vector<double> time_parallel(const NetworkRun& run) {
  const auto executor = value_or_throw(runtime::SequenceExecutor::create(run.model, run.threads));
  const decode::SequenceTraits& traits = executor->traits();
  const int rows = traits.predicts_length ? run.length : static_cast<int>(run.length * traits.length_ratio);
  const std::vector<int32_t> ids = run.source(), lengths = run.lengths();
  const std::vector<int32_t> inputs(static_cast<size_t>(rows) * static_cast<size_t>(run.batch), decode::kUnknownToken);
  const std::vector<int32_t> row_counts(static_cast<size_t>(run.batch), rows);
  std::vector<int32_t> sentences(static_cast<size_t>(run.batch));
  for (size_t i = 0; i < sentences.size(); ++i) sentences[i] = static_cast<int32_t>(i);
  const int32_t candidates = traits.has_transitions ? traits.crf_beam : 1;
  return time_runs(run.seconds, [&](int64_t) {
    throw_if_error(executor->encode(ids, lengths));
    throw_if_error(executor->decode(inputs, row_counts, sentences, candidates, {}).status());
  });
}

/// Encodes, then takes as many steps as the source has rows, with `beam` hypotheses a sentence.
std::vector<double> time_steps(const NetworkRun& run) {
  const auto executor = value_or_throw(runtime::SequenceExecutor::create(run.model, run.threads));
  const std::vector<int32_t> ids = run.source(), lengths = run.lengths();
  const size_t rows = static_cast<size_t>(run.batch) * static_cast<size_t>(run.beam);
  std::vector<int32_t> sentences(rows), same(rows);
  for (size_t i = 0; i < rows; ++i) {
    sentences[i] = static_cast<int32_t>(i / static_cast<size_t>(run.beam));
    same[i] = static_cast<int32_t>(i);
  }
  const std::vector<int32_t> tokens = run.random_ids(static_cast<int64_t>(rows), run.model->spec().target_vocabulary);
  return time_runs(run.seconds, [&](int64_t) {
    throw_if_error(executor->encode(ids, lengths));
    for (int t = 0; t < run.length; ++t)
      throw_if_error(executor->step(tokens, t == 0 ? sentences : same, 2 * run.beam, {}).status());
  });
}

Latency time_network(const NetworkRun& run) {
  Latency latency{"network", run.threads, run.length, run.batch, {}};
  switch (run.model->spec().family) {
    case graph::Family::kTagger:
      latency.milliseconds = time_tagger(run);
      break;
    case graph::Family::kSequence:
      latency.milliseconds = time_steps(run);
      break;
    case graph::Family::kNonAutoregressive:
      latency.milliseconds = time_parallel(run);
      break;
  }
  return latency;
}

/// Sentences one at a time through the whole decoder.
Latency time_translation(const export_model::ResolvedModel& resolved, const PairSet& set, const BenchOptions& options,
                         int threads, const Context& context) {
  SequenceFlags flags;
  flags.beam = resolved.model->spec().family == graph::Family::kSequence ? options.beam : std::nullopt;
  const SequenceSystem system(resolved, EngineOptions(), flags, 1, TextMode());
  SequenceConverter converter(&system, threads, context);
  std::vector<SourceSentence> sentences;
  for (const std::string& line : set.inputs) sentences.push_back(system.read(line));
  Latency latency{"conversion", threads, 0, 1, {}};
  latency.milliseconds = time_runs(options.seconds, [&](int64_t i) {
    throw_if_error(converter.convert({&sentences[static_cast<size_t>(i) % sentences.size()]})[0].status);
  });
  return latency;
}

Latency time_conversion(const export_model::ResolvedModel& resolved, const PairSet& set, int threads, double seconds,
                        const Context& context) {
  Converter converter(resolved, EngineOptions(), threads, context);
  Latency latency{"conversion", threads, 0, 1, {}};
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
  json["batch"] = latency.batch;
  json["runs"] = latency.milliseconds.size();
  for (const int p : {50, 95, 99})
    json["p" + std::to_string(p) + "_milliseconds"] = eval::percentile(latency.milliseconds, p);
  json["mean_milliseconds"] = eval::mean(latency.milliseconds);
  return json;
}

void print_table(const std::vector<Latency>& latencies, const Memory& memory) {
  TextTable table({"what", "threads", "batch", "rows", "runs", "p50 ms", "p95 ms", "p99 ms", "rows/s"});
  for (const Latency& latency : latencies) {
    const double mean = eval::mean(latency.milliseconds);
    table.add({latency.what, std::to_string(latency.threads), std::to_string(latency.batch),
               latency.length > 0 ? std::to_string(latency.length) : "lines",
               std::to_string(latency.milliseconds.size()), fixed(eval::percentile(latency.milliseconds, 50), 4),
               fixed(eval::percentile(latency.milliseconds, 95), 4),
               fixed(eval::percentile(latency.milliseconds, 99), 4),
               latency.length > 0 ? short_count(1000.0 * latency.length * latency.batch / mean) : "-"});
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
    for (const int batch : options.batches)
      for (const int length : options.lengths)
        latencies.push_back(
            time_network({resolved.model, length, batch, options.beam.value_or(1), threads, options.seconds}));
    if (set.inputs.empty()) continue;
    latencies.push_back(is_sequence_model(resolved)
                            ? time_translation(resolved, set, options, threads, context)
                            : time_conversion(resolved, set, threads, options.seconds, context));
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
  Verb verb = program.add_verb("bench", "Measures latency by length, batch and threads, load time and memory");
  verb.app->add_option("MODEL", options->model, "run folder, checkpoint or .litenat file")->required();
  verb.app->add_option("--lengths", options->lengths, "rows of the sentences")
      ->delimiter(',')
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  verb.app->add_option("--batches", options->batches, "sentences of a run")
      ->delimiter(',')
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  verb.app
      ->add_option("--beam", options->beam,
                   "autoregressive models: hypotheses a sentence (default: 1; lines: the model's)")
      ->check(CLI::Range(1, 256));
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
                 "litenat bench runs/transformer --lengths 16,32 --batches 1,32 --beam 5",
                 "litenat bench model.litenat --thread-counts 1,2,4 --pairs chat.tsv --json"});
  verb.run([options](const Context& context) { bench(*options, context); });
}

}  // namespace litenat::cli
