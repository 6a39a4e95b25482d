// litenat convert: typed keys -> hanzi, line by line.
#include <unistd.h>

#include <chrono>
#include <iostream>

#include "base/error.h"
#include "cli/converter.h"
#include "cli/interactive.h"
#include "cli/json_output.h"
#include "cli/program.h"
#include "cli/text_files.h"
#include "cli/verbs.h"

namespace litenat::cli {
namespace {

struct ConvertOptions {
  std::string model;
  EngineOptions engine;
  int num_best = 1;
  int beam = 0;  // 0 = the model's
  bool strict = false;
};

std::string tab_separated(const std::vector<decode::Candidate>& candidates) {
  std::string line;
  for (const decode::Candidate& candidate : candidates) line += (line.empty() ? "" : "\t") + candidate.text;
  return line;
}

JsonResult json_line(const std::string& input, const Result<std::vector<decode::Candidate>>& candidates,
                     double milliseconds) {
  JsonResult json = {{"input", input}};
  if (!candidates.ok()) {
    json["error"] = candidates.status().message();
    return json;
  }
  json["candidates"] = JsonResult::array();
  for (const decode::Candidate& candidate : candidates.value())
    json["candidates"].push_back({{"text", candidate.text}, {"score", candidate.score}});
  json["milliseconds"] = milliseconds;
  return json;
}

/// Converts standard input. A line that fails gives an empty output line, so that lines stay aligned.
void convert_stream(Converter* converter, const Context& context) {
  LineReader reader(STDIN_FILENO, decode::ImeDecoder::kMaxLineBytes);
  int64_t number = 0;
  int64_t failed = 0;
  for (std::string line; reader.next(&line);) {
    ++number;
    const auto start = std::chrono::steady_clock::now();
    const auto candidates = converter->convert(line);
    const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - start;
    if (!candidates.ok()) {
      ++failed;
      std::cerr << "standard input:" << number << ": " << candidates.status().message() << '\n';
    }
    if (context.json) {
      print_json(json_line(line, candidates, spent.count()), -1);
    } else {
      std::cout << (candidates.ok() ? tab_separated(candidates.value()) : "") << '\n';
    }
    if (!reader.has_buffered_line()) std::cout.flush();
    if (!std::cout) throw Error("cannot write to standard output: check that its disk is not full");
  }
  if (failed > 0)
    throw Error(std::to_string(failed) + " of " + std::to_string(number) + " lines were not converted (see above)");
}

void convert(const ConvertOptions& options, const Context& context) {
  const export_model::ResolvedModel resolved = open_input_method(options.model);
  Converter converter(resolved, options.engine, context.threads_or(1), context);
  if (options.beam > 0) converter.options().beam = options.beam;
  converter.options().strict = converter.options().strict || options.strict;
  converter.options().num_best = options.num_best;
  const bool terminal = isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0;
  if (!terminal || context.json) {
    convert_stream(&converter, context);
    return;
  }
  if (options.num_best == 1) converter.options().num_best = 5;
  run_interactive(&converter);
}

}  // namespace

void add_convert(Program& program) {
  auto options = std::make_shared<ConvertOptions>();
  Verb verb = program.add_verb("convert", "Turns typed keys into hanzi: a line of input, a line of output");
  verb.app->add_option("MODEL", options->model, "run folder, checkpoint or .litenat file")->required();
  verb.app->add_option("--nbest", options->num_best, "candidates a line, separated by tabs")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  verb.app->add_option("--beam", options->beam, "hypotheses kept by the search (default: the model's)")
      ->check(CLI::Range(1, 256));
  verb.app->add_flag("--strict", options->strict, "text that is no key sequence is an error of its line");
  options->engine.add_to(verb.app);
  verb.with_json();
  verb.examples({"echo nihaoshijie | litenat convert model.int8.litenat",
                 "litenat convert runs/ime --nbest 5 --json < keys.txt",
                 "litenat convert model.litenat          # on a terminal: type and see candidates"});
  verb.run([options](const Context& context) { convert(*options, context); });
}

}  // namespace litenat::cli
