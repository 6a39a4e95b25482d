// litenat report: one page about models.
#include <filesystem>
#include <iostream>
#include <set>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/program.h"
#include "cli/report_page.h"
#include "cli/sequence_sets.h"
#include "cli/text_files.h"
#include "cli/verbs.h"

namespace litenat::cli {
namespace {

namespace fs = std::filesystem;

struct ReportOptions {
  std::vector<std::string> models;
  std::vector<std::string> pairs;
  std::string data;
  std::string subset = "test";
  std::string output = "report.html";
  EngineOptions engine;
};

/// log.jsonl of the run folder that `path` is or lies in, or "".
std::string find_log(const std::string& path) {
  std::error_code error;
  fs::path folder = fs::path(path).lexically_normal();
  for (int level = 0; level < 3; ++level) {
    if (fs::exists(folder / "log.jsonl", error)) return (folder / "log.jsonl").string();
    folder = folder.has_parent_path() ? folder.parent_path() : fs::path(".");
  }
  return "";
}

/// The curves of a log; lines that are cut (a run that was killed) are passed over.
std::vector<Series> training_curves(const std::string& log_path) {
  std::vector<Series> curves = {{"training", {}, true}, {"validation", {}, false}};
  for (const std::string& line : read_lines(log_path)) {
    const Result<Json> json = Json::parse(line);
    if (!json.ok()) continue;
    const Json* type = json.value().find("type");
    const Json* update = json.value().find("update");
    const Json* nll = json.value().find("nll");
    if (type == nullptr || update == nullptr || nll == nullptr || !update->is_number() || !nll->is_number()) continue;
    Series& curve = curves[type->string() == "valid" ? 1 : 0];
    curve.points.emplace_back(update->number(), nll->number());
  }
  if (curves[0].points.empty() || curves[1].points.empty()) return {};
  return curves;
}

/// Short names: the last part of the path, or more of it where that is not unique.
std::string short_name(const std::string& path, std::set<std::string>* taken) {
  const fs::path normal = fs::path(path).lexically_normal();
  std::string name = (normal.has_filename() ? normal : normal.parent_path()).filename().string();
  if (!taken->insert(name).second) name = path;
  taken->insert(name);
  return name;
}

std::vector<ReportScore> score_tagger(const export_model::ResolvedModel& resolved, const std::string& name,
                                      const std::vector<std::string>& files, const ReportOptions& options,
                                      const Context& context) {
  require_input_method(resolved);
  std::vector<ReportScore> scores;
  for (const std::string& path : files) {
    const PairSet set = read_pairs(path);
    log_info(name + ": scoring " + set.name);
    scores.push_back(report_score(evaluate_set(set, resolved, options.engine, true, 1, context)));
  }
  return scores;
}

std::vector<ReportScore> score_sequences(const export_model::ResolvedModel& resolved, const std::string& name,
                                         const ReportOptions& options, const Context& context) {
  const SequenceSystem system(resolved, options.engine, SequenceFlags(), 1, TextMode());
  SequenceWorkers workers(&system, context.threads_or(1), /*split_runs=*/false, context);
  std::vector<ReportScore> scores;
  for (const SequenceSet& set : read_sequence_sets(options.pairs, options.data, options.subset, system)) {
    log_info(name + ": scoring " + set.name);
    scores.push_back(report_score(evaluate_sequence_set(set, &workers, eval::Tokenizer::k13a, context)));
  }
  return scores;
}

ReportModel describe(const export_model::ResolvedModel& resolved, const std::string& name,
                     const std::vector<std::string>& files, const ReportOptions& options, const Context& context) {
  ReportModel model;
  model.name = name;
  model.facts = model_facts(resolved, kReportLength);
  model.results = is_sequence_model(resolved) ? score_sequences(resolved, name, options, context)
                                              : score_tagger(resolved, name, files, options, context);
  return model;
}

/// The sets of text entry. Models with a decoder read theirs themselves.
std::vector<std::string> tagger_files(const ReportOptions& options) {
  std::vector<std::string> files = options.pairs;
  if (options.data.empty()) return files;
  const auto more = corpus_pair_files(options.data, options.subset);
  files.insert(files.end(), more.begin(), more.end());
  return files;
}

void report(const ReportOptions& options, const Context& context) {
  if (options.pairs.empty() && options.data.empty()) throw UsageError("report needs --pairs FILE or --data FOLDER");
  std::vector<export_model::ResolvedModel> opened;
  for (const std::string& path : options.models) {
    opened.push_back(export_model::resolve_model(path));
    if (is_sequence_model(opened.back()) != is_sequence_model(opened.front()))
      throw Error(path + ": text entry and models with a decoder are scored on other sets: report them on two pages");
  }
  const bool sequences = is_sequence_model(opened.front());
  const std::vector<std::string> files = sequences ? std::vector<std::string>() : tagger_files(options);
  std::vector<ReportModel> models;
  std::set<std::string> names;
  std::set<std::string> logs;
  for (size_t i = 0; i < opened.size(); ++i) {
    const std::string& path = options.models[i];
    models.push_back(describe(opened[i], short_name(path, &names), files, options, context));
    const std::string log_path = find_log(path);
    // A run and the models exported from it share one log.
    if (!log_path.empty() && logs.insert(log_path).second) models.back().training = training_curves(log_path);
  }
  const std::string page = report_page(models, sequences ? ReportQuality{"BLEU", ""} : ReportQuality());
  throw_if_error(write_file_atomically(options.output, page.data(), page.size()));
  std::cout << options.output << '\n';
}

}  // namespace

void add_report(Program& program) {
  auto options = std::make_shared<ReportOptions>();
  Verb verb = program.add_verb("report", "Writes one HTML page about models: quality, size, compute, speed, pictures");
  verb.app->add_option("MODEL", options->models, "run folders, checkpoints or .litenat files")->required();
  verb.app->add_option("--pairs", options->pairs, "files of: input, tab, reference (more tabs: more references)");
  verb.app->add_option("--data", options->data,
                       "corpus folder, whose <subset>.*.tsv files are the sets, or a folder of preprocess");
  verb.app->add_option("--subset", options->subset, "which files of --data")->capture_default_str();
  verb.app->add_option("-o,--output", options->output, "page to write")->capture_default_str();
  options->engine.add_to(verb.app);
  verb.examples({"litenat report runs/ime runs/ime/model.int8.litenat --data corpus --output report.html",
                 "litenat report runs/teacher runs/nat --pairs test.tsv --output translation.html",
                 "litenat report a.litenat b.litenat --pairs chat.tsv --pairs news.tsv"});
  verb.run([options](const Context& context) { report(*options, context); });
}

}  // namespace litenat::cli
