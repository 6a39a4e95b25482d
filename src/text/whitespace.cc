#include "text/whitespace.h"

#include "base/utf8.h"

namespace litenat::text {

std::string_view trim_right(std::string_view text) {
  while (!text.empty()) {
    size_t start = text.size() - 1;  // of the last character: back over continuation bytes
    while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
    size_t end = start;
    if (!is_python_space(decode_utf8(text, &end)) || end != text.size()) break;
    text.remove_suffix(text.size() - start);
  }
  return text;
}

std::string_view trim(std::string_view text) {
  text = trim_right(text);
  size_t end = 0;
  while (!text.empty() && is_python_space(decode_utf8(text, &end))) {
    text.remove_prefix(end);
    end = 0;
  }
  return text;
}

}  // namespace litenat::text
