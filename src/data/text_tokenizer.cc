#include "data/text_tokenizer.h"

#include "base/error.h"
#include "base/mapped_file.h"
#include "data/sentencepiece_tokenizer.h"
#include "data/text_cleaning.h"
#include "data/word_segmentation.h"

namespace litenat::data {
namespace {

class WhitespaceTokenizer : public TextTokenizer {
 public:
  std::vector<std::string> encode(std::string_view text) const override {
    const std::string line = clean_line(text);
    std::vector<std::string> tokens;
    for (size_t begin = 0; begin < line.size();) {
      const size_t end = std::min(line.find(' ', begin), line.size());
      tokens.push_back(line.substr(begin, end - begin));
      begin = end + 1;
    }
    return tokens;
  }
  std::string decode(Span<const std::string> tokens) const override {
    std::string text;
    for (const std::string& token : tokens) text += (text.empty() ? "" : " ") + token;
    return text;
  }
  const std::string& blob() const override { return blob_; }

 private:
  std::string blob_;
};

}  // namespace

std::unique_ptr<TextTokenizer> make_whitespace_tokenizer() { return std::make_unique<WhitespaceTokenizer>(); }

std::unique_ptr<TextTokenizer> make_text_tokenizer(std::string_view blob, const std::string& origin) {
  if (blob.empty()) return make_whitespace_tokenizer();
  if (looks_like_pieces(blob)) return make_piece_tokenizer(blob, origin);
  if (looks_like_words(blob)) return make_word_tokenizer(blob, origin);
  throw Error(origin + ": expected a SentencePiece model or a word list of `litenat corpus mt`, found something else");
}

std::unique_ptr<TextTokenizer> load_text_tokenizer(const std::string& path) {
  const auto file = value_or_throw(MappedFile::open(path));
  const Span<const uint8_t> bytes = file->bytes();
  if (bytes.empty()) throw Error(path + ": expected a SentencePiece model or a word list, found an empty file");
  return make_text_tokenizer({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
}

}  // namespace litenat::data
