#include "data/text_cleaning.h"

#include <utf8proc.h>

#include <cstring>

#include "base/random.h"
#include "base/utf8.h"
#include "text/whitespace.h"

namespace litenat::data {
namespace {

bool is_word_of_its_own(char32_t c) { return is_hanzi(c) || (c >= 0x3041 && c <= 0x30FF && c != 0x30FB); }

}  // namespace

std::string clean_line(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  bool blank = false;
  for (size_t offset = 0; offset < text.size();) {
    const char32_t c = decode_utf8(text, &offset);
    if (text::is_python_space(c)) {
      blank = true;
      continue;
    }
    if (blank && !line.empty()) line += ' ';
    blank = false;
    append_utf8(c, &line);
  }
  return line;
}

bool is_utf8(std::string_view text) {
  bool valid = true;
  for (size_t offset = 0; valid && offset < text.size();) decode_utf8(text, &offset, &valid);
  return valid;
}

std::string to_lower(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  for (size_t offset = 0; offset < text.size();)
    append_utf8(static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(decode_utf8(text, &offset)))),
                &line);
  return line;
}

bool is_unspaced(char32_t c) {
  return is_hanzi(c) || (c >= 0x2E80 && c <= 0x303F) || (c >= 0x3041 && c <= 0x30FF) || (c >= 0x31F0 && c <= 0x31FF) ||
         (c >= 0xFF01 && c <= 0xFFEF);
}

int64_t count_words(std::string_view line) {
  int64_t words = 0;
  bool in_word = false;
  for (size_t offset = 0; offset < line.size();) {
    const char32_t c = decode_utf8(line, &offset);
    const bool alone = is_word_of_its_own(c);
    if (alone || (c != ' ' && !in_word)) ++words;
    in_word = !alone && c != ' ';
  }
  return words;
}

uint64_t hash_bytes(std::string_view bytes, uint64_t seed) {
  uint64_t hash = SplitMix64(seed, bytes.size()).next();
  for (size_t begin = 0; begin < bytes.size(); begin += 8) {
    uint64_t word = 0;
    for (size_t i = begin; i < bytes.size() && i < begin + 8; ++i)
      word |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * (i - begin));
    hash = (hash ^ word) * 0xD6E8FEB86659FD93ull;
    hash ^= hash >> 32;
  }
  return SplitMix64(hash).next();
}

}  // namespace litenat::data
