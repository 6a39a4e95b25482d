// Text to tokens and back: what stands between a person's text and the token lines of a corpus.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/span.h"

namespace litenat::data {

/// Immutable; encode() and decode() may run on several threads at once.
class TextTokenizer {
 public:
  virtual ~TextTokenizer() = default;

  /// The tokens of one line. Any bytes are accepted: malformed UTF-8 counts as U+FFFD, Unicode white space as blanks.
  /// Tokens are never empty and hold no white space, so that a line joined by blanks splits into the same tokens again.
  virtual std::vector<std::string> encode(std::string_view text) const = 0;

  /// The text of `tokens`. For SentencePiece decode(encode(text)) is the normalised text; a tokenizer of words puts no
  /// blank next to a character of a script without blanks. `<unk>` becomes " ⁇ " (SentencePiece's habit).
  virtual std::string decode(Span<const std::string> tokens) const = 0;

  /// What make_text_tokenizer() makes an equal tokenizer of: the content of a corpus folder's tokenizer.model.
  virtual const std::string& blob() const = 0;
};

/// Splits at white space and joins with blanks; its blob is empty.
std::unique_ptr<TextTokenizer> make_whitespace_tokenizer();

/// Encodes with one tokenizer and decodes with another: source text to target text.
std::unique_ptr<TextTokenizer> make_pair_tokenizer(std::shared_ptr<const TextTokenizer> source,
                                                   std::shared_ptr<const TextTokenizer> target);
/// True when `blob` is of make_pair_tokenizer(), as far as its first line tells.
bool looks_like_pair(std::string_view blob);

/// The tokenizer that `blob` holds: a SentencePiece model (its .model file, as any version of SentencePiece writes it),
/// a word list or a pair of tokenizers (docs/formats.md); an empty blob splits at white space. The blob is copied and
/// trusted in nothing: a damaged one throws Error, whose message begins with `origin` (the name of the file or tensor).
std::unique_ptr<TextTokenizer> make_text_tokenizer(std::string_view blob, const std::string& origin);

/// The tokenizer of a file (tokenizer.model). Throws Error when it cannot be read or is damaged.
std::unique_ptr<TextTokenizer> load_text_tokenizer(const std::string& path);

}  // namespace litenat::data
