// The tokenisers of sacreBLEU that text metrics use.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"

namespace litenat::eval {

/// k13a: mteval-v13a's rules for Western text. kZh: every Chinese character by itself, 13a's rules for the rest.
/// kChar: every character. kNone: split at white space.
enum class Tokenizer { k13a, kZh, kChar, kNone };
inline const EnumNames<Tokenizer> kTokenizerNames{
    {{Tokenizer::k13a, "13a"}, {Tokenizer::kZh, "zh"}, {Tokenizer::kChar, "char"}, {Tokenizer::kNone, "none"}}};

/// The tokens of one line, as sacreBLEU 2.6.0 makes them. Malformed UTF-8 bytes become U+FFFD.
std::vector<std::string> tokenize(Tokenizer tokenizer, std::string_view line);

/// The words of `line`: its runs of characters that are no white space in the sense of Python's str.split().
std::vector<std::string> split_words(std::string_view line);
bool is_white_space(char32_t code_point);

}  // namespace litenat::eval
