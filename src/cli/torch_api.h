// The interface of liblitenat_torch.so (src/nn and src/train with libtorch), which the program loads on demand.
// The two are always built together; the version only catches a stale file beside a new program.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "cli/progress.h"
#include "decode/ime_decoder.h"
#include "decode/sequence_engine.h"

namespace litenat::cli {

constexpr int kTorchApiVersion = 2;

/// What the program lends to the library; outlives it.
struct TorchHost {
  LogSink log;                            // for litenat::set_log_sink
  std::atomic<int>* interrupt = nullptr;  // for litenat::share_interrupt_flag
  ProgressFactory progress;
};

/// `litenat train CONFIG.toml [--output RUN] [--set key=value]...`
struct TrainArguments {
  std::string config_path;
  std::string run_folder;              // empty: what the config says
  std::vector<std::string> overrides;  // "dotted.key=value", applied in order
  int threads = 0;                     // 0 = every core
  bool json = false;                   // print the final scores as JSON on stdout
  bool restart = false;                // ignore checkpoints of an earlier run in the folder
};

/// `litenat average CHECKPOINT... -o FILE`
struct AverageArguments {
  std::vector<std::string> inputs;  // checkpoint files
  std::string output;
};

/// Every function throws litenat::Error.
class TorchApi {
 public:
  virtual ~TorchApi() = default;
  /// "libtorch 2.11.0, devices: cpu, cuda:0 (NVIDIA H200)".
  virtual std::string description() const = 0;
  virtual void run_train(const TrainArguments& arguments) = 0;
  virtual void average(const AverageArguments& arguments) = 0;
  /// The tagger of a checkpoint ("average/..." tensors when it has them, else "model/...") as an engine.
  /// `device`: "cpu", "cuda", "cuda:1".
  virtual std::unique_ptr<decode::TaggerEngine> open_engine(const std::string& checkpoint_path,
                                                            const std::string& device) = 0;
  /// The same for a model with a decoder. Its spans are in the host's memory.
  virtual std::unique_ptr<decode::SequenceEngine> open_sequence_engine(const std::string& checkpoint_path,
                                                                       const std::string& device) = 0;
};

/// The library's only exported symbol: `extern "C" TorchApi* litenat_torch_open(int version, const TorchHost* host)`.
/// Returns null when `version` is not the library's kTorchApiVersion. The object belongs to the library and lives as
/// long as the process.
using TorchOpenFunction = TorchApi* (*)(int version, const TorchHost* host);
constexpr const char* kTorchOpenSymbol = "litenat_torch_open";

}  // namespace litenat::cli
