#include "data/sentencepiece_tokenizer.h"

#include <sentencepiece_processor.h>

#include "base/error.h"
#include "data/sentencepiece_check.h"
#include "data/text_cleaning.h"

namespace litenat::data {
namespace {

class PieceTokenizer : public TextTokenizer {
 public:
  PieceTokenizer(std::string_view proto, const std::string& origin) : proto_(proto) {
    check_piece_model(proto_, origin);
    try {
      const auto status = processor_.LoadFromSerializedProto(proto_);
      if (!status.ok()) throw Error(origin + ": not a usable SentencePiece model: " + status.error_message());
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {  // of the trie that the library builds
      throw Error(origin + ": not a usable SentencePiece model: " + error.what());
    }
  }

  std::vector<std::string> encode(std::string_view text) const override {
    std::vector<std::string> pieces;
    check(processor_.Encode(clean_line(text), &pieces), "encode");
    return pieces;
  }
  std::string decode(Span<const std::string> tokens) const override {
    const std::vector<std::string_view> pieces(tokens.begin(), tokens.end());
    std::string text;
    check(processor_.Decode(pieces, &text), "decode");
    return text;
  }
  const std::string& blob() const override { return proto_; }
  int size() const { return processor_.GetPieceSize(); }

 private:
  static void check(const sentencepiece::util::Status& status, const char* what) {
    if (!status.ok()) throw Error(std::string("SentencePiece cannot ") + what + ": " + status.error_message());
  }

  std::string proto_;
  sentencepiece::SentencePieceProcessor processor_;
};

}  // namespace

bool looks_like_pieces(std::string_view blob) {
  constexpr char kFirstPiece = 0x0A;  // field 1 of the message, which holds the pieces, as bytes
  return !blob.empty() && blob[0] == kFirstPiece;
}

std::unique_ptr<TextTokenizer> make_piece_tokenizer(std::string_view proto, const std::string& origin) {
  return std::make_unique<PieceTokenizer>(proto, origin);
}

int count_pieces(std::string_view proto) { return PieceTokenizer(proto, "model").size(); }

}  // namespace litenat::data
