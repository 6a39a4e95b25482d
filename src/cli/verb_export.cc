// litenat export: checkpoint -> deployable file.
#include <filesystem>
#include <iostream>

#include "base/error.h"
#include "base/log.h"
#include "cli/json_output.h"
#include "cli/overrides.h"
#include "cli/program.h"
#include "cli/text_table.h"
#include "cli/verbs.h"
#include "export/checkpoint_export.h"
#include "export/resolve_model.h"

namespace litenat::cli {
namespace {

namespace fs = std::filesystem;

struct ExportVerbOptions {
  std::string model;
  std::string format = "litenat";
  std::string output;
  std::string resources;
  bool no_average = false;
  std::vector<std::string> overrides;
};

/// RUN/model.litenat for a run folder or a checkpoint inside one, else beside the checkpoint.
std::string default_output(const std::string& model, const std::string& checkpoint) {
  std::error_code error;
  if (fs::is_directory(model, error)) return (fs::path(model) / "model.litenat").string();
  const fs::path folder = fs::path(checkpoint).parent_path();
  return ((folder.filename() == "checkpoints" ? folder.parent_path() : folder) / "model.litenat").string();
}

void run_export(const ExportVerbOptions& options, const Context& context) {
  if (options.format != "litenat")
    throw Error("this build does not write --format " + options.format + ", expected litenat (the only one it has)");
  const std::string checkpoint = export_model::find_checkpoint(options.model);
  if (checkpoint.empty())
    throw Error(options.model + ": is a deployable model already, expected a run folder or a checkpoint");
  const std::string output = options.output.empty() ? default_output(options.model, checkpoint) : options.output;
  export_model::ExportOptions settings;
  settings.use_average = !options.no_average;
  settings.resources_path = options.resources;
  settings.decode = parse_decode_overrides(options.overrides);
  export_model::export_checkpoint(checkpoint, output, settings);
  const auto size = fs::file_size(output);
  if (context.json) {
    print_json({{"checkpoint", checkpoint}, {"output", output}, {"size_bytes", size}});
  } else {
    std::cout << output << " (" << file_size(static_cast<double>(size)) << ")\n";
  }
}

}  // namespace

void add_export(Program& program) {
  auto options = std::make_shared<ExportVerbOptions>();
  Verb verb = program.add_verb("export", "Writes a checkpoint as a deployable file");
  verb.app->add_option("MODEL", options->model, "run folder or checkpoint")->required();
  verb.app->add_option("--format", options->format, "litenat; onnx and tensorrt are not in this build")
      ->check(CLI::IsMember({"litenat", "onnx", "tensorrt"}))
      ->capture_default_str();
  verb.app->add_option("-o,--output", options->output, "file to write (default: model.litenat in the run folder)");
  verb.app->add_option("--resources", options->resources, "resources.litenat (default: the run folder's)");
  verb.app->add_flag("--no-average", options->no_average, "take the last weights, not their average");
  verb.app->add_option("--set", options->overrides, "decode.KEY=VALUE: a default of the decoder to store")
      ->allow_extra_args(false);
  verb.with_json();
  verb.examples({"litenat export runs/ime",
                 "litenat export runs/ime/checkpoints/last.safetensors --no-average --output last.litenat"});
  verb.run([options](const Context& context) { run_export(*options, context); });
}

}  // namespace litenat::cli
