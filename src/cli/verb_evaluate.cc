// litenat evaluate: scores a model on sets of inputs and their references.
#include <iostream>

#include "base/atomic_file.h"
#include "base/error.h"
#include "cli/evaluation.h"
#include "cli/program.h"
#include "cli/sequence_evaluation.h"
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
  std::string tokenizer;
  EngineOptions engine;
  SequenceFlags sequence;
};

std::vector<std::string> pair_files(const EvaluateOptions& options) {
  std::vector<std::string> files = options.pairs;
  if (!options.data.empty()) {
    const std::vector<std::string> more = corpus_pair_files(options.data, options.subset);
    files.insert(files.end(), more.begin(), more.end());
  }
  return files;
}

template <typename Evaluation>
void write_outputs(const std::vector<Evaluation>& results, const std::string& path) {
  if (path.empty()) return;
  AtomicFile file(path);
  throw_if_error(file.open());
  for (const Evaluation& result : results)
    for (const std::string& line : result.outputs) throw_if_error(file.write(line + "\n"));
  throw_if_error(file.commit());
}

template <typename Evaluation>
void print(const std::vector<Evaluation>& results, const std::string& table,
           const export_model::ResolvedModel& resolved, const EvaluateOptions& options, const Context& context) {
  if (!context.json) {
    std::cout << table;
    return;
  }
  JsonResult sets = JsonResult::array();
  for (const Evaluation& result : results) sets.push_back(result.to_json());
  print_json({{"model", options.model},
              {"engine", options.engine.engine},
              {"quantized", resolved.model->is_quantized()},
              {"size_bytes", resolved.size_bytes},
              {"sets", sets}});
}

void evaluate_keys(const export_model::ResolvedModel& resolved, const EvaluateOptions& options,
                   const Context& context) {
  options.sequence.refuse_for_tagger();
  if (options.sequence.beam) throw UsageError("--beam: set a text-entry model's beam with --set decode.beam=N");
  if (!options.tokenizer.empty()) throw UsageError("--tokenize: text entry is scored by characters");
  std::vector<PairSet> sets;
  for (const std::string& path : pair_files(options)) sets.push_back(read_pairs(path));
  require_input_method(resolved);
  std::vector<EvaluationResult> results;
  for (const PairSet& set : sets)
    results.push_back(evaluate_set(set, resolved, options.engine, options.baseline, options.num_best, context));
  write_outputs(results, options.output);
  print(results, evaluation_table(results), resolved, options, context);
}

void evaluate_sequences(const export_model::ResolvedModel& resolved, const EvaluateOptions& options,
                        const Context& context) {
  if (options.baseline) throw UsageError("--baseline is for text-entry models, and this one has a decoder");
  eval::Tokenizer tokenizer = eval::Tokenizer::k13a;
  if (!options.tokenizer.empty()) eval::kTokenizerNames.parse(options.tokenizer, &tokenizer);
  const SequenceSystem system(resolved, options.engine, options.sequence, options.num_best, TextMode());
  const std::vector<SequenceSet> sets = read_sequence_sets(options.pairs, options.data, options.subset, system);
  SequenceWorkers workers(&system, context.threads_or(1), /*split_runs=*/false, context);
  std::vector<SequenceEvaluation> results;
  for (const SequenceSet& set : sets) results.push_back(evaluate_sequence_set(set, &workers, tokenizer, context));
  write_outputs(results, options.output);
  print(results, sequence_evaluation_table(results), resolved, options, context);
}

void evaluate(const EvaluateOptions& options, const Context& context) {
  if (options.pairs.empty() && options.data.empty()) throw UsageError("evaluate needs --pairs FILE or --data FOLDER");
  const export_model::ResolvedModel resolved = export_model::resolve_model(options.model);
  if (is_sequence_model(resolved))
    evaluate_sequences(resolved, options, context);
  else
    evaluate_keys(resolved, options, context);
}

/// "13a", "intl", ...
std::vector<std::string> tokenizer_names() {
  std::vector<std::string> names;
  for (const auto& [tokenizer, name] : eval::kTokenizerNames.values) names.emplace_back(name);
  return names;
}

}  // namespace

void add_evaluate(Program& program) {
  auto options = std::make_shared<EvaluateOptions>();
  Verb verb = program.add_verb("evaluate", "Scores a model on sets of inputs and their references");
  verb.app->add_option("MODEL", options->model, "run folder, checkpoint or .litenat file")->required();
  verb.app->add_option("--pairs", options->pairs, "files of: input, tab, reference (more tabs: more references)");
  verb.app->add_option("--data", options->data,
                       "corpus folder, whose <subset>.*.tsv files are the sets, or a folder of preprocess");
  verb.app->add_option("--subset", options->subset, "which files of --data")->capture_default_str();
  verb.app->add_option("--beam", options->sequence.beam, "autoregressive models: hypotheses kept by the search")
      ->check(CLI::Range(1, 256));
  verb.app->add_option("--tokenize", options->tokenizer, "models with a decoder: tokeniser of BLEU (default: 13a)")
      ->check(CLI::IsMember(tokenizer_names()));
  verb.app->add_option("--nbest", options->num_best, "candidates for the top_n score of --json")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  verb.app->add_option("--output", options->output, "write the best candidates, one a line, set after set");
  verb.app->add_flag("--baseline", options->baseline, "also score the commonest hanzi of every syllable");
  options->engine.add_to(verb.app);
  options->sequence.add_to(verb.app);
  verb.with_json();
  verb.examples({"litenat evaluate runs/ime --data corpus --subset test --baseline",
                 "litenat evaluate model.int8.litenat --pairs chat.tsv news.tsv --json",
                 "litenat evaluate model.litenat --pairs chat.tsv --set decode.word_weight=1.0 --output hyps.txt",
                 "litenat evaluate runs/transformer --data data-bin --subset valid,test --beam 4",
                 "litenat evaluate runs/nat --pairs test.tsv --length-beam 5 --rescorer runs/transformer --json",
                 "litenat evaluate runs/nat --pairs test.tsv --batch-tokens 1    # the delay of single sentences"});
  verb.run([options](const Context& context) { evaluate(*options, context); });
}

}  // namespace litenat::cli
