#include "eval/tokenizer.h"

#include <algorithm>
#include <iterator>

#include "base/utf8.h"
#include "eval/unicode.h"

namespace litenat::eval {
namespace {

struct CodeRange {
  char32_t first;
  char32_t last;
};

// What sacreBLEU's zh tokeniser calls a Chinese character. Its table spells the supplementary planes with four digits
// ("\u20000", read as U+2000 and a zero), so the range U+2001..U+2A6D (dashes, quotes, arrows, mathematics) counts and
// the planes do not; scores must agree with it, so ours does the same.
constexpr CodeRange kChineseRanges[] = {
    {0x2001, 0x2A6D}, {0x2E80, 0x2EFF}, {0x2F00, 0x2FDF}, {0x2FF0, 0x2FFF}, {0x3000, 0x303F}, {0x3100, 0x312F},
    {0x31A0, 0x31BF}, {0x31C0, 0x31EF}, {0x3200, 0x33FF}, {0x3400, 0x4DB5}, {0x4E00, 0x9FBB}, {0xF900, 0xFA2D},
    {0xFA30, 0xFA6A}, {0xFA70, 0xFAD9}, {0xFE10, 0xFE1F}, {0xFE30, 0xFE4F}, {0xFF00, 0xFFEF}};

bool is_chinese(char32_t c) {
  return std::any_of(std::begin(kChineseRanges), std::end(kChineseRanges),
                     [c](const CodeRange& range) { return range.first <= c && c <= range.last; });
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_point(char c) { return c == '.' || c == ','; }

/// ASCII punctuation that is always a token by itself: all but ' , - .
bool is_separate_symbol(char c) {
  return (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= ' ' && c <= '&') || (c >= '(' && c <= '+') ||
         (c >= ':' && c <= '@') || c == '/';
}

/// Copies `text`; wherever `matches` holds for two items side by side, writes them by `write` and goes on after both.
template <typename Text, typename Matches, typename Write>
Text rewrite_pairs(const Text& text, Matches matches, Write write) {
  Text out;
  out.reserve(text.size() + text.size() / 2);
  for (size_t i = 0; i < text.size(); ++i) {
    if (i + 1 < text.size() && matches(text[i], text[i + 1])) {
      write(&out, text[i], text[i + 1]);
      ++i;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

template <typename Text, typename Item>
void append(Text* out, std::initializer_list<Item> items) {
  out->insert(out->end(), items.begin(), items.end());
}

std::string separate_13a(std::string_view line) {
  std::string text(line);
  replace_all(&text, "<skipped>", "");
  replace_all(&text, "-\n", "");
  replace_all(&text, "\n", " ");
  replace_all(&text, "&quot;", "\"");
  replace_all(&text, "&amp;", "&");
  replace_all(&text, "&lt;", "<");
  replace_all(&text, "&gt;", ">");
  return separate_western_punctuation(" " + text + " ");
}

std::string separate_zh(std::string_view line) {
  std::string out;
  const std::string_view text = strip_both(line);
  for (size_t i = 0; i < text.size();) {
    const size_t begin = i;
    const bool chinese = is_chinese(decode_utf8(text, &i));
    if (chinese) out += ' ';
    out.append(text, begin, i - begin);
    if (chinese) out += ' ';
  }
  return separate_western_punctuation(out);
}

/// Punctuation is a token unless digits stand on both sides of it; a symbol always is.
std::string separate_intl(std::string_view line) {
  using Text = std::vector<char32_t>;
  Text text = to_code_points(line);
  text = rewrite_pairs(
      text,
      [](char32_t a, char32_t b) {
        return category_of(b) == Category::kPunctuation && category_of(a) != Category::kNumber;
      },
      [](Text* out, char32_t a, char32_t b) {
        append<Text, char32_t>(out, {a, ' ', b, ' '});
      });
  text = rewrite_pairs(
      text,
      [](char32_t a, char32_t b) {
        return category_of(a) == Category::kPunctuation && category_of(b) != Category::kNumber;
      },
      [](Text* out, char32_t a, char32_t b) {
        append<Text, char32_t>(out, {' ', a, ' ', b});
      });
  std::string out;
  for (const char32_t c : text) {
    const bool symbol = category_of(c) == Category::kSymbol;
    if (symbol) out += ' ';
    append_utf8(c, &out);
    if (symbol) out += ' ';
  }
  return out;
}

std::string separate_characters(std::string_view line) {
  std::string out;
  out.reserve(2 * line.size());
  for (size_t i = 0; i < line.size();) {
    const size_t begin = i;
    decode_utf8(line, &i);
    out.append(line, begin, i - begin);
    out += ' ';
  }
  return out;
}

}  // namespace

void replace_all(std::string* text, std::string_view from, std::string_view to) {
  size_t found = text->find(from);
  if (found == std::string::npos) return;
  std::string out;
  size_t copied = 0;
  for (; found != std::string::npos; found = text->find(from, copied)) {
    out.append(*text, copied, found - copied);
    out += to;
    copied = found + from.size();
  }
  out.append(*text, copied, std::string::npos);
  *text = std::move(out);
}

std::string separate_symbols(std::string_view line) {
  std::string out;
  out.reserve(line.size() * 2);
  for (const char c : line) {
    if (is_separate_symbol(c)) {
      append<std::string, char>(&out, {' ', c, ' '});
    } else {
      out += c;
    }
  }
  return out;
}

// Working on bytes of UTF-8 is exact: the other half of a pair may be any character, and its last or first byte stands
// for it.
std::string separate_points(std::string line) {
  line = rewrite_pairs(
      line, [](char a, char b) { return is_point(b) && !is_digit(a); },
      [](std::string* out, char a, char b) {
        append<std::string, char>(out, {a, ' ', b, ' '});
      });
  line = rewrite_pairs(
      line, [](char a, char b) { return is_point(a) && !is_digit(b); },
      [](std::string* out, char a, char b) {
        append<std::string, char>(out, {' ', a, ' ', b});
      });
  return rewrite_pairs(
      line, [](char a, char b) { return b == '-' && is_digit(a); },
      [](std::string* out, char a, char b) {
        append<std::string, char>(out, {a, ' ', b, ' '});
      });
}

std::string separate_western_punctuation(std::string_view line) { return separate_points(separate_symbols(line)); }

std::string separate_tokens(Tokenizer tokenizer, std::string_view text) {
  const std::string_view line = strip_right(text);
  switch (tokenizer) {
    case Tokenizer::k13a:
      return separate_13a(line);
    case Tokenizer::kIntl:
      return separate_intl(line);
    case Tokenizer::kZh:
      return separate_zh(line);
    case Tokenizer::kChar:
      return separate_characters(line);
    case Tokenizer::kNone:
      break;
  }
  return std::string(line);
}

std::vector<std::string> tokenize(Tokenizer tokenizer, std::string_view line) {
  const std::string separated = separate_tokens(tokenizer, clean_utf8(line));
  const std::vector<std::string_view> words = split_words(separated);
  return {words.begin(), words.end()};
}

void TokenTexts::add(Tokenizer tokenizer, std::string_view line, bool lowercase) {
  texts_.push_back(separate_tokens(tokenizer, lowercase ? to_lower(line) : clean_utf8(line)));
}

TokenSequences TokenTexts::numbers() const {
  std::vector<std::vector<std::string_view>> words;
  size_t num_words = 0;
  for (const std::string& text : texts_) {
    words.push_back(split_words(text));
    num_words += words.back().size();
  }
  Interner<std::string_view> interner(num_words);
  TokenSequences numbers(words.size());
  for (size_t s = 0; s < words.size(); ++s) {
    numbers[s].reserve(words[s].size());
    for (const std::string_view word : words[s]) numbers[s].push_back(interner.intern(word));
  }
  return numbers;
}

}  // namespace litenat::eval
