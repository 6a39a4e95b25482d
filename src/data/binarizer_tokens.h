// Lines and tokens of UTF-8 text as Python sees them: the inner loop of the binarizer.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/utf8.h"
#include "text/whitespace.h"

namespace litenat::data {

enum class ByteKind : uint8_t { kToken, kSpace, kLineEnd, kMultiByte };

constexpr std::array<ByteKind, 256> make_byte_kinds() {
  std::array<ByteKind, 256> kinds{};
  for (int c = 0x80; c < 0x100; ++c) kinds[static_cast<size_t>(c)] = ByteKind::kMultiByte;
  for (const int c : {0x09, 0x0B, 0x0C, 0x1C, 0x1D, 0x1E, 0x1F, 0x20}) kinds[static_cast<size_t>(c)] = ByteKind::kSpace;
  kinds['\n'] = kinds['\r'] = ByteKind::kLineEnd;
  return kinds;
}
inline constexpr std::array<ByteKind, 256> kByteKinds = make_byte_kinds();

/// Cuts `text` into lines (ended by \n, \r\n or \r) and those into tokens (separated by what Python's str.split() takes
/// for white space): sink.add_token(std::string_view) for every token, sink.end_line() after every line. Text after the
/// last line end is a line. Returns text.size(), or the offset of the first byte that is not UTF-8 (the sink has then
/// seen what comes before it).
template <typename Sink>
size_t for_each_token(std::string_view text, Sink* sink) {
  constexpr size_t kNoToken = static_cast<size_t>(-1);
  const size_t size = text.size();
  size_t token = kNoToken;  // where the open token starts
  const auto close_token = [&](size_t end) {
    if (token != kNoToken) sink->add_token(text.substr(token, end - token));
    token = kNoToken;
  };
  for (size_t i = 0; i < size;) {
    const ByteKind kind = kByteKinds[static_cast<unsigned char>(text[i])];
    if (kind == ByteKind::kToken) {
      if (token == kNoToken) token = i;
      ++i;
    } else if (kind == ByteKind::kSpace) {
      close_token(i++);
    } else if (kind == ByteKind::kLineEnd) {
      close_token(i);
      i += text[i] == '\r' && i + 1 < size && text[i + 1] == '\n' ? 2 : 1;
      sink->end_line();
    } else {
      const size_t start = i;
      bool valid = true;
      const char32_t c = decode_utf8(text, &i, &valid);
      if (!valid) return start;
      if (text::is_python_space(c)) {
        close_token(start);
      } else if (token == kNoToken) {
        token = start;
      }
    }
  }
  close_token(size);
  if (size > 0 && kByteKinds[static_cast<unsigned char>(text[size - 1])] != ByteKind::kLineEnd) sink->end_line();
  return size;
}

}  // namespace litenat::data
