// The frame of the `litenat` program: verbs, the flags that all of them share, exit statuses.
//
// A verb is one file, verb_<name>.cc, with one function that cli/verbs.h declares and cli/verbs.cc calls:
//
//     void add_average(Program& program) {
//       auto options = std::make_shared<AverageOptions>();
//       Verb verb = program.add_verb("average", "Averages checkpoints into one");
//       verb.app->add_option("CHECKPOINT", options->inputs, "checkpoints to average")->required();
//       verb.app->add_option("-o,--output", options->output, "file to write")->required();
//       verb.with_json();                                   // only for verbs that print a result
//       verb.examples({"litenat average run/checkpoints/*.safetensors -o averaged.safetensors"});
//       verb.run([options](const Context& context) { ... });  // throws litenat::Error
//     }
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/progress.h"

namespace litenat::cli {

/// The common flags of the verb that runs.
struct Context {
  int threads = 0;    // of --threads or LITENAT_NUM_THREADS; 0 = not given
  bool json = false;  // --json: the result is JSON on stdout, nothing else is
  bool quiet = false;
  ProgressStyle progress_style = ProgressStyle::kLines;

  /// The number of threads for a verb that works best on every core unless told otherwise.
  int threads_or_all() const;
  /// The number of threads for a verb that works best on `fallback` threads.
  int threads_or(int fallback) const { return threads > 0 ? threads : fallback; }
  std::unique_ptr<Progress> progress(const std::string& label, int64_t total, const std::string& unit) const {
    return make_progress(progress_style, label, total, unit);
  }
};

class Program;

/// A handle to a verb while it is being described. Cheap to copy.
class Verb {
 public:
  CLI::App* app;  // options are added here; owned by the program

  /// Adds --json.
  void with_json();
  /// Command lines shown at the end of --help.
  void examples(const std::vector<std::string>& lines);
  /// What the verb does once its options are parsed. Throw Error (exit 1), UsageError (2) or Interrupted (128 +
  /// signal).
  void run(std::function<void(const Context&)> action);

 private:
  friend class Program;
  Verb(CLI::App* app_in, Program* program) : app(app_in), program_(program) {}
  Program* program_;
};

class Program {
 public:
  Program();
  /// Adds the verb `name`; "corpus ime" is the verb `ime` of the group `corpus` (made at its first use).
  Verb add_verb(const std::string& name, const std::string& description);
  /// Parses, runs the verb, reports errors on stderr. Returns the exit status: 0 done, 1 failed, 2 wrong usage,
  /// 128 + signal when interrupted.
  int run(int argc, const char* const* argv);
  /// "average", "corpus ime", ...: in the order of registration.
  const std::vector<std::string>& verb_names() const { return verb_names_; }

 private:
  friend class Verb;
  void add_common_flags(CLI::App* app);
  int parse_and_run(int argc, const char* const* argv);
  int report_usage(const CLI::ParseError& error);
  void start_logging();

  CLI::App app_;
  Context context_;
  std::string log_level_;
  std::function<void()> chosen_action_;
  std::vector<std::string> verb_names_;
};

}  // namespace litenat::cli
