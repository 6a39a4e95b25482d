// The tokenisers of sacreBLEU that text metrics use.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"
#include "eval/ngrams.h"

namespace litenat::eval {

/// k13a: mteval-v13a's rules for Western text. kIntl: mteval-v14's, by Unicode's punctuation and symbols. kZh: every
/// Chinese character by itself, 13a's rules for the rest. kChar: every character. kNone: split at white space.
enum class Tokenizer { k13a, kIntl, kZh, kChar, kNone };
inline const EnumNames<Tokenizer> kTokenizerNames{{{Tokenizer::k13a, "13a"},
                                                   {Tokenizer::kIntl, "intl"},
                                                   {Tokenizer::kZh, "zh"},
                                                   {Tokenizer::kChar, "char"},
                                                   {Tokenizer::kNone, "none"}}};

/// `line` with its tokens, as sacreBLEU 2.6.0 makes them, separated by white space. `line` is well-formed UTF-8.
std::string separate_tokens(Tokenizer tokenizer, std::string_view line);

/// The tokens of one line. Malformed UTF-8 bytes become U+FFFD.
std::vector<std::string> tokenize(Tokenizer tokenizer, std::string_view line);

/// mteval's rules for Western punctuation, which 13a, zh and tercom share. They look at ASCII characters only.
std::string separate_western_punctuation(std::string_view line);
/// The same in three steps, for whoever has something to do between them.
std::string separate_symbols(std::string_view line);
std::string separate_points(std::string line);

/// Replaces every occurrence of `from`, left to right, in one pass.
void replace_all(std::string* text, std::string_view from, std::string_view to);

/// Lines on their way to token numbers: equal tokens of any of them get equal numbers.
class TokenTexts {
 public:
  /// Adds a line of any bytes.
  void add(Tokenizer tokenizer, std::string_view line, bool lowercase);
  /// Adds a line whose tokens are separated by white space already. It is well-formed UTF-8.
  void add_separated(std::string text) { texts_.push_back(std::move(text)); }
  /// A sequence of numbers for each line added.
  TokenSequences numbers() const;

 private:
  std::deque<std::string> texts_;
};

}  // namespace litenat::eval
