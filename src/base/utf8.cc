#include "base/utf8.h"

namespace litenat {
namespace {

// Number of bytes that a lead byte announces; 0 for a byte that cannot lead.
int sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;  // continuation bytes and overlong two-byte leads
  if (lead < 0xE0) return 2;
  if (lead < 0xF0) return 3;
  return lead < 0xF5 ? 4 : 0;
}

bool is_scalar(char32_t c) { return c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF); }

}  // namespace

char32_t decode_utf8(std::string_view text, size_t* offset, bool* valid) {
  const auto lead = static_cast<unsigned char>(text[*offset]);
  const int length = sequence_length(lead);
  static constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  char32_t value = length <= 1 ? lead : lead & (0xFFu >> (length + 1));
  bool good = length > 0 && *offset + length <= text.size();
  for (int i = 1; good && i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[*offset + i]);
    good = (byte & 0xC0) == 0x80;
    value = (value << 6) | (byte & 0x3F);
  }
  good = good && value >= kSmallest[length] && is_scalar(value);
  *offset += good ? length : 1;
  if (valid != nullptr) *valid = good;
  return good ? value : kReplacementCharacter;
}

void append_utf8(char32_t c, std::string* out) {
  if (!is_scalar(c)) c = kReplacementCharacter;
  if (c < 0x80) {
    out->push_back(static_cast<char>(c));
    return;
  }
  const int tail = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  const unsigned lead = tail == 1 ? 0xC0u : tail == 2 ? 0xE0u : 0xF0u;
  out->push_back(static_cast<char>(lead | (c >> (6 * tail))));
  for (int i = tail - 1; i >= 0; --i) out->push_back(static_cast<char>(0x80 | ((c >> (6 * i)) & 0x3F)));
}

std::vector<char32_t> to_code_points(std::string_view text) {
  std::vector<char32_t> result;
  for (size_t i = 0; i < text.size();) result.push_back(decode_utf8(text, &i));
  return result;
}

std::vector<std::string_view> split_characters(std::string_view text) {
  std::vector<std::string_view> result;
  for (size_t i = 0; i < text.size();) {
    const size_t begin = i;
    decode_utf8(text, &i);
    result.push_back(text.substr(begin, i - begin));
  }
  return result;
}

bool is_hanzi(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || c == 0x3007 || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x20000 && c <= 0x323AF);
}

}  // namespace litenat
