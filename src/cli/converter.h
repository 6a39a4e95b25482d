// A model ready to convert lines: the model file, an engine that runs its network, and the decoder.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/program.h"
#include "decode/ime_decoder.h"
#include "export/resolve_model.h"

namespace litenat::cli {

/// Flags that every verb which converts shares.
struct EngineOptions {
  std::string engine = "cpu";  // cpu, torch
  std::string device = "cpu";  // of the torch engine
  std::vector<std::string> overrides;
  bool unconstrained = false;

  void add_to(CLI::App* app);
};

/// The model of `path`; throws Error when it is no input-method model.
export_model::ResolvedModel open_input_method(const std::string& path);
/// Throws Error when `resolved` is no input-method model.
void require_input_method(const export_model::ResolvedModel& resolved);

/// One thread at a time; make one for each thread.
class Converter {
 public:
  /// `threads` are those of one run of the network.
  Converter(const export_model::ResolvedModel& resolved, const EngineOptions& options, int threads,
            const Context& context);
  Result<std::vector<decode::Candidate>> convert(const std::string& line) { return decoder_->convert(line, options_); }
  decode::ImeOptions& options() { return options_; }

 private:
  std::shared_ptr<const runtime::Model> model_;
  std::unique_ptr<decode::TaggerEngine> engine_;
  std::unique_ptr<decode::ImeDecoder> decoder_;
  decode::ImeOptions options_;
};

}  // namespace litenat::cli
