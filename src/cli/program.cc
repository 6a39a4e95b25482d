#include "cli/program.h"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <new>
#include <thread>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "cli/signals.h"
#include "cli/version.h"

namespace litenat::cli {
namespace {

const std::vector<std::string> kLogLevels = {"debug", "info", "warning", "error", "off"};

/// Writes log messages to stderr, above a progress bar when there is one.
class StderrSink : public spdlog::sinks::base_sink<std::mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t text;
    formatter_->format(message, text);
    with_bar_hidden([&] { std::fwrite(text.data(), 1, text.size(), stderr); });
  }
  void flush_() override { std::fflush(stderr); }
};

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      break;
  }
  return spdlog::level::err;
}

std::string environment_or(const char* name, const std::string& fallback) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : fallback;
}

/// An error is one line, whatever went into its message.
std::string one_line(std::string text) {
  for (char& c : text)
    if (c == '\n' || c == '\r') c = ' ';
  return text;
}

int fail(int status, const std::string& message) {
  std::cerr << "litenat: error: " << one_line(message) << std::endl;
  return status;
}

/// Runs `action` and turns what it throws into an exit status and one line on stderr.
int guarded(const std::function<int()>& action) {
  try {
    return action();
  } catch (const Interrupted& interrupt) {
    std::cerr << "litenat: interrupted" << std::endl;
    return 128 + interrupt.signal;
  } catch (const UsageError& error) {
    return fail(2, error.what());
  } catch (const Error& error) {
    return fail(1, error.what());
  } catch (const std::bad_alloc&) {
    return fail(1, "out of memory: use a smaller input or a machine with more memory");
  } catch (const std::exception& error) {
    return fail(1, std::string("unexpected error: ") + error.what());
  }
}

}  // namespace

int Context::threads_or_all() const {
  return threads > 0 ? threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

void Verb::with_json() { app->add_flag("--json", program_->context_.json, "print the result as JSON"); }

void Verb::examples(const std::vector<std::string>& lines) {
  std::string text = "Examples:";
  for (const std::string& line : lines) text += "\n  " + line;
  app->footer(text);
}

void Verb::run(std::function<void(const Context&)> action) {
  Program* program = program_;
  app->callback([program, action] { program->chosen_action_ = [program, action] { action(program->context_); }; });
}

Program::Program() : app_("Trains, compresses and runs lightweight sequence models on the device.", "litenat") {
  app_.set_version_flag("--version", version_text, "print the version, the CPU features in use and the engines");
  app_.set_help_flag("-h,--help", "print this help");
  app_.require_subcommand(0, 1);
  app_.footer("litenat VERB --help explains a verb.");
  app_.get_formatter()->column_width(34);
}

Verb Program::add_verb(const std::string& name, const std::string& description) {
  verb_names_.push_back(name);
  CLI::App* parent = &app_;
  std::string last = name;
  const size_t space = name.find(' ');
  if (space != std::string::npos) {
    const std::string group = name.substr(0, space);
    last = name.substr(space + 1);
    const auto known = app_.get_subcommands([&](CLI::App* app) { return app->get_name() == group; });
    parent = known.empty() ? app_.add_subcommand(group, "Makes " + group + " files")->require_subcommand(1) : known[0];
  }
  CLI::App* app = parent->add_subcommand(last, description);
  add_common_flags(app);
  return Verb(app, this);
}

void Program::add_common_flags(CLI::App* app) {
  app->add_option("--log-level", log_level_, "least level of the messages on stderr")
      ->check(CLI::IsMember(kLogLevels))
      ->default_str("info")
      ->group("Common");
  app->add_flag("-q,--quiet", context_.quiet, "no progress, and only warnings on stderr")->group("Common");
  app->add_option("--threads", context_.threads, "threads to use (default: LITENAT_NUM_THREADS, else what suits)")
      ->check(CLI::Range(1, 1024))
      ->group("Common");
}

void Program::start_logging() {
  if (log_level_.empty()) log_level_ = environment_or("LITENAT_LOG", context_.quiet ? "warning" : "info");
  auto logger = std::make_shared<spdlog::logger>("litenat", std::make_shared<StderrSink>());
  logger->set_level(spdlog::level::from_str(log_level_));
  logger->set_pattern("%^%l%$: %v");
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(logger);
  set_log_sink([logger](LogLevel level, const std::string& message) { logger->log(spdlog_level(level), message); });
  context_.progress_style = context_.quiet ? ProgressStyle::kQuiet : default_progress_style();
}

int Program::report_usage(const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app_.exit(error, std::cout, std::cerr);
  std::cerr << "litenat: " << one_line(error.what()) << std::endl;
  std::string verb = "litenat";
  for (const CLI::App* app = &app_; !app->get_subcommands().empty();) {
    app = app->get_subcommands().front();
    verb += " " + app->get_name();
  }
  std::cerr << "'" << verb << " --help' shows the usage." << std::endl;
  return 2;
}

int Program::parse_and_run(int argc, const char* const* argv) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report_usage(error);
  }
  if (!chosen_action_) {
    std::cout << app_.help();
    return 0;
  }
  if (context_.threads == 0) {
    const std::string text = environment_or("LITENAT_NUM_THREADS", "0");
    context_.threads = std::atoi(text.c_str());
    if (context_.threads < 0 || context_.threads > 1024 || text.find_first_not_of("0123456789") != std::string::npos)
      throw UsageError("LITENAT_NUM_THREADS is \"" + text + "\", expected a number from 1 to 1024");
  }
  start_logging();
  chosen_action_();
  std::cout.flush();
  if (!std::cout) throw Error("cannot write to standard output: check that its disk is not full");
  return 0;
}

int Program::run(int argc, const char* const* argv) {
  catch_signals();
  return guarded([&] { return parse_and_run(argc, argv); });
}

}  // namespace litenat::cli
