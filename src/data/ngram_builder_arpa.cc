// Reading ARPA models.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "data/ngram_builder.h"

namespace litenat::data {
namespace {

using Key = NgramCounter::Key;
constexpr double kLn10 = 2.302585092994045684;
constexpr uint32_t kNone = UINT32_MAX;

struct Line {
  Key key;
  double log_probability;
  double log_backoff;
};

class ArpaReader {
 public:
  ArpaReader(std::string_view text, const std::string& name, uint32_t vocabulary,
             const std::function<uint32_t(std::string_view)>& find_word)
      : text_(text), name_(name), vocabulary_(vocabulary), find_word_(find_word) {}

  BackoffModel read() {
    read_counts();
    std::vector<std::vector<Line>> levels(static_cast<size_t>(order_));
    for (int k = 1; k <= order_; ++k) read_section(k, &levels[static_cast<size_t>(k) - 1]);
    BackoffModel model;
    model.vocabulary = vocabulary_;
    model.levels.resize(levels.size());
    place_unigrams(levels[0], &model);
    std::vector<Key> parents;
    for (size_t k = 1; k < levels.size(); ++k) place_level(k, &levels[k], &parents, &model);
    model.link();
    return model;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(name_ + ":" + std::to_string(line_number_) + ": " + what);
  }

  bool next_line(std::string_view* line) {
    if (position_ >= text_.size()) return false;
    size_t end = text_.find('\n', position_);
    if (end == std::string_view::npos) end = text_.size();
    *line = text_.substr(position_, end - position_);
    if (!line->empty() && line->back() == '\r') line->remove_suffix(1);
    position_ = end + 1;
    ++line_number_;
    return true;
  }

  // The next field of a line, which it is taken from; fields are separated by blanks and tabs.
  static std::string_view take_field(std::string_view* line) {
    const size_t begin = line->find_first_not_of(" \t");
    if (begin == std::string_view::npos) {
      *line = {};
      return {};
    }
    const size_t end = std::min(line->find_first_of(" \t", begin), line->size());
    const std::string_view field = line->substr(begin, end - begin);
    *line = line->substr(end);
    return field;
  }

  double parse_number(std::string_view field) const {
    double value = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
    if (error != std::errc() || end != field.data() + field.size() || !std::isfinite(value)) {
      fail("\"" + std::string(field.substr(0, 40)) + "\" is no finite number");
    }
    return value;
  }

  // From \data\ to the first section's title.
  void read_counts() {
    std::string_view line;
    while (next_line(&line) && line != "\\data\\") {
    }
    if (line != "\\data\\") fail("no ARPA model: no line \\data\\");
    while (next_line(&line)) {
      if (line.substr(0, 6) == "ngram ") {
        ++order_;
      } else if (!line.empty()) {
        break;
      }
    }
    if (order_ < 1 || order_ > NgramCounter::kMaxOrder) {
      fail("an ARPA model of order " + std::to_string(order_) + ", expected 1 to " +
           std::to_string(NgramCounter::kMaxOrder));
    }
    title_ = line;
  }

  void read_section(int length, std::vector<Line>* lines) {
    const std::string expected = "\\" + std::to_string(length) + "-grams:";
    if (title_ != expected) fail("expected " + expected + ", found \"" + std::string(title_.substr(0, 40)) + "\"");
    std::string_view line;
    title_ = {};
    while (next_line(&line)) {
      if (line.empty()) continue;
      if (line[0] == '\\') {
        title_ = line;
        break;
      }
      read_ngram(line, length, lines);
    }
    if (title_.empty()) fail("the model is cut: no \\end\\");
  }

  void read_ngram(std::string_view line, int length, std::vector<Line>* lines) {
    Line result{{}, parse_number(take_field(&line)) * kLn10, 0};
    bool is_known = true;
    for (int i = 0; i < length; ++i) {
      const std::string_view word = take_field(&line);
      if (word.empty()) fail("expected " + std::to_string(length) + " words, found " + std::to_string(i));
      const uint32_t id = find(word);
      is_known &= id != kNone;
      result.key[static_cast<size_t>(i)] = id;
      if (length == 1 && (word == "<unk>" || word == "<UNK>")) log_unknown_ = result.log_probability;
    }
    const std::string_view backoff = take_field(&line);
    if (!backoff.empty()) result.log_backoff = parse_number(backoff) * kLn10;
    if (!take_field(&line).empty()) fail("more than a back-off weight behind the words");
    if (is_known) lines->push_back(result);
  }

  uint32_t find(std::string_view word) const {
    if (word == "<s>") return vocabulary_;
    if (word == "</s>") return vocabulary_ + 1;
    const uint32_t id = find_word_(word);
    return id < vocabulary_ ? id : kNone;
  }

  void place_unigrams(const std::vector<Line>& lines, BackoffModel* model) const {
    double smallest = 0;
    for (const Line& line : lines) {
      if (line.key[0] != vocabulary_) smallest = std::min(smallest, line.log_probability);
    }
    model->log_unknown = std::min(0.0, log_unknown_ <= 0 ? log_unknown_ : smallest);
    auto& level = model->levels[0];
    for (uint32_t id = 0; id <= vocabulary_ + 1; ++id) level.ids.push_back(id);
    level.log_probability.assign(level.ids.size(), model->log_unknown);
    if (order_ > 1) level.log_backoff.assign(level.ids.size(), 0);
    for (const Line& line : lines) {
      // The start's own probability (usually -99) is never asked for and would only widen the table of codes.
      if (line.key[0] != vocabulary_) level.log_probability[line.key[0]] = line.log_probability;
      if (order_ > 1) level.log_backoff[line.key[0]] = line.log_backoff;
    }
  }

  // N-grams whose context is not in the model cannot be reached and are left out; of repeated ones the first stays.
  void place_level(size_t k, std::vector<Line>* lines, std::vector<Key>* parents, BackoffModel* model) const {
    std::stable_sort(lines->begin(), lines->end(), [](const Line& a, const Line& b) { return a.key < b.key; });
    auto& level = model->levels[k];
    auto& above = model->levels[k - 1];
    above.children.assign(above.ids.size() + 1, 0);
    std::vector<Key> keys;
    for (const Line& line : *lines) {
      if (!keys.empty() && keys.back() == line.key) continue;
      Key context = line.key;
      context[k] = 0;
      size_t parent = line.key[0];
      if (k > 1) {
        const auto found = std::lower_bound(parents->begin(), parents->end(), context);
        if (found == parents->end() || *found != context) continue;
        parent = static_cast<size_t>(found - parents->begin());
      }
      ++above.children[parent + 1];
      keys.push_back(line.key);
      level.ids.push_back(line.key[k]);
      level.log_probability.push_back(line.log_probability);
      if (k + 1 < model->levels.size()) level.log_backoff.push_back(line.log_backoff);
    }
    for (size_t i = 1; i < above.children.size(); ++i) above.children[i] += above.children[i - 1];
    *parents = std::move(keys);
  }

  std::string_view text_;
  std::string name_;
  uint32_t vocabulary_;
  const std::function<uint32_t(std::string_view)>& find_word_;
  size_t position_ = 0;
  int64_t line_number_ = 0;
  int order_ = 0;
  double log_unknown_ = 1;  // above 0: not given
  std::string_view title_;
};

}  // namespace

BackoffModel read_arpa(std::string_view text, const std::string& name, uint32_t vocabulary,
                       const std::function<uint32_t(std::string_view)>& find_word) {
  return ArpaReader(text, name, vocabulary, find_word).read();
}

}  // namespace litenat::data
