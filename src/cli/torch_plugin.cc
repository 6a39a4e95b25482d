// liblitenat_torch.so: all that needs libtorch, behind cli/torch_api.h.
#include <torch/version.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <thread>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "cli/torch_api.h"
#include "config/config.h"
#include "train/average_checkpoints.h"
#include "train/c10d_group.h"
#include "train/device.h"
#include "train/torch_engine.h"
#include "train/torch_sequence_engine.h"
#include "train/trainer.h"

namespace litenat::cli {
namespace {

/// Runs `action`; what libtorch throws becomes our one-line Error (its own messages go on with a stack trace).
template <typename Action>
auto guarded(const Action& action) -> decltype(action()) {
  try {
    return action();
  } catch (const Error&) {
    throw;
  } catch (const c10::OutOfMemoryError& error) {
    const std::string text = error.what_without_backtrace();
    throw Error("out of memory on the device: lower data.batch.max_tokens and raise train.update_freq (" +
                text.substr(0, text.find('\n')) + ")");
  } catch (const std::bad_alloc&) {
    throw Error("out of memory: lower data.batch.max_tokens or data.prefetch");
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    throw Error("libtorch: " + text.substr(0, text.find('\n')));
  } catch (const std::exception& error) {  // of the file system, the standard library, libtorch's plain ones
    const std::string text = error.what();
    throw Error(text.substr(0, text.find('\n')));
  }
}

/// Shows training on the program's progress display.
class ProgressListener : public train::TrainListener {
 public:
  explicit ProgressListener(const ProgressFactory& factory) : factory_(factory) {}
  void on_start(int64_t updates_done, int64_t total_updates) override {
    progress_ = factory_("train", total_updates, "updates");
    progress_->update(updates_done);
  }
  void on_update(int64_t updates_done, const std::string& note) override { progress_->update(updates_done, note); }
  void on_message(const std::string& message) override { log_info(message); }

 private:
  ProgressFactory factory_;
  std::unique_ptr<Progress> progress_;
};

/// What ranks other than the first show: nothing.
class SilentListener : public train::TrainListener {
 public:
  void on_start(int64_t /*updates_done*/, int64_t /*total_updates*/) override {}
  void on_update(int64_t /*updates_done*/, const std::string& /*note*/) override {}
  void on_message(const std::string& /*message*/) override {}
};

/// Joins the other processes where a launcher has started several.
void join_ranks(const train::RankEnvironment& environment, double timeout_minutes, const LogSink& log,
                train::TrainOptions* options) {
  if (environment.size == 1) return;
  options->group = train::make_process_group(environment, 60 * timeout_minutes);
  options->local_rank = environment.local_rank;
  if (options->threads == 0)
    options->threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / environment.local_size);
  if (environment.rank == 0) return;
  const std::string name = "rank " + std::to_string(environment.rank) + ": ";
  set_log_sink([log, name](LogLevel level, const std::string& message) {
    if (level >= LogLevel::kWarning) log(level, name + message);
  });
}

std::string default_run_folder(const std::string& config_path) {
  return "runs/" + std::filesystem::path(config_path).stem().string();
}

void print_result(const train::TrainResult& result, const std::string& run_folder) {
  std::printf("%s: %lld updates in %.0f s on %s, %lld parameters\n", run_folder.c_str(),
              static_cast<long long>(result.updates), result.seconds, result.device.c_str(),
              static_cast<long long>(result.parameters));
  if (!result.report) return;
  std::printf("best validation at update %lld; at the end:\n", static_cast<long long>(result.best_update));
  for (const train::ModeScore& score : result.report->modes)
    std::printf("  %-16s nll %.4f  accuracy %.2f %%\n", score.mode.c_str(), score.nll, 100 * score.accuracy);
  if (result.report->bleu) std::printf("  BLEU %.2f (greedy)\n", *result.report->bleu);
  std::fflush(stdout);
}

class TorchLibrary : public TorchApi {
 public:
  explicit TorchLibrary(const TorchHost* host) : host_(host) {}

  std::string description() const override {
    std::string text = "libtorch " TORCH_VERSION ", devices: cpu";
    for (int i = 0;; ++i) {
      try {
        text += ", " + train::choose_device("cuda:" + std::to_string(i)).str();
      } catch (const Error&) {
        return text;
      }
    }
  }

  void run_train(const TrainArguments& arguments) override {
    guarded([&] {
      train::TrainConfig config;
      config::load_config(arguments.config_path, arguments.overrides, &config);
      train::TrainOptions options;
      options.run_folder = !arguments.run_folder.empty()   ? arguments.run_folder
                           : !config.train.run_dir.empty() ? config.train.run_dir
                                                           : default_run_folder(arguments.config_path);
      options.threads = arguments.threads;
      options.restart = arguments.restart;
      const train::RankEnvironment environment = train::RankEnvironment::read();
      join_ranks(environment, config.train.rank_timeout, host_->log, &options);
      ProgressListener shown(host_->progress);
      SilentListener silent;
      train::TrainListener* listener = environment.rank == 0 ? static_cast<train::TrainListener*>(&shown) : &silent;
      const train::TrainResult result = train::Trainer(config, options, listener).run();
      if (environment.rank != 0) return;
      if (arguments.json)
        std::cout << result.to_json().dump() << std::endl;
      else
        print_result(result, options.run_folder);
    });
  }

  void average(const AverageArguments& arguments) override {
    guarded([&] { train::average_checkpoints(arguments.inputs, arguments.output); });
  }

  std::unique_ptr<decode::TaggerEngine> open_engine(const std::string& checkpoint_path,
                                                    const std::string& device) override {
    return guarded([&]() -> std::unique_ptr<decode::TaggerEngine> {
      return std::make_unique<train::TorchEngine>(checkpoint_path, device);
    });
  }

  std::unique_ptr<decode::SequenceEngine> open_sequence_engine(const std::string& checkpoint_path,
                                                               const std::string& device) override {
    return guarded([&]() -> std::unique_ptr<decode::SequenceEngine> {
      return std::make_unique<train::TorchSequenceEngine>(checkpoint_path, device);
    });
  }

 private:
  const TorchHost* host_;
};

}  // namespace
}  // namespace litenat::cli

extern "C" __attribute__((visibility("default"))) litenat::cli::TorchApi* litenat_torch_open(
    int version, const litenat::cli::TorchHost* host) {
  if (version != litenat::cli::kTorchApiVersion) return nullptr;
  litenat::set_log_sink(host->log);
  if (host->interrupt != nullptr) litenat::share_interrupt_flag(host->interrupt);
  static litenat::cli::TorchLibrary library(host);
  return &library;
}
