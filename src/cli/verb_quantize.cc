// litenat quantize: fp32 model -> int8 model, with an error report by layer.
#include <cmath>
#include <filesystem>
#include <iostream>

#include "base/error.h"
#include "base/log.h"
#include "cli/json_output.h"
#include "cli/model_facts.h"
#include "cli/program.h"
#include "cli/text_table.h"
#include "cli/verbs.h"
#include "export/resolve_model.h"
#include "quant/calibration_pairs.h"
#include "quant/quantize.h"

namespace litenat::cli {
namespace {

namespace fs = std::filesystem;

struct QuantizeOptions {
  std::string model;
  std::string calibrate;
  int64_t max_lines = 500;
  std::string activations;
  std::string range;
  quant::QuantizationSpec spec;
  std::string output;
};

/// RUN/model.int8.litenat; x.int8.litenat beside x.litenat.
std::string default_output(const std::string& model, const export_model::ResolvedModel& resolved) {
  std::error_code error;
  if (fs::is_directory(model, error)) return (fs::path(model) / "model.int8.litenat").string();
  if (resolved.checkpoint_path.empty()) return fs::path(resolved.path).replace_extension(".int8.litenat").string();
  const fs::path folder = fs::path(resolved.checkpoint_path).parent_path();
  return ((folder.filename() == "checkpoints" ? folder.parent_path() : folder) / "model.int8.litenat").string();
}

std::string table_of(const std::vector<quant::LayerError>& errors) {
  TextTable table({"layer", "op", "int8", "rows", "SQNR dB", "max |error|", "cosine"});
  for (const quant::LayerError& error : errors)
    table.add({error.name, error.operation, error.quantized ? "yes" : "no", std::to_string(error.rows),
               std::isinf(error.sqnr_db) ? "exact" : fixed(error.sqnr_db, 1), fixed(error.max_abs_error, 5),
               fixed(error.cosine, 6)});
  return table.to_string();
}

JsonResult json_of(const std::vector<quant::LayerError>& errors) {
  JsonResult layers = JsonResult::array();
  for (const quant::LayerError& error : errors)
    layers.push_back({{"layer", error.name},
                      {"op", error.operation},
                      {"int8", error.quantized},
                      {"rows", error.rows},
                      {"sqnr_db", error.sqnr_db},
                      {"max_abs_error", error.max_abs_error},
                      {"cosine", error.cosine}});
  return layers;
}

/// What the model reads in decoding: typed keys for text entry, else pairs of sentences.
quant::CalibrationSample calibration_sample(const QuantizeOptions& options,
                                            const std::shared_ptr<const runtime::Model>& model) {
  if (model->ime() == nullptr) {
    quant::CalibrationSample sample = quant::read_calibration_pairs(model, options.calibrate, options.max_lines);
    log_info("calibrating with " + std::to_string(sample.num_lines) + " sentences of " + options.calibrate);
    return sample;
  }
  const auto lines = quant::read_calibration_lines(options.calibrate, options.max_lines);
  log_info("calibrating with " + std::to_string(lines.size()) + " lines of " + options.calibrate);
  return quant::record_calibration(model, lines);
}

void quantize(QuantizeOptions options, const Context& context) {
  quant::kActivationModeNames.parse(options.activations, &options.spec.activations);
  quant::kRangeChoiceNames.parse(options.range, &options.spec.range);
  const export_model::ResolvedModel resolved = export_model::resolve_model(options.model);
  const std::string output = options.output.empty() ? default_output(options.model, resolved) : options.output;
  const quant::CalibrationSample sample = calibration_sample(options, resolved.model);
  quant::write_quantized(resolved.model, sample, options.spec, output);
  const auto quantized = value_or_throw(runtime::Model::open(output));
  const auto errors = quant::compare_layers(resolved.model, quantized, sample);
  const double before = static_cast<double>(weight_bytes(*resolved.model));
  const double after = static_cast<double>(weight_bytes(*quantized));
  if (context.json) {
    print_json({{"output", output},
                {"fp32_weight_bytes", before},
                {"int8_weight_bytes", after},
                {"ratio", before / after},
                {"calibration_lines", sample.num_lines},
                {"calibration_rows", sample.num_rows},
                {"layers", json_of(errors)}});
    return;
  }
  std::cout << table_of(errors) << "weights: " << file_size(before) << " -> " << file_size(after) << " ("
            << fixed(before / after, 2) << "x smaller)\n"
            << output << " (" << file_size(static_cast<double>(fs::file_size(output))) << ")\n";
}

}  // namespace

void add_quantize(Program& program) {
  auto options = std::make_shared<QuantizeOptions>();
  options->activations = quant::kActivationModeNames.name(options->spec.activations);
  options->range = quant::kRangeChoiceNames.name(options->spec.range);
  Verb verb = program.add_verb("quantize", "Quantises a trained model to int8, with an error report by layer");
  verb.app->add_option("MODEL", options->model, "run folder, checkpoint or fp32 .litenat file")->required();
  verb.app
      ->add_option("--calibrate", options->calibrate,
                   "text entry: lines of keys, pairs (.tsv), or a corpus folder; other models: a preprocess folder")
      ->required();
  verb.app->add_option("--lines", options->max_lines, "lines or sentences of the sample at most")
      ->check(CLI::Range(int64_t{1}, int64_t{1000000}))
      ->capture_default_str();
  verb.app->add_option("--activations", options->activations, "ranges of each row at run time, or calibrated")
      ->check(CLI::IsMember({"dynamic", "static"}))
      ->capture_default_str();
  verb.app->add_option("--range", options->range, "how static ranges are chosen")
      ->check(CLI::IsMember({"minmax", "percentile", "mse"}))
      ->capture_default_str();
  verb.app->add_option("--percentile", options->spec.percentile, "of --range percentile")
      ->check(CLI::Range(50.0, 100.0))
      ->capture_default_str();
  verb.app->add_option("--keep", options->spec.keep, "layers to leave in fp32, by name or the beginning of one")
      ->delimiter(',');
  verb.app->add_option("-o,--output", options->output, "file to write (default: model.int8.litenat)");
  verb.with_json();
  verb.examples({"litenat quantize runs/ime --calibrate corpus", "litenat quantize runs/en-de --calibrate data/en-de",
                 "litenat quantize model.litenat --calibrate chat.tsv --activations static --range percentile",
                 "litenat quantize model.litenat --calibrate chat.tsv --keep head.output,encoder.layers.0 --json"});
  verb.run([options](const Context& context) { quantize(*options, context); });
}

}  // namespace litenat::cli
