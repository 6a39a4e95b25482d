// A list of words with counts, as lines of text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace litenat::data {

/// One line of a list.
struct WordEntry {
  std::string_view word;
  int64_t count = 1;
  bool has_count = false;
};

/// Reads `word`, then anything; the first field of digits is the count ("的 3188252 uj", "你好\tni hao\t523"). Lines
/// that begin with '#' and a head between the lines "---" and "..." are left out. The text must outlive the entries.
class WordListReader {
 public:
  static constexpr int64_t kMaxCount = int64_t{1} << 40;  // 5 million of them still have a sum
  static constexpr int64_t kMaxWords = 5000000;

  /// Errors begin with `origin` and the number of the line, where the text begins with line `first_line`.
  WordListReader(std::string_view text, int64_t first_line, const std::string& origin)
      : rest_(text), line_(first_line - 1), origin_(origin) {}

  /// The next entry, or false at the end. Throws Error for broken UTF-8, an overlong word, a count above kMaxCount, and
  /// more than kMaxWords entries.
  bool next(WordEntry* entry);

 private:
  bool next_line(std::string_view* line);
  bool parse(std::string_view line, WordEntry* entry) const;
  [[noreturn]] void fail(const std::string& expected, const std::string& found) const;

  std::string_view rest_;
  int64_t line_;
  int64_t words_ = 0;
  const std::string& origin_;
};

}  // namespace litenat::data
