#include "data/corpus_mt.h"

#include <chrono>
#include <filesystem>

#include "base/error.h"
#include "base/json_fields.h"
#include "base/log.h"
#include "data/corpus_mt_stages.h"
#include "data/corpus_mt_tokenizers.h"
#include "data/staged_folder.h"

namespace litenat::data {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTokenizerFile = "tokenizer.model";  // source text to tokens, and target tokens to text

void check_language(const std::string& flag, const std::string& language) {
  if (language.empty() || language.find_first_of("/\\ \t\n") != std::string::npos || language[0] == '.')
    throw UsageError(flag + ": expected a language (en, zh, ...), found \"" + language + "\"");
}

void check_inputs(const CorpusMtOptions& o) {
  if (o.inputs.empty()) throw UsageError("expected a source and a target file, or one with tabs; found no input");
  if (!o.tab_separated && o.inputs.size() % 2 != 0)
    throw UsageError("expected source and target files in turn, found an odd number of files; are they tab-separated?");
  if (o.tab_separated && o.source_column == o.target_column)
    throw UsageError("both sides are column " + std::to_string(o.source_column));
  int num_standard = 0;
  for (const std::string& input : o.inputs) num_standard += input == "-" ? 1 : 0;
  if (num_standard > 1) throw UsageError("standard input (-) can be read once");
}

void check_options(const CorpusMtOptions& options) {
  CorpusMtOptions checked;  // the bounds of visit() are checked by reading the options back
  throw_if_error(fields_from_json(fields_to_json(options), &checked));
  check_inputs(options);
  check_language("source language", options.source_lang);
  check_language("target language", options.target_lang);
  if (options.source_lang == options.target_lang)
    throw UsageError("both languages are \"" + options.source_lang + "\", so their files would have the same names");
  if (options.output.empty()) throw UsageError("output: expected a folder, found none");
  if (options.min_length > options.max_length)
    throw UsageError("the fewest words of a side (" + std::to_string(options.min_length) +
                     ") are more than the most (" + std::to_string(options.max_length) + ")");
  check_tokenizer_choices(options);
}

/// Seconds since it was made or last asked.
class Stopwatch {
 public:
  double lap() {
    const auto now = Clock::now();
    const std::chrono::duration<double> elapsed = now - begin_;
    begin_ = now;
    return elapsed.count();
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin_ = Clock::now();
};

/// Every file that a corpus folder of these languages may hold.
std::vector<std::string> file_names(const CorpusMtOptions& options) {
  std::vector<std::string> names = {"summary.json", kTokenizerFile};
  for (const std::string& language : {options.source_lang, options.target_lang}) {
    names.push_back("tokenizer." + language + ".model");
    for (const char* subset : {"train", "valid", "test"}) names.push_back(std::string(subset) + "." + language);
  }
  return names;
}

/// The files that are read: text, and held-out text and tokenizers of the user's.
std::vector<std::string> files_read(const CorpusMtOptions& options) {
  std::vector<std::string> files = options.inputs;
  for (const std::string& prefix : {options.valid_prefix, options.test_prefix})
    if (!prefix.empty())
      for (const std::string& language : {options.source_lang, options.target_lang})
        files.push_back(prefix + "." + language);
  return files;
}

class CorpusMaker {
 public:
  CorpusMaker(const CorpusMtOptions& options, const StageProgress& progress)
      : options_(options), progress_(progress), folder_(options.output), clean_((folder_.path() / ".clean").string()) {
    folder_.own(file_names(options));
  }

  CorpusMtSummary run() {
    std::error_code error;
    if (!fs::create_directory(clean_, error))
      throw Error("cannot create the folder " + clean_ + ": " + error.message());
    Stopwatch watch;
    CleaningPass pass(options_, clean_, &summary_);
    clean(&pass);
    summary_.reading_seconds = watch.lap();
    if (progress_) progress_("making the tokenizer", 0, 0);
    tokenizers_ =
        make_corpus_tokenizers(options_, pass.train().source, pass.train().target, pass.train_pairs(), &summary_);
    save_tokenizers();
    summary_.training_seconds = watch.lap();
    tokenize(pass.train(), "", &summary_.train);
    tokenize(pass.valid(), options_.valid_prefix, &summary_.valid);
    tokenize(pass.test(), options_.test_prefix, &summary_.test);
    if (summary_.train.pairs == 0) fail_empty();
    write_text("summary.json", summary_.to_json().dump() + "\n");
    fs::remove_all(clean_, error);
    folder_.commit();
    summary_.tokenizing_seconds = watch.lap();
    return summary_;
  }

 private:
  void clean(CleaningPass* pass) {
    for (const std::string& prefix : {options_.valid_prefix, options_.test_prefix}) {
      if (prefix.empty()) continue;
      const PairInput files = find_pair_files(prefix, options_);
      if (!options_.keep_overlap) pass->reserve(files);
    }
    pass->run(progress_);
    if (pass->train_pairs() == 0) fail_empty();
  }

  [[noreturn]] void fail_empty() const {
    throw Error("no pair is left to train on; of " + std::to_string(summary_.pairs_read) +
                " these were left out: " + summary_.dropped.to_json().dump());
  }

  void write_text(const std::string& name, const std::string& text) const {
    throw_if_error(write_file_atomically((folder_.path() / name).string(), text.data(), text.size()));
  }

  void save_tokenizers() {
    const auto save = [this](const TextTokenizer& tokenizer, const std::string& name, std::string* file) {
      if (tokenizer.blob().empty()) return;
      write_text(name, tokenizer.blob());
      *file = name;
    };
    if (options_.joined) {
      save(*tokenizers_.source, kTokenizerFile, &summary_.source.file);
      summary_.target.file = summary_.source.file;
      return;
    }
    save(*tokenizers_.source, "tokenizer." + options_.source_lang + ".model", &summary_.source.file);
    save(*tokenizers_.target, "tokenizer." + options_.target_lang + ".model", &summary_.target.file);
    if (!summary_.source.file.empty() || !summary_.target.file.empty())
      write_text(kTokenizerFile, make_pair_tokenizer(tokenizers_.source, tokenizers_.target)->blob());
  }

  /// Pairs that were held out are tokenised like those to train on; files of the user's keep every line.
  void tokenize(const PairInput& held_out, const std::string& prefix, CorpusMtSummary::Subset* subset) {
    TokenizingOptions tokenizing;
    tokenizing.lower_case = options_.lower_case;
    tokenizing.max_tokens = prefix.empty() ? options_.max_tokens : 0;
    tokenizing.threads = options_.threads;
    const PairInput files = prefix.empty() ? held_out : find_pair_files(prefix, options_);
    const std::string stem = (folder_.path() / subset->name).string();
    PairWriter writer(stem + "." + options_.source_lang, stem + "." + options_.target_lang);
    tokenize_pairs(files, tokenizers_, tokenizing, &writer, subset, &summary_.dropped, progress_);
  }

  const CorpusMtOptions& options_;
  const StageProgress& progress_;
  StagedFolder folder_;
  std::string clean_;
  CorpusMtSummary summary_;
  CorpusTokenizers tokenizers_;
};

Json subset_json(const CorpusMtSummary::Subset& subset) {
  Json json = Json::object();
  json.set("pairs", Json(subset.pairs));
  json.set("source_tokens", Json(subset.source_tokens));
  json.set("target_tokens", Json(subset.target_tokens));
  return json;
}

Json tokenizer_json(const CorpusMtSummary::Tokenizer& tokenizer) {
  Json json = Json::object();
  json.set("type", Json(tokenizer.type));
  json.set("file", Json(tokenizer.file));
  json.set("vocab_size", Json(tokenizer.vocab_size));
  json.set("sentences", Json(tokenizer.sentences));
  return json;
}

}  // namespace

Json CorpusMtSummary::to_json() const {
  Json json = Json::object();
  json.set("pairs_read", Json(pairs_read));
  json.set("dropped", dropped.to_json());
  for (const Subset* subset : {&train, &valid, &test}) json.set(subset->name, subset_json(*subset));
  json.set("source_tokenizer", tokenizer_json(source));
  json.set("target_tokenizer", tokenizer_json(target));
  return json;
}

CorpusMtSummary make_mt_corpus(const CorpusMtOptions& options, const StageProgress& progress) {
  check_options(options);
  check_inputs_survive(files_read(options), options.output, file_names(options));
  CorpusMtSummary summary = CorpusMaker(options, progress).run();
  if (summary.short_of_held_out > 0)
    log_warning("the held-out subsets have " + std::to_string(summary.short_of_held_out) +
                " pairs fewer than asked for: each gets at most a tenth of the source sentences");
  if (summary.dropped.of(DropReason::kColumnMissing) > 0)
    log_warning(std::to_string(summary.dropped.of(DropReason::kColumnMissing)) +
                " rows have fewer columns than the sides need; are the columns right?");
  return summary;
}

}  // namespace litenat::data
