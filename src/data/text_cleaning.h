// What is done to every line of text before it is tokenised.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace litenat::data {

/// `text` with every run of Unicode white space (as Python's str.split() knows it) as one blank, none at the ends;
/// malformed bytes become U+FFFD.
std::string clean_line(std::string_view text);

/// True when `text` is UTF-8 throughout.
bool is_utf8(std::string_view text);

/// Every character in lower case (Unicode's simple mapping: the number of characters stays). Expects UTF-8.
std::string to_lower(std::string_view text);

/// True for characters of the scripts that put no blanks between words: hanzi, kana, their punctuation and the
/// full-width forms.
bool is_unspaced(char32_t code_point);

/// The length of a line in words: runs between blanks, where each hanzi and kana is a word of its own. Comparable over
/// languages within a factor of about two. Expects what clean_line() returns.
int64_t count_words(std::string_view line);

/// A hash of bytes that is the same on every machine; splits and copies are told by it.
uint64_t hash_bytes(std::string_view bytes, uint64_t seed);

}  // namespace litenat::data
