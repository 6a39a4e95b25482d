#include "data/text_tokenizer.h"

#include <algorithm>
#include <cstddef>

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

constexpr std::string_view kPairMagic = "#litenat-pair 1 ";

class PairTokenizer : public TextTokenizer {
 public:
  PairTokenizer(std::shared_ptr<const TextTokenizer> source, std::shared_ptr<const TextTokenizer> target)
      : source_(std::move(source)), target_(std::move(target)) {
    blob_.append(kPairMagic).append(std::to_string(source_->blob().size()));
    blob_.append(" ").append(std::to_string(target_->blob().size())).append("\n");
    blob_.append(source_->blob()).append(target_->blob());
  }

  std::vector<std::string> encode(std::string_view text) const override { return source_->encode(text); }
  std::string decode(Span<const std::string> tokens) const override { return target_->decode(tokens); }
  const std::string& blob() const override { return blob_; }

 private:
  std::shared_ptr<const TextTokenizer> source_, target_;
  std::string blob_;
};

/// Takes digits off the front of *text; false when there are none or too many.
bool take_size(std::string_view* text, size_t* size) {
  size_t digits = 0;
  for (*size = 0; digits < text->size() && (*text)[digits] >= '0' && (*text)[digits] <= '9'; ++digits)
    *size = 10 * *size + static_cast<size_t>((*text)[digits] - '0');
  text->remove_prefix(digits);
  return digits > 0 && digits < 12;
}

std::unique_ptr<TextTokenizer> read_pair(std::string_view blob, const std::string& origin) {
  std::string_view rest = blob.substr(kPairMagic.size(), 32);
  size_t source = 0, target = 0;
  bool whole = take_size(&rest, &source) && rest.substr(0, 1) == " ";
  if (whole) rest.remove_prefix(1);
  whole = whole && take_size(&rest, &target) && rest.substr(0, 1) == "\n";
  const size_t head = blob.find('\n') + 1;
  if (!whole || blob.size() - head != source + target)
    throw Error(origin + ": expected a pair of tokenizers, found one that is damaged");
  const std::string_view first = blob.substr(head, source), second = blob.substr(head + source);
  if (looks_like_pair(first) || looks_like_pair(second))
    throw Error(origin + ": expected a pair of tokenizers, found a pair inside it");
  return make_pair_tokenizer(make_text_tokenizer(first, origin), make_text_tokenizer(second, origin));
}

}  // namespace

std::unique_ptr<TextTokenizer> make_pair_tokenizer(std::shared_ptr<const TextTokenizer> source,
                                                   std::shared_ptr<const TextTokenizer> target) {
  return std::make_unique<PairTokenizer>(std::move(source), std::move(target));
}

bool looks_like_pair(std::string_view blob) { return blob.substr(0, kPairMagic.size()) == kPairMagic; }

std::unique_ptr<TextTokenizer> make_whitespace_tokenizer() { return std::make_unique<WhitespaceTokenizer>(); }

std::unique_ptr<TextTokenizer> make_text_tokenizer(std::string_view blob, const std::string& origin) {
  if (blob.empty()) return make_whitespace_tokenizer();
  if (looks_like_pieces(blob)) return make_piece_tokenizer(blob, origin);
  if (looks_like_words(blob)) return make_word_tokenizer(blob, origin);
  if (looks_like_pair(blob)) return read_pair(blob, origin);
  throw Error(origin + ": expected a SentencePiece model or a word list of `litenat corpus mt`, found something else");
}

std::unique_ptr<TextTokenizer> load_text_tokenizer(const std::string& path) {
  const auto file = value_or_throw(MappedFile::open(path));
  const Span<const uint8_t> bytes = file->bytes();
  if (bytes.empty()) throw Error(path + ": expected a SentencePiece model or a word list, found an empty file");
  return make_text_tokenizer({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
}

}  // namespace litenat::data
