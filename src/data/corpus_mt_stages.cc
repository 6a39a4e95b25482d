#include "data/corpus_mt_stages.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/interrupt.h"
#include "data/ordered_parallel.h"
#include "data/text_cleaning.h"

namespace litenat::data {
namespace {

namespace fs = std::filesystem;

std::string find_file(const std::string& path) {
  std::error_code error;
  for (const char* suffix : {"", ".xz", ".gz", ".bz2"})
    if (fs::exists(path + suffix, error)) return path + suffix;
  throw Error(path + ": expected a file (or one with .xz, .gz or .bz2), found nothing");
}

std::string in_folder(const std::string& folder, const char* name) { return (fs::path(folder) / name).string(); }

/// The tokens of one block, as lines.
struct TokenBlock {
  std::string source, target;
  std::vector<size_t> source_ends, target_ends;
  CorpusMtSummary::Subset counts;
  DropCounts dropped;
};

class BlockTokenizer {
 public:
  BlockTokenizer(const CorpusTokenizers& tokenizers, const TokenizingOptions& options)
      : tokenizers_(tokenizers), options_(options) {}

  TokenBlock run(const PairBlock& block, const PairInput& files) const {
    TokenBlock result;
    for (size_t i = 0; i < block.size(); ++i) {
      if (block.states[i] == RawPairState::kTooLong)
        throw Error(files.source + " or " + files.target + ": line " + std::to_string(block.first_line + int64_t(i)) +
                    " has more than 1 MiB");
      const auto source = encode(*tokenizers_.source, block.source_line(i));
      const auto target = encode(*tokenizers_.target, block.target_line(i));
      if (is_dropped(source.size(), target.size(), &result.dropped)) continue;
      append(source, &result.source);
      append(target, &result.target);
      result.source_ends.push_back(result.source.size());
      result.target_ends.push_back(result.target.size());
      ++result.counts.pairs;
      result.counts.source_tokens += static_cast<int64_t>(source.size());
      result.counts.target_tokens += static_cast<int64_t>(target.size());
    }
    return result;
  }

 private:
  std::vector<std::string> encode(const TextTokenizer& tokenizer, std::string_view line) const {
    return options_.lower_case && tokenizer.blob().empty() ? tokenizer.encode(to_lower(line)) : tokenizer.encode(line);
  }
  bool is_dropped(size_t source, size_t target, DropCounts* dropped) const {
    if (options_.max_tokens == 0) return false;
    const bool none = source == 0 || target == 0;
    const bool many = static_cast<int64_t>(std::max(source, target)) > options_.max_tokens;
    if (none || many) dropped->add(none ? DropReason::kNoTokens : DropReason::kTokens);
    return none || many;
  }
  static void append(const std::vector<std::string>& tokens, std::string* text) {
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (i > 0) *text += ' ';
      *text += tokens[i];
    }
  }

  const CorpusTokenizers& tokenizers_;
  const TokenizingOptions& options_;
};

}  // namespace

PairWriter::PairWriter(const std::string& source_path, const std::string& target_path)
    : paths_{source_path, target_path}, source_(source_path), target_(target_path) {
  throw_if_error(source_.open());
  throw_if_error(target_.open());
}

void PairWriter::add(std::string_view source, std::string_view target) {
  constexpr size_t kPendingBytes = size_t{1} << 20;
  source_pending_.append(source).push_back('\n');
  target_pending_.append(target).push_back('\n');
  if (source_pending_.size() + target_pending_.size() > kPendingBytes) flush();
}

void PairWriter::flush() {
  throw_if_error(source_.write(source_pending_));
  throw_if_error(target_.write(target_pending_));
  source_pending_.clear();
  target_pending_.clear();
}

void PairWriter::commit() {
  flush();
  throw_if_error(source_.commit());
  throw_if_error(target_.commit());
}

PairInput find_pair_files(const std::string& prefix, const CorpusMtOptions& options) {
  return {find_file(prefix + "." + options.source_lang), find_file(prefix + "." + options.target_lang)};
}

CleaningPass::CleaningPass(const CorpusMtOptions& options, const std::string& folder, CorpusMtSummary* summary)
    : options_(options),
      summary_(*summary),
      wanted_valid_(options.valid_prefix.empty() ? options.valid_pairs : 0),
      wanted_test_(options.test_prefix.empty() ? options.test_pairs : 0),
      train_(in_folder(folder, "train.source"), in_folder(folder, "train.target")),
      valid_(in_folder(folder, "valid.source"), in_folder(folder, "valid.target")),
      test_(in_folder(folder, "test.source"), in_folder(folder, "test.target")),
      held_out_(static_cast<uint64_t>(options.seed), static_cast<size_t>(wanted_valid_ + wanted_test_)) {}

void CleaningPass::reserve(const PairInput& files) {
  PairReader reader({files}, 1, 2);
  for (PairBlock block; reader.next(&block);) {
    throw_if_interrupted();
    for (size_t i = 0; i < block.size(); ++i) reserved_.insert(hash_source(clean_line(block.source_line(i))));
  }
}

void CleaningPass::add(SentencePair* pair) {
  if (options_.max_copies > 0 && copies_.add(pair->pair_hash) >= options_.max_copies) {
    summary_.dropped.add(DropReason::kCopy);
  } else if (reserved_.count(pair->source_hash) > 0) {
    summary_.dropped.add(DropReason::kHeldOut);
  } else if (!held_out_.take(pair, &rest_)) {
    train_.add(pair->source, pair->target);
    ++train_pairs_;
  } else if (!rest_.empty()) {
    train_on(rest_);
    rest_.clear();
  }
}

void CleaningPass::train_on(const std::vector<SentencePair>& pairs) {
  for (const SentencePair& pair : pairs) train_.add(pair.source, pair.target);
  train_pairs_ += static_cast<int64_t>(pairs.size());
}

void CleaningPass::run(const StageProgress& progress) {
  std::vector<PairInput> inputs;
  for (size_t i = 0; i < options_.inputs.size(); ++i) {
    inputs.push_back({options_.inputs[i], options_.tab_separated ? "" : options_.inputs[i + 1]});
    if (!options_.tab_separated) ++i;
  }
  PairReader reader(inputs, options_.source_column, options_.target_column);
  const CleaningOptions cleaning{options_.min_length, options_.max_length, options_.max_ratio};
  ordered_stream<PairBlock>(
      options_.threads, [&reader](PairBlock* block) { return reader.next(block); },
      [&](PairBlock& block, size_t) {
        auto dropped = std::make_shared<DropCounts>();
        auto pairs = std::make_shared<std::vector<SentencePair>>(clean_pairs(block, cleaning, dropped.get()));
        return [this, dropped, pairs, &progress, &reader, &block] {
          throw_if_interrupted();
          summary_.pairs_read += static_cast<int64_t>(block.size());
          summary_.dropped.add(*dropped);
          for (SentencePair& pair : *pairs) add(&pair);
          if (progress) progress("reading", block.raw_bytes, reader.raw_total());
        };
      });
  split();
}

void CleaningPass::split() {
  const auto share = (train_pairs_ + static_cast<int64_t>(held_out_.num_sources())) / 10;
  hold_out(wanted_test_, share, &test_);
  hold_out(wanted_valid_, share, &valid_);
  held_out_.move_rest(&rest_);
  train_on(rest_);
  for (PairWriter* writer : {&train_, &valid_, &test_}) writer->commit();
}

void CleaningPass::hold_out(int64_t wanted, int64_t share, PairWriter* writer) {
  std::vector<SentencePair> pairs;
  held_out_.move_first(static_cast<size_t>(std::min(wanted, share)), &pairs, &summary_.dropped);
  for (const SentencePair& pair : pairs) writer->add(pair.source, pair.target);
  summary_.short_of_held_out += wanted - static_cast<int64_t>(pairs.size());
}

void tokenize_pairs(const PairInput& files, const CorpusTokenizers& tokenizers, const TokenizingOptions& options,
                    PairWriter* writer, CorpusMtSummary::Subset* subset, DropCounts* dropped,
                    const StageProgress& progress) {
  PairReader reader({files}, 1, 2);
  const BlockTokenizer tokenizer(tokenizers, options);
  const std::string activity = "tokenizing " + subset->name;
  ordered_stream<PairBlock>(
      options.threads, [&reader](PairBlock* block) { return reader.next(block); },
      [&](PairBlock& block, size_t) {
        auto tokens = std::make_shared<TokenBlock>(tokenizer.run(block, files));
        return [&, tokens, done = block.raw_bytes] {
          throw_if_interrupted();
          for (size_t i = 0, source = 0, target = 0; i < tokens->source_ends.size(); ++i) {
            const size_t source_end = tokens->source_ends[i], target_end = tokens->target_ends[i];
            writer->add(std::string_view(tokens->source).substr(source, source_end - source),
                        std::string_view(tokens->target).substr(target, target_end - target));
            source = source_end;
            target = target_end;
          }
          dropped->add(tokens->dropped);
          subset->pairs += tokens->counts.pairs;
          subset->source_tokens += tokens->counts.source_tokens;
          subset->target_tokens += tokens->counts.target_tokens;
          if (progress) progress(activity, done, reader.raw_total());
        };
      });
  writer->commit();
}

}  // namespace litenat::data
