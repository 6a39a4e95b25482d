// litenat evaluate: scores a model on sets of typed keys and hanzi.
#include <iostream>

#include "base/atomic_file.h"
#include "base/error.h"
#include "cli/evaluation.h"
#include "cli/program.h"
#include "cli/text_table.h"
#include "cli/verbs.h"

namespace litenat::cli {
namespace {

struct EvaluateOptions {
  std::string model;
  std::vector<std::string> pairs;
  std::string data;
  std::string subset = "test";
  std::string output;
  bool baseline = false;
  int num_best = 1;
  EngineOptions engine;
};

std::vector<std::string> pair_files(const EvaluateOptions& options) {
  std::vector<std::string> files = options.pairs;
  if (!options.data.empty()) {
    const std::vector<std::string> more = corpus_pair_files(options.data, options.subset);
    files.insert(files.end(), more.begin(), more.end());
  }
  if (files.empty()) throw UsageError("evaluate needs --pairs FILE or --data FOLDER");
  return files;
}

void write_outputs(const std::vector<EvaluationResult>& results, const std::string& path) {
  AtomicFile file(path);
  throw_if_error(file.open());
  for (const EvaluationResult& result : results)
    for (const std::string& line : result.outputs) throw_if_error(file.write(line + "\n"));
  throw_if_error(file.commit());
}

void print(const std::vector<EvaluationResult>& results, const export_model::ResolvedModel& resolved,
           const EvaluateOptions& options, const Context& context) {
  if (!context.json) {
    std::cout << evaluation_table(results);
    return;
  }
  JsonResult sets = JsonResult::array();
  for (const EvaluationResult& result : results) sets.push_back(result.to_json());
  print_json({{"model", options.model},
              {"engine", options.engine.engine},
              {"quantized", resolved.model->is_quantized()},
              {"size_bytes", resolved.size_bytes},
              {"sets", sets}});
}

void evaluate(const EvaluateOptions& options, const Context& context) {
  std::vector<PairSet> sets;
  for (const std::string& path : pair_files(options)) sets.push_back(read_pairs(path));
  const export_model::ResolvedModel resolved = open_input_method(options.model);
  std::vector<EvaluationResult> results;
  for (const PairSet& set : sets)
    results.push_back(evaluate_set(set, resolved, options.engine, options.baseline, options.num_best, context));
  if (!options.output.empty()) write_outputs(results, options.output);
  print(results, resolved, options, context);
}

}  // namespace

void add_evaluate(Program& program) {
  auto options = std::make_shared<EvaluateOptions>();
  Verb verb = program.add_verb("evaluate", "Scores a model on sets of typed keys and their hanzi");
  verb.app->add_option("MODEL", options->model, "run folder, checkpoint or .litenat file")->required();
  verb.app->add_option("--pairs", options->pairs, "files of: input, tab, reference (more tabs: more references)");
  verb.app->add_option("--data", options->data, "corpus folder; its <subset>.*.tsv files are the sets");
  verb.app->add_option("--subset", options->subset, "which files of --data")->capture_default_str();
  verb.app->add_option("--nbest", options->num_best, "candidates for the top_n score of --json")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  verb.app->add_option("--output", options->output, "write the best candidates, one a line, set after set");
  verb.app->add_flag("--baseline", options->baseline, "also score the commonest hanzi of every syllable");
  options->engine.add_to(verb.app);
  verb.with_json();
  verb.examples({"litenat evaluate runs/ime --data corpus --subset test --baseline",
                 "litenat evaluate model.int8.litenat --pairs chat.tsv news.tsv --json",
                 "litenat evaluate model.litenat --pairs chat.tsv --set decode.word_weight=1.0 --output hyps.txt"});
  verb.run([options](const Context& context) { evaluate(*options, context); });
}

}  // namespace litenat::cli
