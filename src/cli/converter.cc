#include "cli/converter.h"

#include "base/error.h"
#include "cli/overrides.h"
#include "cli/torch_library.h"
#include "runtime/executor.h"

namespace litenat::cli {
namespace {

std::unique_ptr<decode::TaggerEngine> open_engine(const export_model::ResolvedModel& resolved,
                                                  const EngineOptions& options, int threads, const Context& context) {
  if (options.engine == "cpu") return value_or_throw(runtime::Executor::create(resolved.model, threads));
  if (resolved.checkpoint_path.empty())
    throw Error(resolved.path +
                ": --engine torch runs checkpoints, and this is a deployable model: name the run folder");
  return torch_api(context).open_engine(resolved.checkpoint_path, options.device);
}

}  // namespace

void EngineOptions::add_to(CLI::App* app) {
  app->add_option("--engine", engine, "what runs the network")
      ->check(CLI::IsMember({"cpu", "torch"}))
      ->capture_default_str();
  app->add_option("--device", device, "of --engine torch: cpu, cuda, cuda:1")->capture_default_str();
  app->add_option("--set", overrides, "decode.KEY=VALUE: a setting of the decoder, as `litenat info` lists them")
      ->allow_extra_args(false);
  app->add_flag("--unconstrained", unconstrained, "any hanzi, not only legal readings of the keys");
}

export_model::ResolvedModel open_input_method(const std::string& path) {
  export_model::ResolvedModel resolved = export_model::resolve_model(path);
  require_input_method(resolved);
  return resolved;
}

void require_input_method(const export_model::ResolvedModel& resolved) {
  if (graph::has_decoder(resolved.model->spec()))
    throw Error(resolved.path + ": is a model with a decoder, expected an input-method model");
  if (resolved.model->ime() == nullptr)
    throw Error(resolved.path + ": has no lexicon, expected an input-method model: train or export it with resources");
}

Converter::Converter(const export_model::ResolvedModel& resolved, const EngineOptions& options, int threads,
                     const Context& context)
    : model_(resolved.model),
      engine_(open_engine(resolved, options, threads, context)),
      decoder_(std::make_unique<decode::ImeDecoder>(engine_.get(), model_->ime())),
      options_(model_->ime_options()) {
  if (options.unconstrained) options_.constrained = false;
  apply_decode_overrides(options.overrides, &options_);
}

}  // namespace litenat::cli
