// litenat corpus ime: raw Chinese text to the corpus of an input method.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "cli/program.h"
#include "cli/verbs.h"
#include "data/corpus_ime.h"

namespace litenat::cli {
namespace {

using data::CorpusImeOptions;
using data::CorpusImeSummary;

/// What the command line gives as text and turns into numbers and enums afterwards.
struct ImeArguments {
  CorpusImeOptions options;
  std::vector<std::string> keys;
  std::string retroflex;
};

template <typename E>
E parse_name(const EnumNames<E>& names, const std::string& flag, const std::string& name) {
  E value{};
  if (!names.parse(name, &value)) throw UsageError(flag + ": expected one of " + names.list() + ", found " + name);
  return value;
}

std::string default_keys() {
  std::string text;
  for (const data::KeyMode mode : CorpusImeOptions{}.keys)
    text += (text.empty() ? "" : ",") + std::string(data::kKeyModeNames.name(mode));
  return text;
}

void add_input_options(CLI::App* app, CorpusImeOptions* o) {
  app->add_option("INPUT", o->inputs,
                  "files, folders (read recursively) and - for standard input; text in any markup, UTF-8; gzip, xz and "
                  "bzip2 are unpacked")
      ->required();
  app->add_option("-o,--output", o->output, "corpus folder to write")->required();
  app->add_option("--exclude", o->exclude, "leave out files of folders whose path contains this (repeatable)")
      ->allow_extra_args(false);
  app->add_option("--opencc", o->opencc, "convert with OpenCC first; t2s: traditional to simplified");
  app->add_option("--phrases", o->phrases,
                  "phrase dictionaries instead of Debian's rime-data-pinyin-simp: rime's format or lines \"word: "
                  "syllables\" (repeatable)")
      ->allow_extra_args(false);
  app->add_option("--readings", o->readings, "readings of characters instead of unicode-data's Unihan_Readings")
      ->allow_extra_args(false);
}

void add_clause_options(CLI::App* app, CorpusImeOptions* o) {
  app->add_option("--min-length", o->min_length, "shortest clause in hanzi")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app->add_option("--max-length", o->max_length, "longest clause; longer ones are cut between words")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app->add_option("--max-copies", o->max_copies, "copies of a clause that are kept; 0: all")
      ->check(CLI::Range(0, data::CopyCounter::kMaxCopies))
      ->capture_default_str();
  app->add_option("--valid", o->valid_clauses, "clauses held out for validation, at most a tenth of all")
      ->check(CLI::Range(int64_t{0}, int64_t{10000000}))
      ->capture_default_str();
  app->add_option("--test", o->test_clauses, "clauses held out for the test, at most a tenth of all")
      ->check(CLI::Range(int64_t{0}, int64_t{10000000}))
      ->capture_default_str();
  app->add_option("--seed", o->seed, "draws the held-out clauses and the keys")
      ->check(CLI::Range(int64_t{0}, int64_t{9000000000000000}))
      ->capture_default_str();
}

void add_key_options(CLI::App* app, ImeArguments* arguments) {
  CorpusImeOptions& o = arguments->options;
  app->add_option("--keys", arguments->keys, "key modes, of: " + data::kKeyModeNames.list())
      ->delimiter(',')
      ->allow_extra_args(false)
      ->default_str(default_keys());
  app->add_flag("--key-files", o.key_files, "also write the typed units of every clause: one file a subset and mode");
  app->add_option("--cut", o.cut, "share of the syllables of mixed keys that are cut to their initial")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app->add_option("--retroflex", arguments->retroflex,
                  "zh, ch, sh as an initial, of: " + data::kRetroflexStyleNames.list())
      ->default_str("two");
}

void add_keys(const ImeArguments& arguments, CorpusImeOptions* options) {
  if (!arguments.retroflex.empty())
    options->retroflex = parse_name(data::kRetroflexStyleNames, "--retroflex", arguments.retroflex);
  if (arguments.keys.empty()) return;
  options->keys.clear();
  for (const std::string& name : arguments.keys) {
    const auto mode = parse_name(data::kKeyModeNames, "--keys", name);
    if (std::find(options->keys.begin(), options->keys.end(), mode) == options->keys.end())
      options->keys.push_back(mode);
  }
}

void print_summary(const CorpusImeSummary& summary, const std::string& folder) {
  const auto print = [](const std::string& name, double clauses, double hanzi) {
    std::fprintf(stderr, "%-22s %9s clauses %9s hanzi\n", name.c_str(), short_count(clauses).c_str(),
                 short_count(hanzi).c_str());
  };
  const auto dropped = [](const char* reason, int64_t count) {
    if (count > 0) std::fprintf(stderr, "  %s: %s\n", reason, short_count(static_cast<double>(count)).c_str());
  };
  std::fprintf(stderr, "%s: %lld documents, %s bytes of text, %s hanzi in %s\n", folder.c_str(),
               static_cast<long long>(summary.input.documents),
               short_count(static_cast<double>(summary.input.bytes)).c_str(),
               short_count(static_cast<double>(summary.text.hanzi)).c_str(), short_duration(summary.seconds).c_str());
  for (const auto* subset : {&summary.train, &summary.valid, &summary.test})
    print(subset->name, static_cast<double>(subset->clauses), static_cast<double>(subset->hanzi));
  std::fprintf(stderr, "clauses left out:\n");
  dropped("copies of others", summary.duplicates);
  dropped("too short", summary.clauses.too_short);
  dropped("a hanzi without reading", summary.clauses.without_reading);
  dropped("in blocks that are no text", summary.clauses.not_text);
}

Json result_json(const CorpusImeSummary& summary, const std::string& folder) {
  Json json = summary.to_json();
  json.set("output", Json(folder));
  json.set("seconds", Json(summary.seconds));
  return json;
}

void run_ime(const ImeArguments& arguments, const Context& context) {
  CorpusImeOptions options = arguments.options;
  add_keys(arguments, &options);
  options.threads = context.threads_or_all();
  std::unique_ptr<Progress> progress;
  const CorpusImeSummary summary = data::make_ime_corpus(options, [&](int64_t done, int64_t total) {
    if (!progress) progress = context.progress("reading", total, "B");
    progress->update(done);
  });
  progress.reset();
  if (context.json) std::cout << result_json(summary, options.output).dump() << "\n";
  if (!context.json && !context.quiet) print_summary(summary, options.output);
}

}  // namespace

void add_corpus(Program& program) {
  auto arguments = std::make_shared<ImeArguments>();
  Verb verb = program.add_verb("corpus ime",
                               "Makes the corpus of an input method: raw Chinese text to aligned hanzi, "
                               "pinyin and typed keys");
  add_input_options(verb.app, &arguments->options);
  add_clause_options(verb.app, &arguments->options);
  add_key_options(verb.app, arguments.get());
  verb.with_json();
  verb.examples({"litenat corpus ime texts/ novel.txt.xz -o corpus",
                 "litenat corpus ime /usr/share/man/zh_CN --opencc t2s -o corpus --keys full,9key --test 2000",
                 "xzcat news.xz | litenat corpus ime - -o corpus --seed 7 --key-files"});
  verb.run([arguments](const Context& context) { run_ime(*arguments, context); });
}

}  // namespace litenat::cli
