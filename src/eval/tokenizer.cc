#include "eval/tokenizer.h"

#include <algorithm>
#include <iterator>

#include "base/utf8.h"

namespace litenat::eval {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// What sacreBLEU's zh tokeniser calls a Chinese character. Its table spells the supplementary planes with four digits
// ("\u20000", read as U+2000 and a zero), so the range U+2001..U+2A6D (dashes, quotes, arrows, mathematics) counts and
// the planes do not; scores must agree with it, so ours does the same.
constexpr Range kChineseRanges[] = {
    {0x2001, 0x2A6D}, {0x2E80, 0x2EFF}, {0x2F00, 0x2FDF}, {0x2FF0, 0x2FFF}, {0x3000, 0x303F}, {0x3100, 0x312F},
    {0x31A0, 0x31BF}, {0x31C0, 0x31EF}, {0x3200, 0x33FF}, {0x3400, 0x4DB5}, {0x4E00, 0x9FBB}, {0xF900, 0xFA2D},
    {0xFA30, 0xFA6A}, {0xFA70, 0xFAD9}, {0xFE10, 0xFE1F}, {0xFE30, 0xFE4F}, {0xFF00, 0xFFEF}};

bool is_chinese(char32_t c) {
  return std::any_of(std::begin(kChineseRanges), std::end(kChineseRanges),
                     [c](const Range& range) { return range.first <= c && c <= range.last; });
}

void replace_all(std::string* text, std::string_view from, std::string_view to) {
  size_t at = 0;
  while ((at = text->find(from, at)) != std::string::npos) {
    text->replace(at, from.size(), to);
    at += to.size();
  }
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_point(char c) { return c == '.' || c == ','; }

/// ASCII punctuation that is always a token by itself: all but ' , - .
bool is_separate_symbol(char c) {
  return (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= ' ' && c <= '&') || (c >= '(' && c <= '+') ||
         (c >= ':' && c <= '@') || c == '/';
}

/// Copies `text`; wherever `matches` holds for two bytes side by side, writes them by `write` and goes on after both.
template <typename Matches, typename Write>
std::string rewrite_pairs(const std::string& text, Matches matches, Write write) {
  std::string out;
  out.reserve(text.size() * 2);
  for (size_t i = 0; i < text.size(); ++i) {
    if (i + 1 < text.size() && matches(text[i], text[i + 1])) {
      write(&out, text[i], text[i + 1]);
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// mteval's rules for Western punctuation. They look at ASCII only, so working on bytes of UTF-8 is exact.
std::string separate_punctuation(const std::string& line) {
  std::string spaced;
  for (const char c : line) {
    if (is_separate_symbol(c)) {
      spaced += ' ';
      spaced += c;
      spaced += ' ';
    } else {
      spaced += c;
    }
  }
  spaced = rewrite_pairs(
      spaced, [](char a, char b) { return !is_digit(a) && is_point(b); },
      [](std::string* out, char a, char b) { (((*out += a) += ' ') += b) += ' '; });
  spaced = rewrite_pairs(
      spaced, [](char a, char b) { return is_point(a) && !is_digit(b); },
      [](std::string* out, char a, char b) { (((*out += ' ') += a) += ' ') += b; });
  return rewrite_pairs(
      spaced, [](char a, char b) { return is_digit(a) && b == '-'; },
      [](std::string* out, char a, char b) { (((*out += a) += ' ') += b) += ' '; });
}

std::string prepare_13a(std::string line) {
  replace_all(&line, "<skipped>", "");
  replace_all(&line, "-\n", "");
  replace_all(&line, "\n", " ");
  replace_all(&line, "&quot;", "\"");
  replace_all(&line, "&amp;", "&");
  replace_all(&line, "&lt;", "<");
  replace_all(&line, "&gt;", ">");
  return " " + line + " ";
}

/// `line` without white space at its ends.
std::string strip(std::string_view line, bool left) {
  const std::vector<std::string_view> characters = split_characters(line);
  const auto blank = [](std::string_view c) {
    size_t offset = 0;
    return is_white_space(decode_utf8(c, &offset));
  };
  size_t first = 0;
  size_t last = characters.size();
  while (last > first && blank(characters[last - 1])) --last;
  while (left && first < last && blank(characters[first])) ++first;
  std::string out;
  for (size_t i = first; i < last; ++i) out += characters[i];
  return out;
}

std::string space_chinese(const std::string& line) {
  std::string out;
  for (const char32_t c : to_code_points(line)) {
    const bool chinese = is_chinese(c);
    if (chinese) out += ' ';
    append_utf8(c, &out);
    if (chinese) out += ' ';
  }
  return out;
}

std::vector<std::string> characters_of(const std::string& line) {
  std::vector<std::string> tokens;
  for (const char32_t c : to_code_points(line)) {
    if (is_white_space(c)) continue;
    tokens.emplace_back();
    append_utf8(c, &tokens.back());
  }
  return tokens;
}

}  // namespace

bool is_white_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

std::vector<std::string> split_words(std::string_view line) {
  std::vector<std::string> words;
  bool inside = false;
  for (size_t offset = 0; offset < line.size();) {
    const char32_t c = decode_utf8(line, &offset);
    if (is_white_space(c)) {
      inside = false;
      continue;
    }
    if (!inside) words.emplace_back();
    inside = true;
    append_utf8(c, &words.back());
  }
  return words;
}

std::vector<std::string> tokenize(Tokenizer tokenizer, std::string_view text) {
  const std::string line = strip(text, false);
  switch (tokenizer) {
    case Tokenizer::k13a:
      return split_words(separate_punctuation(prepare_13a(line)));
    case Tokenizer::kZh:
      return split_words(separate_punctuation(space_chinese(strip(line, true))));
    case Tokenizer::kChar:
      return characters_of(line);
    case Tokenizer::kNone:
      break;
  }
  return split_words(line);
}

}  // namespace litenat::eval
