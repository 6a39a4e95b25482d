// Reading word lists, and merging their readings with those of a text.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/utf8.h"
#include "data/resources.h"

namespace litenat::data {
namespace {

using text::LexiconEntry;
using text::SyllableId;

// How many occurrences in a text a word list's opinion of a character's readings is worth.
constexpr double kListCount = 5;
// Relative weight of a reading that a character has in longer words only.
constexpr double kWordOnlyWeight = 1e-3;

std::vector<std::string_view> split_fields(std::string_view line) {
  std::vector<std::string_view> fields;
  for (size_t begin = 0; begin < line.size();) {
    const size_t end = std::min(line.find_first_of("\t '", begin), line.size());
    if (end > begin) fields.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  return fields;
}

bool is_number(std::string_view field) {
  return (field[0] >= '0' && field[0] <= '9') || field[0] == '-' || field[0] == '.';
}

class WordListReader {
 public:
  WordListReader(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  WordListReport read(std::vector<LexiconEntry>* entries) {
    const size_t first = entries->size();
    const bool is_rime = has_header();
    bool is_body = !is_rime;
    for (std::string_view line; next_line(&line);) {
      if (!is_body) {
        is_body = line == "...";
      } else if (!line.empty() && line[0] != '#') {
        read_row(line, entries);
      }
    }
    if (has_logarithms_) {
      for (size_t i = first; i < entries->size(); ++i) (*entries)[i].weight = std::pow(10.0, (*entries)[i].weight);
    }
    return report_;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(name_ + ":" + std::to_string(line_number_) + ": " + what);
  }

  bool has_header() const {
    return text_.find("\n...\n") != std::string_view::npos || text_.find("\n...\r\n") != std::string_view::npos;
  }

  bool next_line(std::string_view* line) {
    if (position_ >= text_.size()) return false;
    const size_t end = std::min(text_.find('\n', position_), text_.size());
    *line = text_.substr(position_, end - position_);
    if (!line->empty() && line->back() == '\r') line->remove_suffix(1);
    position_ = end + 1;
    ++line_number_;
    return true;
  }

  void read_row(std::string_view line, std::vector<LexiconEntry>* entries) {
    auto fields = split_fields(line);
    if (fields.empty()) return;
    ++report_.rows;
    LexiconEntry entry;
    entry.word = fields[0];
    entry.weight = 0;
    if (fields.size() > 1 && is_number(fields.back())) {
      entry.weight = parse_weight(fields.back());
      fields.pop_back();
    }
    for (size_t i = 1; i < fields.size(); ++i) entry.syllables.push_back(text::find_syllable(fields[i]));
    if (is_good(entry)) {
      entries->push_back(std::move(entry));
    } else {
      ++report_.skipped;
    }
  }

  double parse_weight(std::string_view field) {
    if (field.back() == '%') field.remove_suffix(1);
    double weight = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), weight);
    if (error != std::errc() || end != field.data() + field.size() || !std::isfinite(weight)) {
      fail("\"" + std::string(field.substr(0, 40)) + "\" is no weight");
    }
    has_logarithms_ |= weight < 0;
    return weight;
  }

  bool is_good(const LexiconEntry& entry) const {
    size_t length = 0;
    for (size_t i = 0; i < entry.word.size(); ++length) {
      bool valid = false;
      const char32_t c = decode_utf8(entry.word, &i, &valid);
      if (!valid) fail("broken UTF-8");
      if (!is_hanzi(c)) return false;
    }
    const auto& syllables = entry.syllables;
    return length == syllables.size() &&
           std::find(syllables.begin(), syllables.end(), text::kNoSyllable) == syllables.end();
  }

  std::string_view text_;
  const std::string& name_;
  size_t position_ = 0;
  int64_t line_number_ = 0;
  bool has_logarithms_ = false;
  WordListReport report_;
};

// What is known about the readings of one character.
struct CharacterReadings {
  std::map<SyllableId, double> listed;  // weights of the lists
  std::map<SyllableId, double> seen;    // counts of the text

  static double total(const std::map<SyllableId, double>& readings) {
    double sum = 0;
    for (const auto& [syllable, weight] : readings) sum += weight;
    return sum;
  }

  void append_entries(const std::string& character, std::vector<LexiconEntry>* entries) const {
    const double listed_total = total(listed);
    const double seen_total = total(seen);
    std::map<SyllableId, double> shares;
    for (const auto& [syllable, weight] : listed) {
      const double share = listed_total > 0 ? weight / listed_total : 1.0 / static_cast<double>(listed.size());
      shares[syllable] += kListCount * share;
    }
    for (const auto& [syllable, count] : seen) shares[syllable] += count;
    const double share_total = total(shares);
    for (const auto& [syllable, share] : shares) {
      entries->push_back({character, {syllable}, std::max(listed_total, seen_total) * share / share_total});
    }
  }
};

}  // namespace

WordListReport read_word_list(std::string_view text, const std::string& name, std::vector<LexiconEntry>* entries) {
  return WordListReader(text, name).read(entries);
}

std::vector<LexiconEntry> merge_readings(const std::vector<LexiconEntry>& entries, const AnnotatedText& text,
                                         const text::Dictionary& targets) {
  std::vector<CharacterReadings> readings(static_cast<size_t>(targets.size()));
  std::vector<LexiconEntry> result;
  for (const LexiconEntry& entry : entries) {
    const auto characters = split_characters(entry.word);
    for (size_t i = 0; i < characters.size(); ++i) {
      const int32_t target = targets.find(characters[i]);
      if (target < text::kNumSpecials) continue;
      const double weight = entry.weight * (characters.size() == 1 ? 1 : kWordOnlyWeight);
      readings[static_cast<size_t>(target)].listed[entry.syllables[i]] += weight;
    }
    if (characters.size() > 1) result.push_back(entry);
  }
  for (size_t i = 0; i < text.characters.size(); ++i) {
    if (text.characters[i] < text::kNumSpecials) continue;
    readings[static_cast<size_t>(text.characters[i])].seen[text.syllables[i]] += 1;
  }
  for (int32_t target = text::kNumSpecials; target < targets.size(); ++target) {
    readings[static_cast<size_t>(target)].append_entries(targets.token(target), &result);
  }
  return result;
}

}  // namespace litenat::data
