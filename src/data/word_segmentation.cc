#include "data/word_segmentation.h"

#include <utf8proc.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "base/utf8.h"
#include "data/text_cleaning.h"
#include "data/word_list.h"

namespace litenat::data {
namespace {

constexpr std::string_view kMagic = "#litenat-words 1 ";
constexpr std::string_view kLowerCase = " lower";
constexpr std::string_view kUnknown = "<unk>", kUnknownText = "\u2047";

utf8proc_category_t category(char32_t c) { return utf8proc_category(static_cast<utf8proc_int32_t>(c)); }

/// Marks and joiners belong to the character before.
bool continues(char32_t c) {
  const utf8proc_category_t kind = category(c);
  return kind == UTF8PROC_CATEGORY_MN || kind == UTF8PROC_CATEGORY_MC || kind == UTF8PROC_CATEGORY_ME ||
         kind == UTF8PROC_CATEGORY_CF;
}

/// Letters and digits of scripts with blanks between words.
bool is_run_character(char32_t c) {
  const utf8proc_category_t kind = category(c);
  const bool letter = kind >= UTF8PROC_CATEGORY_LU && kind <= UTF8PROC_CATEGORY_LO;
  const bool number = kind >= UTF8PROC_CATEGORY_ND && kind <= UTF8PROC_CATEGORY_NO;
  return (letter || number) && !is_unspaced(c);
}

/// Inside a run they do not end it: don't, 3.14, e-mail.
bool joins_run(char32_t c) { return c == '\'' || c == U'\u2019' || c == '.' || c == '-' || c == '_'; }

/// Where the units of `chunk` begin, and its end: a unit is a character, or a run.
std::vector<size_t> unit_begins(std::string_view chunk) {
  std::vector<size_t> begins;
  bool in_run = false, joined = false;  // the last character was in a run; it was what joins_run() takes
  for (size_t offset = 0; offset < chunk.size();) {
    const size_t begin = offset;
    const char32_t c = decode_utf8(chunk, &offset);
    if (begin > 0 && continues(c)) continue;
    const bool run = is_run_character(c);
    size_t ahead = offset;
    const bool joiner =
        in_run && !joined && joins_run(c) && offset < chunk.size() && is_run_character(decode_utf8(chunk, &ahead));
    if (!(in_run && (run || joiner))) begins.push_back(begin);
    in_run = run || joiner;
    joined = joiner;
  }
  begins.push_back(chunk.size());
  return begins;
}

char32_t first_character(std::string_view text) {
  size_t offset = 0;
  return text.empty() ? U' ' : decode_utf8(text, &offset);
}

char32_t last_character(std::string_view text) {
  size_t begin = text.size();
  for (int back = 0; back < 4 && begin > 0; ++back)
    if ((static_cast<unsigned char>(text[--begin]) & 0xC0) != 0x80) break;
  return first_character(text.substr(begin));
}

bool is_one_of(char32_t c, std::string_view ascii) {
  return c < 0x80 && ascii.find(static_cast<char>(c)) != std::string_view::npos;
}

bool wants_blank(std::string_view left, std::string_view right) {
  const char32_t last = last_character(left), first = first_character(right);
  if (is_unspaced(last) || is_unspaced(first)) return false;
  return !is_one_of(last, "([{") && !is_one_of(first, ",.!?;:%)]}");
}

class WordTokenizer : public TextTokenizer {
 public:
  WordTokenizer(std::string_view blob, const std::string& origin) : blob_(blob) {
    const std::string_view text = blob_;
    const size_t end = std::min(text.find('\n'), text.size());
    if (!read_head(text.substr(0, end)))
      throw Error(origin + ":1: expected the head of a word list, found \"" + std::string(text.substr(0, end)) + "\"");
    read_words(text.substr(std::min(end + 1, text.size())), origin);
  }

  std::vector<std::string> encode(std::string_view text) const override {
    const std::string line = lower_case_ ? to_lower(clean_line(text)) : clean_line(text);
    std::vector<std::string> tokens;
    for (size_t begin = 0; begin < line.size();) {
      const size_t end = std::min(line.find(' ', begin), line.size());
      const std::string_view chunk = std::string_view(line).substr(begin, end - begin);
      if (path_ == WordPath::kLikeliest)
        split_likeliest(chunk, &tokens);
      else
        split_longest(chunk, &tokens);
      begin = end + 1;
    }
    return tokens;
  }

  std::string decode(Span<const std::string> tokens) const override {
    std::string text;
    for (const std::string& token : tokens) {
      const std::string_view word = token == kUnknown ? kUnknownText : std::string_view(token);
      if (!text.empty() && wants_blank(text, word)) text += ' ';
      text += word;
    }
    return text;
  }
  const std::string& blob() const override { return blob_; }

 private:
  struct Step {
    double score = -std::numeric_limits<double>::infinity();
    size_t begin = 0;  // of the last word, in units
  };

  bool read_head(std::string_view line) {
    if (line.substr(0, kMagic.size()) != kMagic) return false;
    line.remove_prefix(kMagic.size());
    const size_t blank = std::min(line.find(' '), line.size());
    lower_case_ = line.substr(blank) == kLowerCase;
    return kWordPathNames.parse(std::string(line.substr(0, blank)), &path_) && (lower_case_ || blank == line.size());
  }

  /// The table holds every word, and every beginning of one (as NaN), so that a search knows where to stop.
  void read_words(std::string_view text, const std::string& origin) {
    WordListReader reader(text, 2, origin);
    double total = 1;
    for (WordEntry entry; reader.next(&entry); total += static_cast<double>(entry.count)) {
      for (size_t end = 0; end < entry.word.size();) {
        decode_utf8(entry.word, &end);
        table_.emplace(entry.word.substr(0, end), std::numeric_limits<double>::quiet_NaN());
      }
      table_[entry.word] = std::log(std::max(static_cast<double>(entry.count), 0.5));
    }
    if (table_.empty()) throw Error(origin + ": expected words, found none");
    log_total_ = std::log(total);
  }

  /// Calls visit(end, ln P) for the words that begin with unit `begin`, ascending by length; the unit alone is one.
  template <typename Visit>
  void for_words(std::string_view chunk, const std::vector<size_t>& begins, size_t begin, const Visit& visit) const {
    for (size_t end = begin + 1; end < begins.size(); ++end) {
      const auto found = table_.find(chunk.substr(begins[begin], begins[end] - begins[begin]));
      const bool is_word = found != table_.end() && !std::isnan(found->second);
      if (is_word || end == begin + 1) visit(end, (is_word ? found->second : std::log(0.5)) - log_total_);
      if (found == table_.end()) return;
    }
  }

  void split_likeliest(std::string_view chunk, std::vector<std::string>* tokens) const {
    const std::vector<size_t> begins = unit_begins(chunk);
    std::vector<Step> best(begins.size());
    best[0].score = 0;
    for (size_t begin = 0; begin + 1 < begins.size(); ++begin)
      for_words(chunk, begins, begin, [&](size_t end, double log_probability) {
        const double score = best[begin].score + log_probability;
        if (score > best[end].score) best[end] = {score, begin};
      });
    const size_t first = tokens->size();
    for (size_t end = begins.size() - 1; end > 0; end = best[end].begin)
      tokens->emplace_back(chunk.substr(begins[best[end].begin], begins[end] - begins[best[end].begin]));
    std::reverse(tokens->begin() + static_cast<std::ptrdiff_t>(first), tokens->end());
  }

  void split_longest(std::string_view chunk, std::vector<std::string>* tokens) const {
    const std::vector<size_t> begins = unit_begins(chunk);
    for (size_t begin = 0, longest = 0; begin + 1 < begins.size(); begin = longest) {
      for_words(chunk, begins, begin, [&](size_t end, double) { longest = end; });
      tokens->emplace_back(chunk.substr(begins[begin], begins[longest] - begins[begin]));
    }
  }

  std::string blob_;
  WordPath path_ = WordPath::kLikeliest;
  bool lower_case_ = false;
  double log_total_ = 0;
  std::unordered_map<std::string_view, double> table_;  // ln count; views into blob_
};

}  // namespace

std::string make_word_list(std::string_view text, WordPath path, bool lower_case, const std::string& origin) {
  std::map<std::string, int64_t> words;
  bool has_counts = false;
  WordListReader reader(text, 1, origin);
  for (WordEntry entry; reader.next(&entry); has_counts = has_counts || entry.has_count) {
    int64_t& count = words[lower_case ? to_lower(entry.word) : std::string(entry.word)];
    count = std::min(count + entry.count, WordListReader::kMaxCount);
  }
  if (words.empty()) throw Error(origin + ": expected a word a line, found none");
  if (!has_counts && path == WordPath::kLikeliest)
    log_warning(origin + ": no word has a count, so all are as likely; the longest path may split better");
  std::string blob(kMagic);
  blob += kWordPathNames.name(path);
  if (lower_case) blob += kLowerCase;
  blob += '\n';
  for (const auto& [word, count] : words) blob += word + " " + std::to_string(count) + "\n";
  return blob;
}

bool looks_like_words(std::string_view blob) { return blob.substr(0, kMagic.size()) == kMagic; }

std::unique_ptr<TextTokenizer> make_word_tokenizer(std::string_view blob, const std::string& origin) {
  return std::make_unique<WordTokenizer>(blob, origin);
}

}  // namespace litenat::data
