// litenat convert: typed keys -> hanzi, or sentences -> sentences, line by line.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>

#include "base/error.h"
#include "cli/converter.h"
#include "cli/interactive.h"
#include "cli/json_output.h"
#include "cli/program.h"
#include "cli/sequence_batches.h"
#include "cli/text_files.h"
#include "cli/verbs.h"

namespace litenat::cli {
namespace {

struct ConvertOptions {
  std::string model;
  EngineOptions engine;
  SequenceFlags sequence;
  int num_best = 1;
  bool strict = false;
  bool tokens = false;
};

using Candidates = Result<std::vector<decode::Candidate>>;

struct ConvertedLine {
  Candidates candidates;
  double milliseconds;
};

/// Converts lines of which none has to wait for another.
using BlockConverter = std::function<std::vector<ConvertedLine>(const std::vector<std::string>& lines)>;

std::string tab_separated(const std::vector<decode::Candidate>& candidates) {
  std::string line;
  for (size_t i = 0; i < candidates.size(); ++i) (line += i == 0 ? "" : "\t") += candidates[i].text;
  return line;
}

JsonResult json_line(const std::string& input, const ConvertedLine& line) {
  JsonResult json = {{"input", input}};
  if (!line.candidates.ok()) {
    json["error"] = line.candidates.status().message();
    return json;
  }
  json["candidates"] = JsonResult::array();
  for (const decode::Candidate& candidate : line.candidates.value())
    json["candidates"].push_back({{"text", candidate.text}, {"score", candidate.score}});
  json["milliseconds"] = line.milliseconds;
  return json;
}

/// The next lines: at least one, and of those that are there already at most `max_lines`. Empty at the end.
std::vector<std::string> next_lines(LineReader* reader, size_t max_lines) {
  std::vector<std::string> lines;
  std::string line;
  while (lines.size() < max_lines && (lines.empty() || reader->has_buffered_line()) && reader->next(&line))
    lines.push_back(line);
  return lines;
}

/// Converts standard input. A line that fails gives an empty output line, so that lines stay aligned.
void convert_stream(const BlockConverter& convert, size_t max_lines, const Context& context) {
  LineReader reader(STDIN_FILENO, decode::ImeDecoder::kMaxLineBytes);
  int64_t number = 0;
  int64_t failed = 0;
  for (std::vector<std::string> lines; !(lines = next_lines(&reader, max_lines)).empty();) {
    const std::vector<ConvertedLine> converted = convert(lines);
    for (size_t i = 0; i < lines.size(); ++i) {
      ++number;
      const Candidates& candidates = converted[i].candidates;
      if (!candidates.ok()) {
        ++failed;
        std::cerr << "standard input:" << number << ": " << candidates.status().message() << '\n';
      }
      if (context.json) {
        print_json(json_line(lines[i], converted[i]), -1);
      } else {
        std::cout << (candidates.ok() ? tab_separated(candidates.value()) : "") << '\n';
      }
    }
    if (!reader.has_buffered_line()) std::cout.flush();
    if (!std::cout) throw Error("cannot write to standard output: check that its disk is not full");
  }
  if (failed > 0)
    throw Error(std::to_string(failed) + " of " + std::to_string(number) + " lines were not converted (see above)");
}

bool is_interactive(const Context& context) {
  return !context.json && isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0;
}

void convert_keys(const export_model::ResolvedModel& resolved, const ConvertOptions& options, const Context& context) {
  require_input_method(resolved);
  options.sequence.refuse_for_tagger();
  if (options.tokens) throw UsageError("--tokens is for models with a decoder, and this is a text-entry model");
  Converter converter(resolved, options.engine, context.threads_or(1), context);
  if (options.sequence.beam) converter.options().beam = *options.sequence.beam;
  converter.options().strict = converter.options().strict || options.strict;
  converter.options().num_best = options.num_best;
  if (is_interactive(context)) {
    if (options.num_best == 1) converter.options().num_best = 5;
    run_interactive({"Type keys: nihaoshijie, nhsj, 64426; ' separates syllables.", "keys> "},
                    [&converter](const std::string& line) { return converter.convert(line); });
    return;
  }
  const BlockConverter convert = [&converter](const std::vector<std::string>& lines) {
    std::vector<ConvertedLine> converted;
    for (const std::string& line : lines) {
      const auto start = std::chrono::steady_clock::now();
      Candidates candidates = converter.convert(line);
      const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - start;
      converted.push_back({std::move(candidates), spent.count()});
    }
    return converted;
  };
  convert_stream(convert, 1, context);
}

ConvertedLine to_line(const SequenceResult& result) {
  if (!result.status.ok()) return {result.status, result.milliseconds};
  std::vector<decode::Candidate> candidates;
  for (const SequenceOutput& output : result.outputs) candidates.push_back({output.text, output.score});
  return {std::move(candidates), result.milliseconds};
}

std::vector<ConvertedLine> convert_sentences(const SequenceSystem& system, SequenceWorkers* workers,
                                             const std::vector<std::string>& lines) {
  const auto is_too_long = [](const std::string& line) { return line.size() > decode::ImeDecoder::kMaxLineBytes; };
  std::vector<SourceSentence> sentences;
  for (const std::string& line : lines) sentences.push_back(is_too_long(line) ? SourceSentence() : system.read(line));
  std::vector<ConvertedLine> converted;
  for (const SequenceResult& result : workers->run(sentences)) converted.push_back(to_line(result));
  for (size_t i = 0; i < lines.size(); ++i)
    if (is_too_long(lines[i]))
      converted[i].candidates =
          invalid_argument("the line has more than " + std::to_string(decode::ImeDecoder::kMaxLineBytes) + " bytes");
  return converted;
}

void convert_text(const export_model::ResolvedModel& resolved, const ConvertOptions& options, const Context& context) {
  if (options.strict) throw UsageError("--strict is for text-entry models, and this one has a decoder");
  SequenceSystem system(resolved, options.engine, options.sequence, options.num_best,
                        {!options.tokens, !options.tokens});
  SequenceWorkers workers(&system, context.threads_or(1), /*split_runs=*/true, context);
  if (is_interactive(context)) {
    run_interactive({"Type a sentence.", "> "},
                    [&](const std::string& line) { return convert_sentences(system, &workers, {line})[0].candidates; });
    return;
  }
  constexpr size_t kMaxLines = 4096;
  convert_stream([&](const std::vector<std::string>& lines) { return convert_sentences(system, &workers, lines); },
                 kMaxLines, context);
}

void convert(const ConvertOptions& options, const Context& context) {
  const export_model::ResolvedModel resolved = export_model::resolve_model(options.model);
  if (is_sequence_model(resolved))
    convert_text(resolved, options, context);
  else
    convert_keys(resolved, options, context);
}

}  // namespace

void add_convert(Program& program) {
  auto options = std::make_shared<ConvertOptions>();
  Verb verb = program.add_verb("convert", "Turns typed keys into hanzi, or translates: a line in, a line out");
  verb.app->add_option("MODEL", options->model, "run folder, checkpoint or .litenat file")->required();
  verb.app->add_option("--nbest", options->num_best, "candidates a line, separated by tabs")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  verb.app->add_option("--beam", options->sequence.beam, "hypotheses kept by the search (default: the model's)")
      ->check(CLI::Range(1, 256));
  verb.app->add_flag("--strict", options->strict, "text that is no key sequence is an error of its line");
  verb.app->add_flag("--tokens", options->tokens,
                     "models with a decoder: lines are tokens between blanks, in and out, not raw text");
  options->engine.add_to(verb.app);
  options->sequence.add_to(verb.app);
  verb.with_json();
  verb.examples({"echo nihaoshijie | litenat convert model.int8.litenat",
                 "litenat convert runs/ime --nbest 5 --json < keys.txt",
                 "litenat convert model.litenat          # on a terminal: type and see candidates",
                 "litenat convert runs/transformer --beam 4 --length-penalty 0.6 < test.de > test.en",
                 "litenat convert runs/nat --length-beam 5 --rescorer runs/transformer < test.de"});
  verb.run([options](const Context& context) { convert(*options, context); });
}

}  // namespace litenat::cli
