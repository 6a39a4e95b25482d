// What Python's str.isspace(), split() and regular expressions take for white space.
#pragma once

#include <string_view>

namespace litenat::text {

/// True for the code points that Python's str.isspace() accepts.
inline bool is_python_space(char32_t c) {
  if (c <= 0x20) return c == ' ' || (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F);
  if (c < 0x1680) return c == 0x85 || c == 0xA0;
  return c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

/// `text` without Python white space at its end, or at both ends. Expects UTF-8.
std::string_view trim_right(std::string_view text);
std::string_view trim(std::string_view text);

}  // namespace litenat::text
