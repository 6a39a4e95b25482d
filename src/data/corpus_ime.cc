#include "data/corpus_ime.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/json_fields.h"
#include "base/log.h"
#include "data/corpus_output.h"
#include "data/corpus_pipeline.h"
#include "data/corpus_split.h"
#include "data/staged_folder.h"

namespace litenat::data {
namespace {

void check_options(const CorpusImeOptions& options) {
  CorpusImeOptions checked;  // the bounds of visit() are checked by reading the options back
  throw_if_error(fields_from_json(fields_to_json(options), &checked));
  if (options.inputs.empty()) throw Error("inputs: expected files, folders or -, found none");
  if (options.output.empty()) throw Error("output: expected a folder, found none");
  check_inputs_survive(options.inputs, options.output, corpus_file_names());
  if (options.min_length > options.max_length) {
    throw Error("min_length: expected at most max_length (" + std::to_string(options.max_length) + "), found " +
                std::to_string(options.min_length));
  }
}

BatchOptions batch_options(const CorpusImeOptions& options) {
  BatchOptions result;
  result.min_length = options.min_length;
  result.max_length = options.max_length;
  result.conversion = options.opencc;
  result.with_keys = options.key_files;
  result.sampling = {options.keys, options.cut, options.retroflex, static_cast<uint64_t>(options.seed)};
  return result;
}

/// Takes batches in the order of the input.
class Collector {
 public:
  Collector(const CorpusImeOptions& options, CorpusImeSummary* summary)
      : options_(options),
        summary_(*summary),
        output_(options.output, batch_options(options).sampling, options.key_files),
        sample_(static_cast<uint64_t>(options.seed),
                static_cast<size_t>(options.valid_clauses + options.test_clauses)) {}

  void add(const ClauseBatch& batch) {
    constexpr size_t kAhead = 8;
    add_counts(batch);
    for (size_t i = 0; i < batch.clauses.size(); ++i) {
      if (i + kAhead < batch.clauses.size()) copies_.prefetch(batch.clauses[i + kAhead].hash);
      add_clause(batch, i);
    }
    output_.flush();
  }

  // Writes the held-out subsets and everything else to the target.
  void finish() {
    if (summary_.train.clauses + static_cast<int64_t>(sample_.size()) == 0)
      throw Error("no clause of " + std::to_string(options_.min_length) + " hanzi or more was found in the " +
                  std::to_string(summary_.input.documents) + " documents; is it Chinese text in UTF-8?");
    const auto share = static_cast<int64_t>(distinct_ / 10);
    const auto num_test = static_cast<size_t>(std::min(options_.test_clauses, share));
    const auto num_valid = static_cast<size_t>(std::min(options_.valid_clauses, share));
    std::vector<HeldOutClause> rest;
    std::vector<HeldOutClause> test = sample_.take(num_test + num_valid, &rest);
    std::vector<HeldOutClause> valid;
    const size_t begin_valid = std::min(num_test, test.size());
    std::move(test.begin() + static_cast<int64_t>(begin_valid), test.end(), std::back_inserter(valid));
    test.resize(begin_valid);
    std::sort(rest.begin(), rest.end(), [](const auto& a, const auto& b) { return a.priority < b.priority; });
    for (const HeldOutClause& clause : rest) return_to_train(clause);
    write_subset(&summary_.valid, valid);
    write_subset(&summary_.test, test);
  }
  void commit(const std::string& summary) {
    output_.write_text("summary.json", summary);
    output_.commit();
  }

 private:
  void add_counts(const ClauseBatch& batch) {
    summary_.clauses.add(batch.counts);
    summary_.text.hanzi += batch.text.hanzi;
    summary_.text.other_characters += batch.text.other_characters;
    summary_.text.invalid_bytes += batch.text.invalid_bytes;
    summary_.text.nulls += batch.text.nulls;
  }

  void add_clause(const ClauseBatch& batch, size_t i) {
    const ClauseBatch::Clause& clause = batch.clauses[i];
    const int copies = options_.max_copies == 0 ? 0 : copies_.add(clause.hash);
    if (options_.max_copies > 0 && copies >= options_.max_copies) {
      ++summary_.duplicates;
      return;
    }
    distinct_ += copies == 0 ? 1 : 0;
    const uint64_t priority = sample_.priority(clause.hash);
    if (sample_.wants(priority)) {
      hold_out(batch, i, priority);
      return;
    }
    output_.add_train(batch, i);
    ++summary_.train.clauses;
    summary_.train.hanzi += clause.length;
  }

  void hold_out(const ClauseBatch& batch, size_t i, uint64_t priority) {
    const uint32_t hanzi = i == 0 ? 0 : batch.clauses[i - 1].hanzi_end;
    const uint32_t pinyin = i == 0 ? 0 : batch.clauses[i - 1].pinyin_end;
    const ClauseLines lines{batch.hanzi.substr(hanzi, batch.clauses[i].hanzi_end - hanzi),
                            batch.pinyin.substr(pinyin, batch.clauses[i].pinyin_end - pinyin)};
    HeldOutClause evicted;
    if (sample_.add(priority, lines, &evicted)) return_to_train(evicted);
  }

  void return_to_train(const HeldOutClause& clause) {
    output_.add_train(clause);
    summary_.train.clauses += clause.copies;
    const auto length = static_cast<int64_t>(parse_pinyin_line(clause.lines.pinyin).size());
    summary_.train.hanzi += length * clause.copies;
  }

  void write_subset(CorpusImeSummary::Subset* subset, const std::vector<HeldOutClause>& clauses) {
    subset->clauses = static_cast<int64_t>(clauses.size());
    for (const HeldOutClause& clause : clauses) summary_.duplicates += clause.copies - 1;
    subset->hanzi = output_.write_held_out(subset->name, clauses);
  }

  const CorpusImeOptions& options_;
  CorpusImeSummary& summary_;
  CorpusOutput output_;
  CopyCounter copies_;
  HeldOutSample sample_;
  uint64_t distinct_ = 0;
};

void warn_about(const CorpusImeSummary& summary) {
  const auto warn = [](int64_t count, const std::string& what) {
    if (count > 0) log_warning(std::to_string(count) + " " + what);
  };
  warn(summary.text.invalid_bytes, "bytes are no UTF-8; the text was split there");
  warn(summary.text.nulls, "NUL bytes; the text was split there");
  warn(summary.clauses.not_text_blocks, "blocks are no UTF-8 text (pictures, other encodings?) and were left out");
  warn(summary.input.long_lines, "lines are longer than 1 MiB and were read in pieces");
  warn(summary.input.unreadable, "files of the folders could not be read");
  warn(summary.input.cut, "archives are cut or damaged; what came before was kept");
}

Json subset_json(const CorpusImeSummary::Subset& subset) {
  Json json = Json::object();
  json.set("clauses", Json(subset.clauses));
  json.set("hanzi", Json(subset.hanzi));
  return json;
}

}  // namespace

Json CorpusImeSummary::to_json() const {
  Json json = Json::object();
  const auto set = [&json](const char* name, int64_t value) { json.set(name, Json(value)); };
  set("documents", input.documents);
  set("bytes", input.bytes);
  set("empty_documents", input.empty);
  set("unreadable_documents", input.unreadable);
  set("cut_documents", input.cut);
  set("invalid_bytes", text.invalid_bytes);
  set("nulls", text.nulls);
  set("long_lines", input.long_lines);
  set("hanzi_found", text.hanzi);
  set("runs", clauses.runs);
  set("cut_runs", clauses.cut_runs);
  Json dropped = Json::object();
  dropped.set("too_short", Json(clauses.too_short));
  dropped.set("without_reading", Json(clauses.without_reading));
  dropped.set("duplicates", Json(duplicates));
  dropped.set("not_text", Json(clauses.not_text));
  json.set("dropped_clauses", std::move(dropped));
  set("clauses", train.clauses + valid.clauses + test.clauses);
  set("hanzi", train.hanzi + valid.hanzi + test.hanzi);
  for (const Subset* subset : {&train, &valid, &test}) json.set(subset->name, subset_json(*subset));
  return json;
}

CorpusImeSummary make_ime_corpus(const CorpusImeOptions& options, const CorpusProgress& progress) {
  check_options(options);
  const auto begin = std::chrono::steady_clock::now();
  CorpusInput input(options.inputs, options.exclude);
  const Annotator annotator(load_pronunciations(options.phrases, options.readings));
  std::vector<std::unique_ptr<BatchMaker>> makers;
  for (int i = 0; i < options.threads; ++i)
    makers.push_back(std::make_unique<BatchMaker>(&annotator, batch_options(options)));
  CorpusImeSummary summary;
  Collector collector(options, &summary);
  ordered_blocks(&input, options.threads, [&](const CorpusBlock& block, size_t thread) {
    auto batch = std::make_shared<ClauseBatch>(makers[thread]->make(block.text, block.number));
    const int64_t done = block.raw_bytes;
    return [&collector, &input, &progress, batch, done] {
      throw_if_interrupted();
      collector.add(*batch);
      if (progress) progress(done, input.raw_total());
    };
  });
  summary.input = input.counts();
  collector.finish();
  Json json = summary.to_json();
  collector.commit(json.dump() + "\n");
  warn_about(summary);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  summary.seconds = elapsed.count();
  return summary;
}

}  // namespace litenat::data
