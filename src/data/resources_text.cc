// Reading aligned clauses.
#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/mapped_file.h"
#include "base/utf8.h"
#include "data/resources.h"

namespace litenat::data {
namespace {

using text::SyllableId;

std::string_view as_text(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

// Lines of a text, and the tokens of the current one.
class TokenLines {
 public:
  explicit TokenLines(std::string_view text) : text_(text) {}

  bool next_line() {
    if (position_ >= text_.size()) return false;
    const size_t end = std::min(text_.find('\n', position_), text_.size());
    line_ = text_.substr(position_, end - position_);
    if (!line_.empty() && line_.back() == '\r') line_.remove_suffix(1);
    position_ = end + 1;
    return true;
  }
  bool next_token(std::string_view* token) {
    const size_t begin = line_.find_first_not_of(' ');
    if (begin == std::string_view::npos) return false;
    const size_t end = std::min(line_.find(' ', begin), line_.size());
    *token = line_.substr(begin, end - begin);
    line_.remove_prefix(end);
    return true;
  }

 private:
  std::string_view text_;
  std::string_view line_;
  size_t position_ = 0;
};

class AnnotatedReader {
 public:
  AnnotatedReader(const std::string& prefix, const text::Dictionary& targets) : prefix_(prefix) {
    for (int32_t id = text::kNumSpecials; id < targets.size(); ++id) {
      const auto points = to_code_points(targets.token(id));
      if (points.size() == 1) targets_.emplace(points[0], id);
    }
    for (int s = 0; s < text::num_syllables(); ++s) {
      syllables_.emplace(text::syllable_name(static_cast<SyllableId>(s)), static_cast<SyllableId>(s));
    }
  }

  AnnotatedText read() {
    const auto hanzi_file = value_or_throw(MappedFile::open(prefix_ + ".hanzi"));
    const auto pinyin_file = value_or_throw(MappedFile::open(prefix_ + ".pinyin"));
    TokenLines hanzi(as_text(*hanzi_file));
    TokenLines pinyin(as_text(*pinyin_file));
    while (hanzi.next_line()) {
      if (++line_number_ % 65536 == 0) throw_if_interrupted();
      if (!pinyin.next_line()) fail(".pinyin", "the file ends before " + prefix_ + ".hanzi does");
      read_clause(&hanzi, &pinyin);
    }
    ++line_number_;
    if (pinyin.next_line()) fail(".pinyin", "more lines than in " + prefix_ + ".hanzi");
    return std::move(text_);
  }

 private:
  [[noreturn]] void fail(const char* extension, const std::string& what) const {
    throw Error(prefix_ + extension + ":" + std::to_string(line_number_) + ": " + what);
  }

  void read_clause(TokenLines* hanzi, TokenLines* pinyin) {
    std::string_view token;
    while (hanzi->next_token(&token)) text_.characters.push_back(find_character(token));
    while (pinyin->next_token(&token)) text_.syllables.push_back(find_syllable(token));
    if (text_.characters.size() != text_.syllables.size()) {
      fail(".pinyin", std::to_string(text_.syllables.size() - text_.offsets.back()) + " syllables for " +
                          std::to_string(text_.characters.size() - text_.offsets.back()) + " hanzi");
    }
    text_.offsets.push_back(text_.characters.size());
  }

  int32_t find_character(std::string_view token) const {
    size_t end = 0;
    const char32_t point = decode_utf8(token, &end);
    const auto found = end == token.size() ? targets_.find(point) : targets_.end();
    return found == targets_.end() ? text::kUnk : found->second;
  }

  SyllableId find_syllable(std::string_view token) const {
    const auto found = syllables_.find(token);
    const SyllableId syllable = found != syllables_.end() ? found->second : text::find_syllable(token);
    if (syllable == text::kNoSyllable) fail(".pinyin", "\"" + std::string(token.substr(0, 40)) + "\" is no syllable");
    return syllable;
  }

  std::string prefix_;
  std::unordered_map<char32_t, int32_t> targets_;
  std::unordered_map<std::string_view, SyllableId> syllables_;
  int64_t line_number_ = 0;
  AnnotatedText text_;
};

}  // namespace

AnnotatedText read_annotated_text(const std::string& prefix, const text::Dictionary& targets) {
  return AnnotatedReader(prefix, targets).read();
}

}  // namespace litenat::data
