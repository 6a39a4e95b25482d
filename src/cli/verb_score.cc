// litenat score: metrics of text that anyone made.
#include <algorithm>
#include <filesystem>
#include <iostream>

#include "base/error.h"
#include "base/interrupt.h"
#include "cli/json_output.h"
#include "cli/metric_flags.h"
#include "cli/program.h"
#include "cli/text_files.h"
#include "cli/text_table.h"
#include "cli/verbs.h"

namespace litenat::cli {
namespace {

struct ScoreOptions {
  std::string hypotheses;
  std::vector<std::string> references;
  std::vector<std::string> systems;
  std::vector<std::string> test_sets;
  std::vector<std::string> pairs;
  std::string paired;
  int paired_trials = 0;
  bool sentence = false;
  MetricFlags metrics;
};

/// Hypotheses with one or more references each.
struct ScoredText {
  std::string name;
  std::vector<std::string> hypotheses;
  std::vector<std::vector<std::string>> references;  // [line][reference]
};

std::vector<std::string> read_hypotheses(const std::string& path) {
  std::vector<std::string> lines = read_lines(path);
  if (lines.empty()) throw Error(path + ": is empty, expected one hypothesis a line");
  return lines;
}

void require_lines(const std::string& path, size_t found, size_t expected, const std::string& other) {
  if (found != expected)
    throw Error(path + ": has " + std::to_string(found) + " lines, expected " + std::to_string(expected) + " as in " +
                other);
}

ScoredText read_text(const std::string& hypotheses, const std::vector<std::string>& references) {
  ScoredText text;
  text.name = hypotheses;
  text.hypotheses = read_hypotheses(hypotheses);
  text.references.resize(text.hypotheses.size());
  for (const std::string& path : references) {
    std::vector<std::string> lines = read_lines(path);
    require_lines(path, lines.size(), text.hypotheses.size(), hypotheses);
    for (size_t i = 0; i < lines.size(); ++i) text.references[i].push_back(std::move(lines[i]));
  }
  return text;
}

/// "HYP,REF[,REF...]" of --test-set.
ScoredText read_test_set(const std::string& paths) {
  std::vector<std::string> parts;
  for (size_t first = 0; first <= paths.size();) {
    const size_t end = std::min(paths.find(',', first), paths.size());
    parts.push_back(paths.substr(first, end - first));
    first = end + 1;
  }
  if (parts.size() < 2) throw UsageError("--test-set " + paths + ": expected HYP,REF or HYP,REF,REF...");
  const std::string hypotheses = parts[0];
  parts.erase(parts.begin());
  return read_text(hypotheses, parts);
}

ScoredText read_pair_file(const std::string& path) {
  ScoredText text;
  text.name = std::filesystem::path(path).stem().string();
  for (const std::string& line : read_hypotheses(path)) {
    std::vector<std::string> columns = split_tabs(line);
    if (columns.size() < 2)
      throw Error(path + ":" + std::to_string(text.hypotheses.size() + 1) +
                  ": has no tab, expected a hypothesis, a tab and the reference");
    text.hypotheses.push_back(columns[0]);
    text.references.emplace_back(columns.begin() + 1, columns.end());
  }
  return text;
}

std::vector<ScoredText> read_texts(const ScoreOptions& options) {
  std::vector<ScoredText> texts;
  if (!options.hypotheses.empty()) {
    if (options.references.empty()) throw UsageError("score HYP needs at least one REF");
    texts.push_back(read_text(options.hypotheses, options.references));
  }
  for (const std::string& paths : options.test_sets) texts.push_back(read_test_set(paths));
  for (const std::string& path : options.pairs) texts.push_back(read_pair_file(path));
  if (texts.empty()) throw UsageError("score needs HYP REF, --test-set HYP,REF or --pairs FILE");
  return texts;
}

eval::MetricSet score_text(const std::string& name, const std::vector<std::string>& hypotheses,
                           const std::vector<std::vector<std::string>>& references, const ScoreOptions& options,
                           const Context& context) {
  constexpr size_t kBlock = 4096;  // lines between two looks at the clock and for an interrupt
  eval::MetricSet metrics(options.metrics.options());
  const auto progress = context.progress(name, static_cast<int64_t>(hypotheses.size()), "lines");
  for (size_t first = 0; first < hypotheses.size(); first += kBlock) {
    throw_if_interrupted();
    const size_t count = std::min(kBlock, hypotheses.size() - first);
    metrics.add_lines(hypotheses, references, first, count, context.threads_or_all());
    progress->update(static_cast<int64_t>(first + count));
  }
  return metrics;
}

JsonResult row_json(const std::string& kind, const ScoredRow& row) {
  JsonResult json = {{kind, row.name}, {"lines", row.lines}};
  json.update(metrics_json(row.results));
  return json;
}

void print_rows(const std::string& kind, const std::vector<ScoredRow>& rows, const Context& context) {
  if (context.json) {
    JsonResult all = JsonResult::array();
    for (const ScoredRow& row : rows) all.push_back(row_json(kind, row));
    print_json(rows.size() == 1 ? all[0] : JsonResult{{kind + "s", all}});
  } else if (rows.size() == 1) {
    for (const eval::MetricResult& result : rows[0].results) std::cout << result.format() << '\n';
    std::cout << "lines = " << rows[0].lines << '\n';
  } else {
    std::cout << metrics_table(kind, rows);
  }
}

/// A line of scores for every line of text: tab-separated under a header, or a JSON object each.
void print_sentences(const ScoredText& text, const eval::MetricSet& metrics, const Context& context) {
  std::string header = "line";
  for (const auto& metric : metrics.metrics()) header += "\t" + metric->key();
  if (!context.json) std::cout << header << '\n';
  for (size_t i = 0; i < metrics.num_lines(); ++i) {
    const std::vector<double> scores = metrics.line_scores(i);
    JsonResult json = {{"set", text.name}, {"line", i + 1}};
    std::string row = std::to_string(i + 1);
    for (size_t m = 0; m < scores.size(); ++m) {
      json[metrics.metrics()[m]->key()] = scores[m];
      row += "\t" + fixed(scores[m], 2);
    }
    if (context.json) row = json.dump(-1, ' ', false, JsonResult::error_handler_t::replace);
    std::cout << row << '\n';
  }
}

void compare_systems(const ScoreOptions& options, const Context& context) {
  if (options.hypotheses.empty() || options.systems.empty())
    throw UsageError("--paired compares --systems FILE... with HYP, the baseline");
  if (!options.test_sets.empty() || !options.pairs.empty() || options.sentence)
    throw UsageError("--paired takes one test set: no --test-set, --pairs or --sentence");
  const ScoredText text = read_text(options.hypotheses, options.references);
  eval::PairedOptions test;
  eval::kPairedTestNames.parse(options.paired, &test.test);
  test.trials = options.paired_trials;
  test.seed = options.metrics.seed();
  test.stop = [] { return interrupted(); };
  const eval::MetricSet baseline = score_text(text.name, text.hypotheses, text.references, options, context);
  std::vector<ScoredRow> rows = {{text.name + " (baseline)", text.hypotheses.size(), baseline.baseline_results(test)}};
  for (const std::string& path : options.systems) {
    const std::vector<std::string> hypotheses = read_hypotheses(path);
    require_lines(path, hypotheses.size(), text.hypotheses.size(), options.hypotheses);
    const eval::MetricSet system = score_text(path, hypotheses, text.references, options, context);
    rows.push_back({path, hypotheses.size(), {}});
    throw_if_error(eval::MetricSet::compare(baseline, system, test, &rows.back().results));
    throw_if_interrupted();
  }
  print_rows("system", rows, context);
}

void score(const ScoreOptions& options, const Context& context) {
  options.metrics.options();  // before reading: wrong usage is told first
  if (!options.paired.empty()) return compare_systems(options, context);
  if (!options.systems.empty()) throw UsageError("--systems needs --paired bs or --paired ar");
  std::vector<ScoredRow> rows;
  for (const ScoredText& text : read_texts(options)) {
    const eval::MetricSet metrics = score_text(text.name, text.hypotheses, text.references, options, context);
    if (options.sentence) {
      print_sentences(text, metrics, context);
    } else {
      rows.push_back({text.name, text.hypotheses.size(), options.metrics.results(metrics)});
    }
  }
  if (!options.sentence) print_rows("set", rows, context);
}

}  // namespace

void add_score(Program& program) {
  auto options = std::make_shared<ScoreOptions>();
  Verb verb = program.add_verb("score", "Scores text against references: BLEU, chrF, TER, accuracy, CER");
  verb.app->add_option("HYP", options->hypotheses, "text file, one hypothesis a line");
  verb.app->add_option("REF", options->references, "one or more reference files of as many lines");
  verb.app->add_option("--test-set", options->test_sets, "one more test set, as HYP,REF[,REF...]; may be repeated")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  verb.app->add_option("--pairs", options->pairs, "more test sets, files of: hypothesis, tab, reference (tab, ...)");
  options->metrics.add_to(verb.app);
  verb.app->add_flag("--sentence", options->sentence, "scores of every line; BLEU with effective order");
  verb.app->add_option("--paired", options->paired, "test --systems against HYP: bs (bootstrap) or ar (randomisation)")
      ->check(CLI::IsMember({"bs", "ar"}));
  verb.app->add_option("--systems", options->systems, "hypotheses to compare with HYP by --paired");
  verb.app->add_option("--paired-n", options->paired_trials, "trials of --paired (default: bs 1000, ar 10000)")
      ->check(CLI::Range(1, 10000000));
  verb.with_json();
  verb.examples({"litenat score hyp.txt ref.txt", "litenat score --tokenize zh hyp.txt ref1.txt ref2.txt --json",
                 "litenat score --metrics bleu,chrf++,ter --confidence hyp.txt ref.txt",
                 "litenat score baseline.txt ref.txt --paired bs --systems better.txt other.txt",
                 "litenat score --test-set chat.hyp,chat.ref --test-set news.hyp,news.ref1,news.ref2",
                 "litenat score --sentence --metrics bleu,ter hyp.txt ref.txt"});
  verb.run([options](const Context& context) { score(*options, context); });
}

}  // namespace litenat::cli
