// What Python and sacreBLEU know about characters: white space, categories, lower case.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace litenat::eval {

/// White space in the sense of Python's str.split() and str.strip().
bool is_white_space(char32_t code_point);

/// The first letter of a general category, as far as tokenisers ask.
enum class Category : char { kOther, kNumber, kPunctuation, kSymbol };
Category category_of(char32_t code_point);

/// `text` with every malformed byte replaced by U+FFFD.
std::string clean_utf8(std::string_view text);

/// Python's str.lower(), with its rules for a capital sigma at the end of a word and for U+0130.
std::string to_lower(std::string_view text);

/// `text` without white space at its end, or at both ends. `text` is well-formed UTF-8.
std::string_view strip_right(std::string_view text);
std::string_view strip_both(std::string_view text);

/// The words of `text`, which is well-formed UTF-8: its longest runs without white space. Views into it.
std::vector<std::string_view> split_words(std::string_view text);

}  // namespace litenat::eval
