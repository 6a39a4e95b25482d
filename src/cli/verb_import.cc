// litenat import: a checkpoint of fairseq -> a run folder.
#include <filesystem>
#include <iostream>

#include "base/error.h"
#include "base/log.h"
#include "cli/json_output.h"
#include "cli/program.h"
#include "cli/verbs.h"
#include "export/fairseq_import.h"

namespace litenat::cli {
namespace {

namespace fs = std::filesystem;
using export_model::FairseqImport;
using export_model::ImportReport;

struct ImportVerbOptions {
  std::string checkpoint;
  export_model::FairseqImportOptions import;
  std::string output;
  bool strict = false;
  bool force = false;
};

/// The two files that an import writes.
struct Outputs {
  std::string checkpoint;
  std::string resources;
};

bool is_file_name(const std::string& output) { return fs::path(output).extension() == ".safetensors"; }

/// A run folder's best checkpoint and resources; or the file asked for, and the resources beside it.
Outputs outputs_of(const ImportVerbOptions& options) {
  if (is_file_name(options.output))
    return {options.output, (fs::path(options.output).parent_path() / "resources.litenat").string()};
  const fs::path run =
      options.output.empty() ? fs::path(options.checkpoint).replace_extension("") : fs::path(options.output);
  return {(run / "checkpoints" / "best.safetensors").string(), (run / "resources.litenat").string()};
}

void refuse_to_replace(const Outputs& outputs) {
  for (const std::string& path : {outputs.checkpoint, outputs.resources}) {
    std::error_code error;
    if (fs::exists(path, error))
      throw Error(path + ": is there already: name another --output, or replace it with --force");
  }
}

/// One line a parameter on the log; returns how many did not match.
size_t log_report(const ImportReport& report) {
  for (const std::string& name : report.unused) log_warning("not used: " + name + " (the model has no such parameter)");
  for (const std::string& name : report.missing)
    log_warning("not found: " + name + " (the checkpoint has no such parameter)");
  for (const std::string& text : report.mismatched) log_warning("does not fit: " + text);
  return report.unused.size() + report.missing.size() + report.mismatched.size();
}

JsonResult to_json(const FairseqImport& import, const Outputs& outputs) {
  const ImportReport& report = import.report();
  return {{"checkpoint", outputs.checkpoint},
          {"resources", outputs.resources},
          {"architecture", import.architecture()},
          {"family", graph::kFamilyNames.name(import.spec().family)},
          {"parameters", import.num_parameters()},
          {"update", import.update()},
          {"unused", report.unused},
          {"missing", report.missing},
          {"mismatched", report.mismatched},
          {"skipped", report.skipped}};
}

void run_import(const ImportVerbOptions& options, const Context& context) {
  const Outputs outputs = outputs_of(options);
  if (!options.force) refuse_to_replace(outputs);
  const FairseqImport import(options.checkpoint, options.import);
  const size_t problems = log_report(import.report());
  if (problems > 0 && (options.strict || !import.report().complete()))
    throw Error(options.checkpoint + ": " + std::to_string(problems) +
                " parameters did not match the model of architecture '" + import.architecture() +
                "', expected none: they are listed above, nothing was written");
  import.write(outputs.checkpoint, outputs.resources);
  if (context.json) {
    print_json(to_json(import, outputs));
    return;
  }
  std::cout << outputs.checkpoint << " (" << import.architecture() << ", " << import.num_parameters()
            << " parameters, update " << import.update() << ")\n"
            << outputs.resources << '\n';
}

}  // namespace

void add_import(Program& program) {
  auto options = std::make_shared<ImportVerbOptions>();
  Verb verb = program.add_verb("import", "Makes a run folder of a checkpoint of fairseq");
  verb.app->add_option("CHECKPOINT", options->checkpoint, "checkpoint of fairseq-train (.pt)")->required();
  verb.app->add_option("--data", options->import.data_folder,
                       "folder of dict.LANGUAGE.txt (default: the checkpoint's folder)");
  verb.app->add_option("-o,--output", options->output,
                       "run folder, or NAME.safetensors (default: the checkpoint's name without .pt)");
  verb.app->add_option("-s,--source-lang", options->import.source_language,
                       "source language (default: the checkpoint's)");
  verb.app->add_option("-t,--target-lang", options->import.target_language,
                       "target language (default: the checkpoint's)");
  verb.app->add_option("--tokenizer", options->import.tokenizer,
                       "tokenizer.model that made the tokens (default: text is split at blanks)");
  verb.app->add_option("--arch", options->import.architecture,
                       "architecture of fairseq that the checkpoint's own is like (default: the checkpoint's)");
  verb.app->add_flag("--strict", options->strict, "fail where the checkpoint has parameters that are not used");
  verb.app->add_flag("--force", options->force, "replace files that are there already");
  verb.with_json();
  verb.examples({"litenat import checkpoints/checkpoint_best.pt --data data-bin/iwslt14.de-en --output runs/iwslt",
                 "litenat import glat.pt --data data-bin/wmt14 --tokenizer corpus/tokenizer.model --strict --json"});
  verb.run([options](const Context& context) { run_import(*options, context); });
}

}  // namespace litenat::cli
