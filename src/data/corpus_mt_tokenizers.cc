#include "data/corpus_mt_tokenizers.h"

#include <algorithm>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/random.h"

namespace litenat::data {
namespace {

constexpr size_t kMaxWordListBytes = size_t{256} << 20;

/// The lines of files one after the other, or a sample of them: line i is in it or not whatever the others are.
class LineSample {
 public:
  LineSample(std::vector<std::string> paths, double share, uint64_t seed)
      : paths_(std::move(paths)), share_(share), seed_(seed) {}

  bool next(std::string* sentence) {
    for (;;) {
      if (reader_ == nullptr) {
        if (next_path_ == paths_.size()) return false;
        reader_ = std::make_unique<LineReader>(paths_[next_path_++]);
      }
      sentence->clear();
      bool too_long = false;
      if (!reader_->next(sentence, &too_long)) {
        reader_.reset();
        continue;
      }
      if (share_ < 1 && SplitMix64(seed_, number_++).uniform() >= share_) continue;
      if ((++taken_ & 0xFFF) == 0) throw_if_interrupted();
      return true;
    }
  }
  int64_t taken() const { return taken_; }

 private:
  std::vector<std::string> paths_;
  double share_;
  uint64_t seed_;
  size_t next_path_ = 0;
  std::unique_ptr<LineReader> reader_;
  uint64_t number_ = 0;
  int64_t taken_ = 0;
};

PieceTrainingOptions training_options(const CorpusMtOptions& options, const SideTokenizer& side) {
  PieceTrainingOptions result;
  result.model = options.piece_model;
  result.vocab_size = side.vocab_size;
  result.coverage = options.coverage;
  result.normalization = options.normalization;
  result.lower_case = options.lower_case;
  result.byte_fallback = options.byte_fallback;
  return result;
}

std::unique_ptr<TextTokenizer> train(const CorpusMtOptions& options, const SideTokenizer& side,
                                     const std::vector<std::string>& paths, int64_t num_lines,
                                     CorpusMtSummary::Tokenizer* summary) {
  const int64_t limit = options.tokenizer_sentences;
  const double share =
      limit == 0 ? 1.0 : static_cast<double>(limit) / static_cast<double>(std::max<int64_t>(num_lines, 1));
  LineSample sample(paths, share, static_cast<uint64_t>(options.seed));
  const std::string proto =
      train_pieces(training_options(options, side), [&sample](std::string* line) { return sample.next(line); });
  summary->type = kPieceModelNames.name(options.piece_model);
  summary->vocab_size = count_pieces(proto);
  summary->sentences = sample.taken();
  return make_piece_tokenizer(proto, "the trained model");
}

std::unique_ptr<TextTokenizer> make_or_load(const CorpusMtOptions& options, const SideTokenizer& side,
                                            const std::vector<std::string>& paths, int64_t num_lines,
                                            CorpusMtSummary::Tokenizer* summary) {
  if (!side.model.empty()) {
    summary->type = "given";
    auto tokenizer = load_text_tokenizer(side.model);
    if (looks_like_pair(tokenizer->blob()))
      throw Error(side.model + ": expected the tokenizer of one language (tokenizer.LANG.model), found a pair of them");
    if (looks_like_pieces(tokenizer->blob())) summary->vocab_size = count_pieces(tokenizer->blob());
    return tokenizer;
  }
  if (side.kind == TokenizerKind::kSentencePiece) return train(options, side, paths, num_lines, summary);
  summary->type = kTokenizerKindNames.name(side.kind);
  if (side.kind == TokenizerKind::kNone) return make_whitespace_tokenizer();
  const std::string list = read_decompressed(side.words, kMaxWordListBytes);
  const std::string blob = make_word_list(list, options.word_path, options.lower_case, side.words);
  return make_word_tokenizer(blob, side.words);
}

void check_side(const CorpusMtOptions& options, const SideTokenizer& side, const std::string& name) {
  const bool words = side.kind == TokenizerKind::kWords;
  if (!side.model.empty() && side.kind == TokenizerKind::kNone)
    throw UsageError(name + ": the tokenizer none takes no model");
  if (!side.words.empty() && (!words || !side.model.empty()))
    throw UsageError(name + ": a word list is for the tokenizer words, without a model");
  if (words && side.words.empty() && side.model.empty())
    throw UsageError(name + ": the tokenizer words needs a word list");
  if (options.lower_case && !side.model.empty())
    throw UsageError(name + ": a given model decides about lower case itself");
}

}  // namespace

bool trains_pieces(const SideTokenizer& side) {
  return side.kind == TokenizerKind::kSentencePiece && side.model.empty();
}

void check_tokenizer_choices(const CorpusMtOptions& options) {
  check_side(options, options.source, "source side");
  check_side(options, options.target, "target side");
  const SideTokenizer &source = options.source, &target = options.target;
  if (options.joined && (source.kind != target.kind || source.model != target.model || source.words != target.words ||
                         source.vocab_size != target.vocab_size))
    throw UsageError("one joined tokenizer cannot be made of different choices for the two sides");
  if (options.lower_case && options.normalization == Normalization::kIdentity &&
      (trains_pieces(source) || trains_pieces(target)))
    throw UsageError("lower case needs the normalization nmt_nfkc or nfkc: SentencePiece folds case as a part of it");
}

CorpusTokenizers make_corpus_tokenizers(const CorpusMtOptions& options, const std::string& source_path,
                                        const std::string& target_path, int64_t num_lines, CorpusMtSummary* summary) {
  CorpusTokenizers result;
  if (options.joined) {
    result.source = make_or_load(options, options.source, {source_path, target_path}, 2 * num_lines, &summary->source);
    result.target = result.source;
    summary->target = summary->source;
  } else {
    result.source = make_or_load(options, options.source, {source_path}, num_lines, &summary->source);
    result.target = make_or_load(options, options.target, {target_path}, num_lines, &summary->target);
  }
  return result;
}

}  // namespace litenat::data
