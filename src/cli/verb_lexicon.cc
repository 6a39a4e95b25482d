// litenat lexicon: the text resources of an input method.
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/log.h"
#include "cli/program.h"
#include "cli/verbs.h"
#include "data/resources.h"

namespace litenat::cli {
namespace {

struct LexiconOptions {
  std::string target_dictionary;
  std::vector<std::string> words;
  std::string text;
  std::string arpa;
  std::string output = "resources.litenat";
  data::ResourceSettings settings;
};

Json to_json(const data::ResourceReport& report, const std::string& output) {
  Json result = Json::object();
  result.set("output", Json(output));
  result.set("words", Json(report.num_words));
  result.set("skipped_entries", Json(report.skipped_entries));
  Json unreadable = Json::array();
  for (const std::string& character : report.unreadable) unreadable.push_back(Json(character));
  result.set("unreadable", std::move(unreadable));
  result.set("clauses", Json(report.num_clauses));
  result.set("tokens", Json(report.num_tokens));
  for (const auto& [name, counts] :
       {std::make_pair("word_ngrams", &report.word_ngrams), std::make_pair("unit_ngrams", &report.unit_ngrams)}) {
    Json list = Json::array();
    for (const uint64_t count : *counts) list.push_back(Json(static_cast<int64_t>(count)));
    result.set(name, std::move(list));
  }
  Json bytes = Json::object();
  for (const auto& [name, size] : report.bytes) bytes.set(name, Json(size));
  result.set("bytes", std::move(bytes));
  return result;
}

void print_report(const data::ResourceReport& report, const std::string& output) {
  std::cout << output << ": " << report.num_words << " words, " << report.skipped_entries << " rows left out, "
            << report.unreadable.size() << " hanzi without a reading\n";
  for (const auto& [name, size] : report.bytes) std::cout << "  " << name << ": " << size << " bytes\n";
}

void run_lexicon(const LexiconOptions& options, const Context& context) {
  const auto report =
      data::build_resources(options.target_dictionary, options.words, options.text, options.arpa, options.settings,
                            options.output, [](const std::string& what) { log_info(what); });
  if (context.json) {
    std::cout << to_json(report, options.output).dump() << "\n";
  } else {
    print_report(report, options.output);
  }
}

}  // namespace

void add_lexicon(Program& program) {
  auto options = std::make_shared<LexiconOptions>();
  Verb verb = program.add_verb("lexicon", "Builds the dictionary, lexicon and n-grams of an input method");
  auto& settings = options->settings;
  verb.app->add_option("--target-dict", options->target_dictionary, "dict.txt of the hanzi (preprocess makes it)")
      ->required();
  verb.app->add_option("--words", options->words, "word lists: rime dictionaries or \"word syllables weight\" lines")
      ->required();
  verb.app->add_option("--text", options->text, "prefix of the aligned text: PREFIX.hanzi and PREFIX.pinyin")
      ->required();
  verb.app->add_option("--arpa", options->arpa, "word n-gram in ARPA format, used instead of the text's");
  verb.app->add_option("-o,--output", options->output, "file to write")->capture_default_str();
  verb.app->add_option("--order", settings.words.order, "longest word n-gram")
      ->check(CLI::Range(1, 4))
      ->capture_default_str();
  verb.app->add_option("--min-counts", settings.words.min_counts, "by order: word n-grams seen less often are left out")
      ->delimiter(',')
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  verb.app->add_option("--max-bytes", settings.words.max_bytes, "largest word n-gram; 0 = no limit")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  verb.app->add_option("--unit-order", settings.units.order, "longest unit n-gram")
      ->check(CLI::Range(1, 4))
      ->capture_default_str();
  verb.app->add_option("--unit-max-bytes", settings.units.max_bytes, "largest unit n-gram; 0 = no limit")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  verb.app->add_option("--unit-samples", settings.unit_samples, "key sequences drawn for each clause")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  verb.app->add_option("--seed", settings.seed, "seed of the key sequences")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  verb.with_json();
  verb.examples(
      {"litenat lexicon --target-dict data-bin/dict.hanzi.txt --words /usr/share/rime-data/pinyin_simp.dict.yaml "
       "--text corpus/train -o resources.litenat"});
  verb.run([options](const Context& context) { run_lexicon(*options, context); });
}

}  // namespace litenat::cli
