// SentencePiece (Kudo and Richardson 2018): sub-word tokens, trained on raw sentences.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/fields.h"
#include "data/text_tokenizer.h"

namespace litenat::data {

enum class PieceModel { kBpe, kUnigram };
inline const EnumNames<PieceModel> kPieceModelNames{{{PieceModel::kBpe, "bpe"}, {PieceModel::kUnigram, "unigram"}}};

/// SentencePiece's normalisation rules; they are part of the model.
enum class Normalization { kNmtNfkc, kNfkc, kIdentity };
inline const EnumNames<Normalization> kNormalizationNames{
    {{Normalization::kNmtNfkc, "nmt_nfkc"}, {Normalization::kNfkc, "nfkc"}, {Normalization::kIdentity, "identity"}}};

struct PieceTrainingOptions {
  PieceModel model = PieceModel::kUnigram;
  int vocab_size = 8000;
  double coverage = 0.9995;  // share of the characters of the text that get a piece
  Normalization normalization = Normalization::kNmtNfkc;
  bool lower_case = false;  // case folding, within the model's normalisation; not with kIdentity
  bool byte_fallback = false;
};

/// Fills *sentence (UTF-8); false at the end.
using SentenceSource = std::function<bool(std::string* sentence)>;

/// Trains a model and returns its serialised proto; the result depends on the sentences and options alone. Sentences of
/// more than 4192 bytes are left out. Throws Error with SentencePiece's reason and what to do.
std::string train_pieces(const PieceTrainingOptions& options, const SentenceSource& next);

/// True when `blob` may be a SentencePiece model (it begins as one).
bool looks_like_pieces(std::string_view blob);

/// The tokenizer of a serialised proto. Throws Error, which begins with `origin`, for a damaged one.
std::unique_ptr<TextTokenizer> make_piece_tokenizer(std::string_view proto, const std::string& origin);

/// The number of pieces of a model that make_piece_tokenizer() takes.
int count_pieces(std::string_view proto);

}  // namespace litenat::data
