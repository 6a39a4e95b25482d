// litenat preprocess: fairseq-preprocess.
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>

#include "base/json.h"
#include "cli/program.h"
#include "cli/verbs.h"
#include "data/preprocess.h"

namespace litenat::cli {
namespace {

using data::BinarizeSummary;
using data::PreprocessOptions;
using data::PreprocessReport;

double replaced_percent(const BinarizeSummary& summary) {
  if (summary.num_tokens == 0) return 0;
  return 100.0 * static_cast<double>(summary.num_replaced) / static_cast<double>(summary.num_tokens);
}

/// Three significant digits, at least one of them after the point: "0.0", "3.52", "12.3".
std::string three_digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value >= 99.95 ? "%.0f" : "%.3g", value);
  std::string result = text;
  return result.find('.') == std::string::npos && result.find('e') == std::string::npos ? result + ".0" : result;
}

std::string in_brackets(const std::string& language) { return "[" + (language.empty() ? "None" : language) + "] "; }

void print_report(const PreprocessReport& report) {
  for (const auto& dictionary : report.dictionaries)
    std::cout << in_brackets(dictionary.language) << dictionary.path << ": " << dictionary.size << " types\n";
  for (const auto& set : report.datasets)
    std::cout << in_brackets(set.language) << set.input << ": " << set.summary.num_sentences << " sents, "
              << set.summary.num_tokens << " tokens, " << three_digits(replaced_percent(set.summary))
              << "% replaced (by <unk>)\n";
}

Json to_json(const PreprocessReport& report, const std::string& destdir) {
  Json dictionaries = Json::array(), datasets = Json::array();
  for (const auto& dictionary : report.dictionaries) {
    Json item = Json::object();
    item.set("language", Json(dictionary.language));
    item.set("path", Json(dictionary.path));
    item.set("types", Json(dictionary.size));
    dictionaries.push_back(std::move(item));
  }
  for (const auto& set : report.datasets) {
    Json item = Json::object();
    item.set("language", Json(set.language));
    item.set("input", Json(set.input));
    item.set("prefix", Json(set.prefix));
    item.set("sentences", Json(set.summary.num_sentences));
    item.set("tokens", Json(set.summary.num_tokens));
    item.set("replaced", Json(set.summary.num_replaced));
    item.set("replaced_percent", Json(replaced_percent(set.summary)));
    datasets.push_back(std::move(item));
  }
  Json result = Json::object();
  result.set("destdir", Json(destdir));
  result.set("dictionaries", std::move(dictionaries));
  result.set("datasets", std::move(datasets));
  return result;
}

/// Shows one progress line a file; the line of the file before ends when the next begins.
data::FileObserver observe_with(const Context& context) {
  auto shown = std::make_shared<std::unique_ptr<Progress>>();
  return [context, shown](const std::string& activity, const std::string& path, int64_t bytes) -> data::BytesDone {
    shown->reset();
    *shown = context.progress((activity == "dictionary" ? "counting " : "binarizing ") + path, bytes, "B");
    return [shown](int64_t done) { (*shown)->update(done); };
  };
}

void run_preprocess(PreprocessOptions options, const Context& context) {
  if (options.workers <= 0) options.workers = context.threads_or_all();
  const PreprocessReport report = data::preprocess(options, observe_with(context));
  if (context.json) {
    std::cout << to_json(report, options.destdir).dump() << "\n";
  } else if (!context.quiet) {
    print_report(report);
  }
}

void add_file_options(CLI::App* app, PreprocessOptions* o) {
  app->add_option("-s,--source-lang", o->source_lang, "source language: the suffix of its files");
  app->add_option("-t,--target-lang", o->target_lang, "target language: the suffix of its files");
  app->add_option("--trainpref", o->trainpref, "prefix of the training files (PREFIX.LANG)");
  app->add_option("--validpref", o->validpref, "prefixes of validation files, separated by commas: valid, valid1, ...");
  app->add_option("--testpref", o->testpref, "prefixes of test files, separated by commas: test, test1, ...");
  app->add_option("--destdir", o->destdir, "folder to write")->capture_default_str();
  app->add_flag("--only-source", o->only_source, "binarize the source side alone");
  app->add_flag("--dict-only", o->dict_only, "write the dictionaries alone");
  app->add_option("--workers", o->workers,
                  "threads (default: --threads, else every core); the files do not depend on it")
      ->check(CLI::Range(1, 1024));
}

void add_dictionary_options(CLI::App* app, PreprocessOptions* o) {
  app->add_option("--srcdict", o->srcdict, "dictionary of the source side, instead of building one");
  app->add_option("--tgtdict", o->tgtdict, "dictionary of the target side, instead of building one");
  app->add_flag("--joined-dictionary", o->joined_dictionary, "one dictionary for both sides");
  app->add_option("--thresholdsrc", o->threshold_source, "source tokens seen less often become <unk>")
      ->capture_default_str();
  app->add_option("--thresholdtgt", o->threshold_target, "the same for target tokens")->capture_default_str();
  app->add_option("--nwordssrc", o->nwords_source, "most source ids, the 4 specials included; -1: no limit")
      ->capture_default_str();
  app->add_option("--nwordstgt", o->nwords_target, "the same for target ids")->capture_default_str();
  app->add_option("--padding-factor", o->padding_factor, "dictionary sizes are padded to a multiple of this")
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
}

}  // namespace

void add_preprocess(Program& program) {
  auto options = std::make_shared<PreprocessOptions>();
  options->workers = 0;
  Verb verb =
      program.add_verb("preprocess", "Makes dictionaries and binary datasets of text, as fairseq-preprocess does");
  add_file_options(verb.app, options.get());
  add_dictionary_options(verb.app, options.get());
  verb.with_json();
  verb.examples(
      {"litenat preprocess -s pinyin -t hanzi --trainpref corpus/train --validpref corpus/valid "
       "--testpref corpus/test --destdir data-bin",
       "litenat preprocess -s en -t de --trainpref train --validpref val --joined-dictionary --nwordssrc 32768 "
       "--destdir data-bin --workers 8",
       "litenat preprocess -s en -t de --testpref news2013,news2014 --srcdict data-bin/dict.en.txt "
       "--tgtdict data-bin/dict.de.txt --destdir data-test"});
  verb.run([options](const Context& context) { run_preprocess(*options, context); });
}

}  // namespace litenat::cli
