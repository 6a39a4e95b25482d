// Decoding UTF-8 that nobody has checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace litenat {

constexpr char32_t kReplacementCharacter = 0xFFFD;

/// Decodes the code point at text[*offset] and moves *offset past it. A malformed, overlong,
/// surrogate or cut sequence yields kReplacementCharacter and moves by one byte; *valid (if given)
/// says which. Requires *offset < text.size().
char32_t decode_utf8(std::string_view text, size_t* offset, bool* valid = nullptr);

/// Appends the UTF-8 form of `code_point` (U+FFFD when it is no scalar value).
void append_utf8(char32_t code_point, std::string* out);

/// The code points of `text`; malformed bytes become U+FFFD.
std::vector<char32_t> to_code_points(std::string_view text);

/// The sub-strings of `text` that hold one code point each (malformed bytes: one byte each).
std::vector<std::string_view> split_characters(std::string_view text);

/// CJK ideographs that count as hanzi: the unified blocks, extensions A to H, compatibility
/// ideographs, and U+3007 (〇).
bool is_hanzi(char32_t code_point);

}  // namespace litenat
