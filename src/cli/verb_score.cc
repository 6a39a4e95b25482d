// litenat score: metrics of text that anyone made.
#include <algorithm>
#include <iostream>

#include "base/error.h"
#include "base/interrupt.h"
#include "cli/json_output.h"
#include "cli/program.h"
#include "cli/text_files.h"
#include "cli/text_table.h"
#include "cli/verbs.h"
#include "eval/accuracy.h"
#include "eval/bleu.h"
#include "eval/chrf.h"

namespace litenat::cli {
namespace {

struct ScoreOptions {
  std::string hypotheses;
  std::vector<std::string> references;
  std::string tokenizer = "13a";
};

std::vector<std::vector<std::string>> read_references(const ScoreOptions& options, size_t num_lines) {
  std::vector<std::vector<std::string>> by_line(num_lines);
  for (const std::string& path : options.references) {
    const std::vector<std::string> lines = read_lines(path);
    if (lines.size() != num_lines)
      throw Error(path + ": has " + std::to_string(lines.size()) + " lines, expected " + std::to_string(num_lines) +
                  " as in " + options.hypotheses);
    for (size_t i = 0; i < num_lines; ++i) by_line[i].push_back(lines[i]);
  }
  return by_line;
}

void score(const ScoreOptions& options, const Context& context) {
  const std::vector<std::string> hypotheses = read_lines(options.hypotheses);
  if (hypotheses.empty()) throw Error(options.hypotheses + ": is empty, expected one hypothesis a line");
  const auto references = read_references(options, hypotheses.size());
  eval::Tokenizer tokenizer = eval::Tokenizer::k13a;
  eval::kTokenizerNames.parse(options.tokenizer, &tokenizer);
  eval::Bleu bleu(tokenizer);
  eval::Chrf chrf;
  eval::AccuracyCounts accuracy;
  for (size_t i = 0; i < hypotheses.size(); ++i) {
    throw_if_interrupted();
    bleu.add(hypotheses[i], references[i]);
    chrf.add(hypotheses[i], references[i]);
    accuracy.add(hypotheses[i], references[i]);
  }
  if (context.json) {
    print_json({{"lines", accuracy.lines},
                {"bleu", bleu.score().score},
                {"bleu_signature", bleu.signature()},
                {"chrf2", chrf.score()},
                {"chrf2_signature", chrf.signature()},
                {"exact_accuracy", accuracy.exact_accuracy()},
                {"character_accuracy", accuracy.character_accuracy()},
                {"character_error_rate", accuracy.character_error_rate()}});
    return;
  }
  std::cout << "BLEU|" << bleu.signature() << " = " << bleu.score().format() << '\n'
            << "chrF2|" << chrf.signature() << " = " << fixed(chrf.score(), 2) << '\n'
            << "exact = " << percent(accuracy.exact_accuracy())
            << " %, characters = " << percent(accuracy.character_accuracy())
            << " %, CER = " << percent(accuracy.character_error_rate()) << " % (" << accuracy.lines << " lines)\n";
}

}  // namespace

void add_score(Program& program) {
  auto options = std::make_shared<ScoreOptions>();
  Verb verb = program.add_verb("score", "Scores text against references: BLEU, chrF, accuracy, CER");
  verb.app->add_option("HYP", options->hypotheses, "text file, one hypothesis a line")->required();
  verb.app->add_option("REF", options->references, "one or more reference files of as many lines")->required();
  verb.app->add_option("--tokenize", options->tokenizer, "tokeniser of BLEU")
      ->check(CLI::IsMember({"13a", "zh", "char", "none"}))
      ->capture_default_str();
  verb.with_json();
  verb.examples({"litenat score hyp.txt ref.txt", "litenat score --tokenize zh hyp.txt ref1.txt ref2.txt --json"});
  verb.run([options](const Context& context) { score(*options, context); });
}

}  // namespace litenat::cli
