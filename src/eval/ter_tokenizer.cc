// Tercom's normaliser as sacreBLEU 2.6.0 has it. Its rules for runs of kana never match there (they ask for the start
// of a line that has been given a space in front), so there are none here.
#include <algorithm>
#include <iterator>

#include "base/utf8.h"
#include "eval/ter.h"
#include "eval/tokenizer.h"
#include "eval/unicode.h"

namespace litenat::eval {
namespace {

struct CodeRange {
  char32_t first;
  char32_t last;
};

constexpr CodeRange kAsianPunctuation[] = {{0x3001, 0x3002}, {0x3008, 0x3011}, {0x3014, 0x301F}, {0xFF61, 0xFF65},
                                           {0x30FB, 0x30FB}, {0xFF0E, 0xFF0E}, {0xFF0C, 0xFF0C}, {0xFF1F, 0xFF1F},
                                           {0xFF1A, 0xFF1B}, {0xFF01, 0xFF02}, {0xFF08, 0xFF09}};
// U+3F22 is sacreBLEU's slip for U+32FF; scores must agree with it.
constexpr CodeRange kIdeographs[] = {{0x4E00, 0x9FFF}, {0x3400, 0x4DBF}, {0x31C0, 0x31EF}, {0x2E80, 0x2EFF},
                                     {0x3300, 0x33FF}, {0xF900, 0xFAFF}, {0xFE30, 0xFE4F}, {0x3200, 0x3F22}};

template <size_t kSize>
bool is_in(const CodeRange (&ranges)[kSize], char32_t c) {
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [c](const CodeRange& range) { return range.first <= c && c <= range.last; });
}

std::string normalize_western(std::string text) {
  replace_all(&text, "\n-", "");
  replace_all(&text, "\n", " ");
  replace_all(&text, "&quot;", "\"");
  replace_all(&text, "&amp;", "&");
  replace_all(&text, "&lt;", "<");
  replace_all(&text, "&gt;", ">");
  text = separate_symbols(" " + text + " ");
  replace_all(&text, "'s ", " 's ");
  return separate_points(std::move(text));
}

std::string separate_asian(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const size_t begin = i;
    const char32_t c = decode_utf8(text, &i);
    const bool separate = c >= 0x2E80 && (is_in(kIdeographs, c) || is_in(kAsianPunctuation, c));
    if (separate) out += ' ';
    out.append(text, begin, i - begin);
    if (separate) out += ' ';
  }
  return out;
}

bool is_removed(char32_t c, bool asian) {
  constexpr std::string_view kWestern = ".,?:;!\"()";
  return c < 0x80 ? kWestern.find(static_cast<char>(c)) != std::string_view::npos
                  : asian && is_in(kAsianPunctuation, c);
}

std::string remove_punctuation(std::string_view text, bool asian) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const size_t begin = i;
    if (!is_removed(decode_utf8(text, &i), asian)) out.append(text, begin, i - begin);
  }
  return out;
}

}  // namespace

std::string tercom_tokenize(std::string_view line, const TerOptions& options) {
  std::string text = clean_utf8(line);
  text.resize(strip_right(text).size());
  if (!options.case_sensitive) text = to_lower(text);
  if (options.normalized) text = normalize_western(std::move(text));
  if (options.normalized && options.asian_support) text = separate_asian(text);
  if (options.no_punct) text = remove_punctuation(text, options.asian_support);
  std::string words;
  for (const std::string_view word : split_words(text)) (words += words.empty() ? "" : " ").append(word);
  return words;
}

}  // namespace litenat::eval
