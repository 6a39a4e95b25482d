#include "data/word_list.h"

#include <algorithm>

#include "base/error.h"
#include "data/text_cleaning.h"

namespace litenat::data {
namespace {

constexpr size_t kMaxWordBytes = 256;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// Takes the first field of *line.
std::string_view take_field(std::string_view* line) {
  constexpr std::string_view kBlanks = " \t\r";
  const size_t begin = std::min(line->find_first_not_of(kBlanks), line->size());
  const size_t end = std::min(line->find_first_of(kBlanks, begin), line->size());
  const std::string_view field = line->substr(begin, end - begin);
  line->remove_prefix(end);
  return field;
}

bool is_digits(std::string_view field) {
  return !field.empty() && std::all_of(field.begin(), field.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// The number, or something above kMaxCount for all that are too large.
int64_t parse_count(std::string_view digits) {
  int64_t count = 0;
  for (const char c : digits) count = std::min(10 * count + (c - '0'), WordListReader::kMaxCount + 1);
  return count;
}

}  // namespace

void WordListReader::fail(const std::string& expected, const std::string& found) const {
  throw Error(origin_ + ":" + std::to_string(line_) + ": expected " + expected + ", found " + found);
}

bool WordListReader::next_line(std::string_view* line) {
  if (rest_.empty()) return false;
  const size_t end = std::min(rest_.find('\n'), rest_.size());
  *line = rest_.substr(0, end);
  rest_.remove_prefix(std::min(end + 1, rest_.size()));
  if (++line_ == 1 && line->substr(0, kByteOrderMark.size()) == kByteOrderMark)
    line->remove_prefix(kByteOrderMark.size());
  if (!line->empty() && line->back() == '\r') line->remove_suffix(1);
  return true;
}

bool WordListReader::parse(std::string_view line, WordEntry* entry) const {
  if (!is_utf8(line)) fail("UTF-8", "other bytes");
  *entry = {};
  entry->word = take_field(&line);
  if (entry->word.empty()) return false;
  if (entry->word.size() > kMaxWordBytes) fail("a word of at most 256 bytes", "a longer one");
  for (std::string_view field = take_field(&line); !field.empty(); field = take_field(&line)) {
    if (!is_digits(field)) continue;
    entry->count = parse_count(field);
    entry->has_count = true;
    if (entry->count > kMaxCount) fail("a count of at most 2^40", std::string(field));
    break;
  }
  return true;
}

bool WordListReader::next(WordEntry* entry) {
  for (std::string_view line; next_line(&line);) {
    if (line == "---") {
      while (next_line(&line) && line != "...") {
      }
      continue;
    }
    if (line.substr(0, 1) == "#" || !parse(line, entry)) continue;
    if (++words_ > kMaxWords) fail("at most " + std::to_string(kMaxWords) + " words", "more");
    return true;
  }
  return false;
}

}  // namespace litenat::data
