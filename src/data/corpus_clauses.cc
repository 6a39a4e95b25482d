#include "data/corpus_clauses.h"

#include <cstring>

#include "base/utf8.h"

namespace litenat::data {
namespace {

constexpr size_t kMaxEntity = 12;  // "&#x0010FFFF;"

bool has_byte_of_interest(uint64_t word) {  // any byte beyond ASCII, 0 or '&' (may be wrong, never misses)
  constexpr uint64_t kOnes = 0x0101010101010101ull, kHighs = 0x8080808080808080ull;
  const uint64_t ampersands = word ^ (kOnes * '&');
  return ((word | (word - kOnes) | (ampersands - kOnes)) & kHighs) != 0;
}

// The character of a numeric entity at text[*offset], moving past it; 0 when there is none.
char32_t parse_entity(std::string_view text, size_t* offset) {
  std::string_view rest = text.substr(*offset, kMaxEntity);
  if (rest.substr(0, 2) != "&#") return 0;
  size_t i = 2;
  const bool hexadecimal = i < rest.size() && (rest[i] | 0x20) == 'x';
  if (hexadecimal) ++i;
  const size_t first_digit = i;
  char32_t value = 0;
  for (; i < rest.size(); ++i) {
    const char c = static_cast<char>(rest[i] | 0x20);
    const int digit = rest[i] >= '0' && rest[i] <= '9' ? rest[i] - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
    if (digit >= (hexadecimal ? 16 : 10)) break;
    value = value * (hexadecimal ? 16 : 10) + static_cast<char32_t>(digit);
    if (value > 0x10FFFF) return 0;
  }
  if (i == first_digit || i == rest.size() || rest[i] != ';') return 0;
  *offset += i + 1;
  return value;
}

class RunFinder {
 public:
  RunFinder(std::string_view text, HanziRuns* runs) : text_(text), runs_(*runs) {}

  void find() {
    for (size_t i = 0; i < text_.size();) {
      const auto byte = static_cast<unsigned char>(text_[i]);
      if (byte >= 0x80) {
        take(decode(&i));
      } else if (byte == '&') {
        take_ampersand(&i);
      } else {
        end_run();
        i = skip_ascii(i);
      }
    }
    end_run();
  }

 private:
  char32_t decode(size_t* i) {
    const auto byte = [&](size_t at) { return static_cast<uint32_t>(static_cast<unsigned char>(text_[*i + at])); };
    const uint32_t lead = byte(0);
    if (lead >= 0xE3 && lead <= 0xE9 && *i + 2 < text_.size() && (byte(1) & 0xC0) == 0x80 && (byte(2) & 0xC0) == 0x80) {
      const char32_t c = (lead & 0xF) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
      *i += 3;
      return c;
    }
    bool valid = false;
    const char32_t c = decode_utf8(text_, i, &valid);
    if (!valid) ++runs_.counts.invalid_bytes;
    return valid ? c : 0;
  }
  void take(char32_t c) {
    if (is_hanzi(c)) {
      runs_.characters.push_back(c);
      return;
    }
    if (c != 0) ++runs_.counts.other_characters;
    end_run();
  }
  void take_ampersand(size_t* i) {
    const char32_t c = parse_entity(text_, i);
    if (is_hanzi(c)) {
      runs_.characters.push_back(c);
      return;
    }
    if (c == 0) ++*i;
    end_run();
  }
  // Past the ASCII characters at `i` that end a run like any other.
  size_t skip_ascii(size_t i) {
    if (text_[i] == '\0') ++runs_.counts.nulls;
    ++i;
    for (uint64_t word = 0; i + 8 <= text_.size(); i += 8) {
      std::memcpy(&word, text_.data() + i, 8);
      if (has_byte_of_interest(word)) break;
    }
    return i;
  }
  void end_run() {
    const size_t begin = runs_.ends.empty() ? 0 : runs_.ends.back();
    if (runs_.characters.size() == begin) return;
    runs_.counts.hanzi += static_cast<int64_t>(runs_.characters.size() - begin);
    runs_.ends.push_back(static_cast<uint32_t>(runs_.characters.size()));
  }

  std::string_view text_;
  HanziRuns& runs_;
};

}  // namespace

void HanziRuns::clear() {
  characters.clear();
  ends.clear();
  counts = TextCounts{};
}

void find_hanzi_runs(std::string_view text, HanziRuns* runs) { RunFinder(text, runs).find(); }

bool looks_like_text(const TextCounts& counts) {
  return counts.invalid_bytes <= counts.hanzi + counts.other_characters;
}

}  // namespace litenat::data
