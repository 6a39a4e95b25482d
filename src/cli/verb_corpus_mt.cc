// litenat corpus mt: parallel text to the corpus of a translation model.
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "cli/program.h"
#include "cli/verbs.h"
#include "data/corpus_mt.h"

namespace litenat::cli {
namespace {

using data::CorpusMtOptions;
using data::CorpusMtSummary;
using data::SideTokenizer;
using data::TokenizerKind;

/// What the command line gives as text, or for both sides at once.
struct MtArguments {
  CorpusMtOptions options;
  std::string columns;
  SideTokenizer both;  // what of --tokenizer, --model, --words, --vocab-size was given
  std::string tokenizer, source_tokenizer, target_tokenizer;
  std::string model_type, normalization, word_path;
  int source_vocab_size = 0, target_vocab_size = 0;  // 0: --vocab-size
};

template <typename E>
void parse_name(const EnumNames<E>& names, const std::string& flag, const std::string& name, E* value) {
  if (!name.empty() && !names.parse(name, value))
    throw UsageError(flag + ": expected one of " + names.list() + ", found " + name);
}

void add_input_options(CLI::App* app, MtArguments* arguments) {
  CorpusMtOptions& o = arguments->options;
  app->add_option(
         "INPUT", o.inputs,
         "source and target file in turn (line i of one translates line i of the other), or one file with tabs; "
         "- for standard input; gzip, xz and bzip2 are unpacked")
      ->required();
  app->add_option("-s,--source-lang", o.source_lang, "source language: the suffix of its files")->required();
  app->add_option("-t,--target-lang", o.target_lang, "target language: the suffix of its files")->required();
  app->add_option("-o,--output", o.output, "corpus folder to write")->required();
  app->add_flag("--tsv", o.tab_separated, "every input has both sides, between tabs (the default for one input)");
  app->add_option("--columns", arguments->columns, "columns of the source and the target side in such files")
      ->default_str("1,2");
}

void add_split_options(CLI::App* app, CorpusMtOptions* o) {
  app->add_option("--valid", o->valid_pairs, "pairs held out for validation, at most a tenth of all")
      ->check(CLI::Range(int64_t{0}, int64_t{10000000}))
      ->capture_default_str();
  app->add_option("--test", o->test_pairs, "pairs held out for the test, at most a tenth of all")
      ->check(CLI::Range(int64_t{0}, int64_t{10000000}))
      ->capture_default_str();
  app->add_option("--valid-prefix", o->valid_prefix,
                  "validation files PREFIX.LANG (may be packed) instead; every line of them is kept");
  app->add_option("--test-prefix", o->test_prefix, "test files, likewise");
  app->add_flag("--keep-overlap", o->keep_overlap, "train also on source sentences that are in those files");
  app->add_option("--seed", o->seed, "draws the held-out pairs and the tokenizer's sentences")
      ->check(CLI::Range(int64_t{0}, int64_t{9000000000000000}))
      ->capture_default_str();
}

void add_cleaning_options(CLI::App* app, CorpusMtOptions* o) {
  app->add_option("--min-length", o->min_length, "fewest words of a side; a hanzi or kana counts as a word")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  app->add_option("--max-length", o->max_length, "most words of a side")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  app->add_option("--max-ratio", o->max_ratio, "most words of the longer side for one of the shorter")
      ->check(CLI::Range(1.0, 1e6))
      ->capture_default_str();
  app->add_option("--max-copies", o->max_copies, "copies of a pair that are kept; 0: all")
      ->check(CLI::Range(0, 63))
      ->capture_default_str();
  app->add_option("--max-tokens", o->max_tokens, "most tokens of a side, once tokenised")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  app->add_flag("--lowercase", o->lower_case,
                "put the text in lower case (with SentencePiece: fold case, in the model)");
}

void add_tokenizer_options(CLI::App* app, MtArguments* arguments) {
  MtArguments& a = *arguments;
  CorpusMtOptions& o = a.options;
  app->add_option("--tokenizer", a.tokenizer, "what splits the text, of: " + data::kTokenizerKindNames.list())
      ->default_str("sentencepiece");
  app->add_option("--source-tokenizer", a.source_tokenizer, "the same for the source side alone");
  app->add_option("--target-tokenizer", a.target_tokenizer, "the same for the target side alone");
  app->add_flag("--joined", o.joined, "one tokenizer, made of the text of both sides");
  app->add_option("--model", a.both.model,
                  "apply this tokenizer (a SentencePiece model, or tokenizer.model of a corpus) instead of making one");
  app->add_option("--source-model", o.source.model, "the same for the source side alone");
  app->add_option("--target-model", o.target.model, "the same for the target side alone");
  app->add_option(
      "--words", a.both.words,
      "word list for the tokenizer words: lines of a word and its count (jieba's and rime's dictionaries do)");
  app->add_option("--source-words", o.source.words, "the same for the source side alone");
  app->add_option("--target-words", o.target.words, "the same for the target side alone");
  app->add_option("--word-path", a.word_path,
                  "which words are taken where several fit, of: " + data::kWordPathNames.list())
      ->default_str("likeliest");
}

void add_piece_options(CLI::App* app, MtArguments* arguments) {
  MtArguments& a = *arguments;
  CorpusMtOptions& o = a.options;
  app->add_option("--model-type", a.model_type, "SentencePiece model to train, of: " + data::kPieceModelNames.list())
      ->default_str("bpe");
  app->add_option("--vocab-size", a.both.vocab_size, "its pieces, <unk>, <s> and </s> included")
      ->check(CLI::Range(4, 1000000))
      ->capture_default_str();
  app->add_option("--source-vocab-size", a.source_vocab_size, "the same for the source side alone")
      ->check(CLI::Range(4, 1000000));
  app->add_option("--target-vocab-size", a.target_vocab_size, "the same for the target side alone")
      ->check(CLI::Range(4, 1000000));
  app->add_option("--character-coverage", o.coverage, "share of the text's characters that get a piece")
      ->check(CLI::Range(0.9, 1.0))
      ->capture_default_str();
  app->add_option("--normalization", a.normalization, "SentencePiece's rule, of: " + data::kNormalizationNames.list())
      ->default_str("nmt_nfkc");
  app->add_flag("--byte-fallback", o.byte_fallback, "spell other characters in bytes instead of leaving them unknown");
  app->add_option("--tokenizer-sentences", o.tokenizer_sentences, "most sentences it is trained on; 0: all")
      ->check(CLI::Range(int64_t{0}, int64_t{1000000000}))
      ->capture_default_str();
}

/// "2,1" to the two columns.
void read_columns(const std::string& text, CorpusMtOptions* options) {
  if (text.empty()) return;
  int source = 0, target = 0, end = 0;
  const int found = std::sscanf(text.c_str(), "%4d,%4d%n", &source, &target, &end);
  if (found != 2 || end != static_cast<int>(text.size()) || source < 1 || target < 1)
    throw UsageError("--columns: expected two numbers from 1 on (\"1,2\"), found " + text);
  options->source_column = source;
  options->target_column = target;
}

/// Fills a side with what was given for it, else for both; a word list alone chooses the tokenizer of words.
void settle_side(const MtArguments& a, const std::string& flag, const std::string& kind, int vocab_size,
                 SideTokenizer* side) {
  if (side->model.empty() && side->words.empty()) {
    side->model = a.both.model;
    side->words = a.both.words;
  }
  side->vocab_size = vocab_size > 0 ? vocab_size : a.both.vocab_size;
  if (!side->words.empty()) side->kind = TokenizerKind::kWords;
  parse_name(data::kTokenizerKindNames, "--tokenizer", a.tokenizer, &side->kind);
  parse_name(data::kTokenizerKindNames, flag, kind, &side->kind);
  // A list for both sides is for those of them that are split by words.
  if (side->words == a.both.words && side->kind != TokenizerKind::kWords && !kind.empty()) side->words.clear();
}

CorpusMtOptions settle(const MtArguments& arguments, const Context& context) {
  CorpusMtOptions options = arguments.options;
  options.threads = context.threads_or_all();
  options.tab_separated = options.tab_separated || options.inputs.size() == 1;
  if (!arguments.columns.empty() && !options.tab_separated)
    throw UsageError("--columns is for files with tabs (--tsv)");
  read_columns(arguments.columns, &options);
  settle_side(arguments, "--source-tokenizer", arguments.source_tokenizer, arguments.source_vocab_size,
              &options.source);
  settle_side(arguments, "--target-tokenizer", arguments.target_tokenizer, arguments.target_vocab_size,
              &options.target);
  options.joined = options.joined || !arguments.both.model.empty();
  parse_name(data::kPieceModelNames, "--model-type", arguments.model_type, &options.piece_model);
  parse_name(data::kNormalizationNames, "--normalization", arguments.normalization, &options.normalization);
  parse_name(data::kWordPathNames, "--word-path", arguments.word_path, &options.word_path);
  return options;
}

std::string describe(const CorpusMtSummary::Tokenizer& tokenizer) {
  std::string text = tokenizer.type;
  if (tokenizer.vocab_size > 0) text += ", " + std::to_string(tokenizer.vocab_size) + " pieces";
  if (tokenizer.sentences > 0)
    text += ", trained on " + short_count(static_cast<double>(tokenizer.sentences)) + " sentences";
  return tokenizer.file.empty() ? text : tokenizer.file + ": " + text;
}

void print_summary(const CorpusMtSummary& summary, const CorpusMtOptions& options) {
  const auto count = [](int64_t n) { return short_count(static_cast<double>(n)); };
  std::fprintf(stderr, "%s: %s pairs read in %s, tokenizers made in %s, text tokenised in %s\n", options.output.c_str(),
               count(summary.pairs_read).c_str(), short_duration(summary.reading_seconds).c_str(),
               short_duration(summary.training_seconds).c_str(), short_duration(summary.tokenizing_seconds).c_str());
  for (const auto* subset : {&summary.train, &summary.valid, &summary.test})
    std::fprintf(stderr, "%-8s %9s pairs %9s %s tokens %9s %s tokens\n", subset->name.c_str(),
                 count(subset->pairs).c_str(), count(subset->source_tokens).c_str(), options.source_lang.c_str(),
                 count(subset->target_tokens).c_str(), options.target_lang.c_str());
  std::fprintf(stderr, "%s\n", describe(summary.source).c_str());
  if (!options.joined) std::fprintf(stderr, "%s\n", describe(summary.target).c_str());
  if (summary.dropped.total() > 0) std::fprintf(stderr, "pairs left out:\n");
  for (size_t i = 0; i < data::kNumDropReasons; ++i) {
    const auto reason = static_cast<data::DropReason>(i);
    if (summary.dropped.of(reason) > 0)
      std::fprintf(stderr, "  %-15s %9s\n", data::DropCounts::name(reason), count(summary.dropped.of(reason)).c_str());
  }
}

Json result_json(const CorpusMtSummary& summary, const std::string& folder) {
  Json json = summary.to_json();
  json.set("output", Json(folder));
  json.set("reading_seconds", Json(summary.reading_seconds));
  json.set("training_seconds", Json(summary.training_seconds));
  json.set("tokenizing_seconds", Json(summary.tokenizing_seconds));
  return json;
}

void run_mt(const MtArguments& arguments, const Context& context) {
  const CorpusMtOptions options = settle(arguments, context);
  std::unique_ptr<Progress> progress;
  std::string shown;
  const CorpusMtSummary summary =
      data::make_mt_corpus(options, [&](const std::string& activity, int64_t done, int64_t total) {
        if (activity != shown) {
          progress.reset();
          progress = context.progress(activity, total, "B");
          shown = activity;
        }
        progress->update(done);
      });
  progress.reset();
  if (context.json) std::cout << result_json(summary, options.output).dump() << "\n";
  if (!context.json && !context.quiet) print_summary(summary, options);
}

}  // namespace

void add_corpus_mt(Program& program) {
  auto arguments = std::make_shared<MtArguments>();
  Verb verb = program.add_verb("corpus mt",
                               "Makes the corpus of a translation model: parallel text, cleaned, tokenised and split "
                               "into train, valid and test");
  add_input_options(verb.app, arguments.get());
  add_split_options(verb.app, &arguments->options);
  add_cleaning_options(verb.app, &arguments->options);
  add_tokenizer_options(verb.app, arguments.get());
  add_piece_options(verb.app, arguments.get());
  verb.with_json();
  verb.examples(
      {"litenat corpus mt train.en.gz train.de.gz -s en -t de -o corpus --joined --vocab-size 8000 "
       "--valid-prefix val --test-prefix test2016",
       "litenat corpus mt pairs.tsv.xz -s en -t zh -o corpus --target-words jieba.dict.txt --lowercase",
       "zcat pairs.tsv.gz | litenat corpus mt - --columns 2,1 -s zh -t en -o corpus --model-type unigram "
       "--max-ratio 3 --seed 7",
       "litenat corpus mt a.en a.ja b.en b.ja -s en -t ja -o corpus --tokenizer none",
       "litenat corpus mt new.en new.de -s en -t de -o more --model corpus/tokenizer.model"});
  verb.run([arguments](const Context& context) { run_mt(*arguments, context); });
}

}  // namespace litenat::cli
