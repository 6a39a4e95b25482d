#include "eval/unicode.h"

#include <algorithm>
#include <iterator>

#include "base/utf8.h"

namespace litenat::eval {
namespace {

/// How a character acts on a capital sigma beside it (Unicode's properties of the same names).
enum class Casing : char { kNone, kCased, kCaseIgnorable };

template <typename Kind>
struct Range {
  char32_t first;
  char32_t last;
  Kind kind;
};

/// Characters first, first + step, ..., last have a lower-case form `delta` away.
struct LowerRun {
  char32_t first;
  char32_t last;
  int step;
  int delta;
};

#include "eval/unicode_tables.inc"

/// The entry of a table sorted by `first` that may hold `c`, or null.
template <typename Entry, size_t kSize>
const Entry* find_range(const Entry (&table)[kSize], char32_t c) {
  const Entry* after =
      std::upper_bound(std::begin(table), std::end(table), c, [](char32_t x, const Entry& e) { return x < e.first; });
  if (after == std::begin(table) || c > (after - 1)->last) return nullptr;
  return after - 1;
}

Category ascii_category(char32_t c) {
  if (c >= '0' && c <= '9') return Category::kNumber;
  if (c == '$' || c == '+' || (c >= '<' && c <= '>') || c == '^' || c == '`' || c == '|' || c == '~')
    return Category::kSymbol;
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return c > ' ' && c < 0x7F && !letter ? Category::kPunctuation : Category::kOther;
}

Casing casing_of(char32_t c) {
  if (c < 0x80) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return Casing::kCased;
    return c == '\'' || c == '.' || c == ':' || c == '^' || c == '`' ? Casing::kCaseIgnorable : Casing::kNone;
  }
  const auto* range = find_range(kCasings, c);
  return range == nullptr ? Casing::kNone : range->kind;
}

char32_t lower_of(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  // Runs of step 2 may interleave with others, so an entry that begins earlier can hold `c` too.
  const LowerRun* run = std::upper_bound(std::begin(kLowerRuns), std::end(kLowerRuns), c,
                                         [](char32_t x, const LowerRun& e) { return x < e.first; });
  for (int back = 0; back < 3 && run != std::begin(kLowerRuns); ++back) {
    --run;
    if (c <= run->last && (c - run->first) % static_cast<char32_t>(run->step) == 0)
      return static_cast<char32_t>(static_cast<int64_t>(c) + run->delta);
  }
  return c;
}

/// Whether the capital sigma at `at` ends a word: a cased character before it and none after it, not counting
/// case-ignorable ones.
bool is_final_sigma(const std::vector<char32_t>& text, size_t at) {
  size_t i = at;
  while (i > 0 && casing_of(text[i - 1]) == Casing::kCaseIgnorable) --i;
  if (i == 0 || casing_of(text[i - 1]) != Casing::kCased) return false;
  i = at + 1;
  while (i < text.size() && casing_of(text[i]) == Casing::kCaseIgnorable) ++i;
  return i == text.size() || casing_of(text[i]) != Casing::kCased;
}

std::string lower_code_points(const std::vector<char32_t>& text) {
  constexpr char32_t kCapitalSigma = 0x3A3;
  constexpr char32_t kSigma = 0x3C3;
  constexpr char32_t kFinalSigma = 0x3C2;
  constexpr char32_t kCapitalDottedI = 0x130;
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == kCapitalSigma) {
      append_utf8(is_final_sigma(text, i) ? kFinalSigma : kSigma, &out);
    } else if (text[i] == kCapitalDottedI) {
      out += "i\u0307";
    } else {
      append_utf8(lower_of(text[i]), &out);
    }
  }
  return out;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// The white space character at text[offset], as its number of bytes; 0 when there is none. No white space has more
/// than three bytes.
size_t white_space_at(std::string_view text, size_t offset) {
  const auto lead = static_cast<unsigned char>(text[offset]);
  if (lead < 0x80) return is_white_space(lead) ? 1 : 0;
  if (lead != 0xC2 && lead != 0xE1 && lead != 0xE2 && lead != 0xE3) return 0;
  size_t end = offset;
  return is_white_space(decode_utf8(text, &end)) ? end - offset : 0;
}

}  // namespace

bool is_white_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

Category category_of(char32_t c) {
  if (c < 0x80) return ascii_category(c);
  const auto* range = find_range(kCategories, c);
  return range == nullptr ? Category::kOther : range->kind;
}

std::string clean_utf8(std::string_view text) {
  if (is_ascii(text)) return std::string(text);
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const size_t begin = i;
    bool valid = false;
    const char32_t c = decode_utf8(text, &i, &valid);
    if (valid) {
      out.append(text, begin, i - begin);
    } else {
      append_utf8(c, &out);
    }
  }
  return out;
}

std::string to_lower(std::string_view text) {
  if (!is_ascii(text)) return lower_code_points(to_code_points(text));
  std::string out(text);
  for (char& c : out) c = static_cast<char>(lower_of(static_cast<unsigned char>(c)));
  return out;
}

std::string_view strip_right(std::string_view text) {
  while (!text.empty()) {
    size_t begin = text.size() - 1;
    while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) --begin;
    if (white_space_at(text, begin) != text.size() - begin) break;
    text.remove_suffix(text.size() - begin);
  }
  return text;
}

std::string_view strip_both(std::string_view text) {
  text = strip_right(text);
  while (!text.empty()) {
    const size_t bytes = white_space_at(text, 0);
    if (bytes == 0) break;
    text.remove_prefix(bytes);
  }
  return text;
}

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  size_t begin = 0;
  for (size_t i = 0; i < text.size();) {
    const size_t bytes = white_space_at(text, i);
    if (bytes == 0) {
      ++i;
      continue;
    }
    if (i > begin) words.push_back(text.substr(begin, i - begin));
    begin = i += bytes;
  }
  if (text.size() > begin) words.push_back(text.substr(begin));
  return words;
}

}  // namespace litenat::eval
