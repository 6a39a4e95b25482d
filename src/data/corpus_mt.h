// The corpus of a translation model: parallel text to cleaned, tokenised and split files.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/fields.h"
#include "base/json.h"
#include "data/corpus_mt_cleaner.h"
#include "data/sentencepiece_tokenizer.h"
#include "data/word_segmentation.h"

namespace litenat::data {

enum class TokenizerKind { kSentencePiece, kWords, kNone };
inline const EnumNames<TokenizerKind> kTokenizerKindNames{{{TokenizerKind::kSentencePiece, "sentencepiece"},
                                                           {TokenizerKind::kWords, "words"},
                                                           {TokenizerKind::kNone, "none"}}};

/// How one side becomes tokens.
struct SideTokenizer {
  TokenizerKind kind = TokenizerKind::kSentencePiece;
  std::string model;  // a tokenizer to apply instead of making one
  std::string words;  // the word list of kWords
  int vocab_size = 8000;

  template <class V>
  void visit(V& v) {
    v("kind", kind, "what splits the text", kTokenizerKindNames);
    v("model", model, "tokenizer to apply (a SentencePiece model, or tokenizer.model of a corpus); empty: make one");
    v("words", words, "word list with counts, for kind words");
    v("vocab_size", vocab_size, "pieces of a SentencePiece model to train", between(4, 1e6));
  }
};

struct CorpusMtOptions {
  std::vector<std::string> inputs;  // source, target, source, target, ...; or files with tabs
  bool tab_separated = false;
  int source_column = 1, target_column = 2;
  std::string source_lang, target_lang;
  std::string output;
  std::string valid_prefix, test_prefix;
  int64_t valid_pairs = 1000, test_pairs = 1000;
  bool keep_overlap = false;
  int64_t seed = 1;
  int min_length = 1, max_length = 250;
  double max_ratio = 9;
  int max_copies = 1;
  int max_tokens = 1000;
  SideTokenizer source, target;
  bool joined = false;
  bool lower_case = false;
  PieceModel piece_model = PieceModel::kBpe;
  double coverage = 0.9995;
  Normalization normalization = Normalization::kNmtNfkc;
  bool byte_fallback = false;
  int64_t tokenizer_sentences = 2000000;
  WordPath word_path = WordPath::kLikeliest;
  int threads = 1;

  template <class V>
  void visit(V& v) {
    v("inputs", inputs, "source and target files in turn, or files with tabs; - for standard input; may be packed");
    v("tab_separated", tab_separated, "each input has both sides, in columns between tabs");
    v("source_column", source_column, "column of the source side", between(1, 1000));
    v("target_column", target_column, "column of the target side", between(1, 1000));
    v("source_lang", source_lang, "source language: the suffix of its files");
    v("target_lang", target_lang, "target language: the suffix of its files");
    v("output", output, "the corpus folder to write");
    v("valid_prefix", valid_prefix, "validation files (PREFIX.LANG), instead of holding out pairs");
    v("test_prefix", test_prefix, "test files, instead of holding out pairs");
    v("valid_pairs", valid_pairs, "pairs held out for validation (at most a tenth of all)", between(0, 1e7));
    v("test_pairs", test_pairs, "pairs held out for the test (at most a tenth of all)", between(0, 1e7));
    v("keep_overlap", keep_overlap, "train also on source sentences of the validation and test files");
    v("seed", seed, "draws the held-out pairs and the sentences of the tokenizer", between(0, 9e15));
    v("min_length", min_length, "fewest words of a side; a hanzi or kana is a word", between(1, 1e6));
    v("max_length", max_length, "most words of a side", between(1, 1e6));
    v("max_ratio", max_ratio, "most words of the longer side for one of the shorter", between(1, 1e6));
    v("max_copies", max_copies, "copies of a pair that are kept (0: all)", between(0, 63));
    v("max_tokens", max_tokens, "most tokens of a side, once tokenised", between(1, 1e6));
    v("source", source, "the tokenizer of the source side");
    v("target", target, "the tokenizer of the target side");
    v("joined", joined, "one tokenizer, of the text of both sides");
    v("lower_case", lower_case, "put the text in lower case");
    v("piece_model", piece_model, "the kind of SentencePiece model to train", kPieceModelNames);
    v("coverage", coverage, "share of the characters that get a piece", between(0.9, 1));
    v("normalization", normalization, "SentencePiece's normalisation", kNormalizationNames);
    v("byte_fallback", byte_fallback, "spell other characters in bytes instead of leaving them unknown");
    v("tokenizer_sentences", tokenizer_sentences, "most sentences a tokenizer is trained on (0: all)", between(0, 1e9));
    v("word_path", word_path, "which words are taken where several fit", kWordPathNames);
    v("threads", threads, "threads; the output does not depend on them", between(1, 1024));
  }
};

struct CorpusMtSummary {
  int64_t pairs_read = 0;
  DropCounts dropped;
  int64_t short_of_held_out = 0;  // pairs fewer than asked for in the held-out subsets
  struct Subset {
    std::string name;
    int64_t pairs = 0;
    int64_t source_tokens = 0, target_tokens = 0;
  };
  Subset train{"train"}, valid{"valid"}, test{"test"};
  struct Tokenizer {
    std::string file;       // in the corpus folder; empty without one
    std::string type;       // "bpe", "unigram", "words", "given", "none"
    int vocab_size = 0;     // of a SentencePiece model
    int64_t sentences = 0;  // it was trained on
  };
  Tokenizer source, target;  // equal when joined
  double reading_seconds = 0, training_seconds = 0, tokenizing_seconds = 0;

  /// Without the seconds, so that two runs write the same summary.json.
  Json to_json() const;
};

/// `done` of `total` bytes of an activity ("reading", "training the tokenizer", "tokenizing train") are through; total
/// 0: unknown. One thread at a time.
using StageProgress = std::function<void(const std::string& activity, int64_t done, int64_t total)>;

/// Writes the corpus folder (docs/formats.md), aside first. Throws UsageError for options that contradict each other;
/// Error when an input cannot be read, sides have different lengths, no pair is left, a tokenizer cannot be made, or
/// the folder cannot be written; Interrupted when asked to stop.
CorpusMtSummary make_mt_corpus(const CorpusMtOptions& options, const StageProgress& progress);

}  // namespace litenat::data
