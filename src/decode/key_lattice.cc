#include "decode/key_lattice.h"

#include <algorithm>

namespace litenat::decode {
namespace {

constexpr int kLongestUnit = 6;  // "zhuang", "shuang", "chuang"
constexpr char kSeparator = '\'';

// Without a unit n-gram a reading of fewer, complete syllables is the better one; the syllables of a single key or
// without a vowel ("m", "ng") are interjections, and an initial is likelier.
constexpr float kFullUnitScore = -1.0F;
constexpr float kVowelScore = -1.5F;
constexpr float kInitialUnitScore = -2.5F;
constexpr float kInterjectionScore = -3.0F;

bool has_vowel(text::SyllableId syllable) {
  return text::syllable_name(syllable).find_first_of("aeiouv") != std::string_view::npos;
}

float default_score(text::UnitId unit) {
  const text::UnitKind kind = text::unit_kind(unit);
  if (kind != text::UnitKind::kFull && kind != text::UnitKind::kDigitsFull) return kInitialUnitScore;
  const auto syllables = text::unit_syllables(unit);
  if (std::none_of(syllables.begin(), syllables.end(), has_vowel)) return kInterjectionScore;
  if (text::unit_name(unit).size() > 1) return kFullUnitScore;
  return kind == text::UnitKind::kFull ? kVowelScore : kInterjectionScore;
}

void append_spans(std::string_view keys, size_t begin, std::vector<UnitSpan>* out) {
  for (size_t length = 1; length <= kLongestUnit && begin + length <= keys.size(); ++length) {
    if (keys[begin + length - 1] == kSeparator) return;
    for (const text::UnitId unit : text::find_units(keys.substr(begin, length))) {
      out->push_back({static_cast<int32_t>(begin), static_cast<int32_t>(begin + length), unit});
    }
  }
}

// A beam search over the places of the run; every hypothesis is another sequence of units.
class Parser {
 public:
  Parser(std::string_view keys, const text::NgramModel* model, const ParseOptions& options)
      : keys_(keys),
        model_(model),
        beam_(static_cast<size_t>(std::max({options.beam, options.num_parses, 1}))),
        num_parses_(static_cast<size_t>(std::max(options.num_parses, 0))),
        open_(keys.size() + 1),
        first_(keys.size() + 1) {}

  std::vector<Parse> run() {
    Node start;
    if (model_ != nullptr) start.state = model_->begin_sentence();
    open_[next_place(keys_, 0)].push_back(start);
    std::vector<UnitSpan> spans;
    for (size_t place = 0; place < keys_.size(); ++place) {
      if (open_[place].empty()) continue;
      close(place);
      spans.clear();
      append_spans(keys_, place, &spans);
      for (const UnitSpan& span : spans) extend(place, span);
    }
    return collect();
  }

  // The first place from `place` on that is no separator.
  static size_t next_place(std::string_view keys, size_t place) {
    while (place < keys.size() && keys[place] == kSeparator) ++place;
    return place;
  }

 private:
  struct Node {
    float score = 0;
    int32_t previous = -1;  // in closed_
    UnitSpan span{0, 0, text::kNoUnit};
    text::NgramModel::State state;
  };

  static bool better(const Node& a, const Node& b) {
    if (a.score != b.score) return a.score > b.score;
    return a.previous != b.previous ? a.previous < b.previous : a.span.unit < b.span.unit;
  }

  // Keeps the best hypotheses of a place for good.
  void close(size_t place) {
    auto& nodes = open_[place];
    const size_t kept = std::min(beam_, nodes.size());
    std::partial_sort(nodes.begin(), nodes.begin() + static_cast<std::ptrdiff_t>(kept), nodes.end(), better);
    first_[place] = closed_.size();
    closed_.insert(closed_.end(), nodes.begin(), nodes.begin() + static_cast<std::ptrdiff_t>(kept));
    std::vector<Node>().swap(nodes);
  }

  void extend(size_t place, const UnitSpan& span) {
    // Places are closed in order: while a place is extended, its hypotheses are the last ones.
    const size_t end = closed_.size();
    auto& target = open_[next_place(keys_, static_cast<size_t>(span.end))];
    for (size_t i = first_[place]; i < end; ++i) {
      Node node;
      node.previous = static_cast<int32_t>(i);
      node.span = span;
      const float step = model_ == nullptr
                             ? default_score(span.unit)
                             : model_->score(closed_[i].state, static_cast<uint32_t>(span.unit), &node.state);
      node.score = closed_[i].score + step;
      target.push_back(node);
    }
  }

  std::vector<Parse> collect() {
    auto& last = open_[keys_.size()];
    for (Node& node : last) {
      if (model_ != nullptr) node.score += model_->score_end(node.state);
    }
    std::sort(last.begin(), last.end(), better);
    std::vector<Parse> parses;
    for (const Node& node : last) {
      if (parses.size() == num_parses_ || node.previous < 0) break;
      parses.push_back(backtrace(node));
    }
    return parses;
  }

  Parse backtrace(const Node& last) const {
    Parse parse;
    parse.score = last.score;
    for (const Node* node = &last; node->previous >= 0; node = &closed_[static_cast<size_t>(node->previous)]) {
      parse.units.push_back(node->span);
    }
    std::reverse(parse.units.begin(), parse.units.end());
    return parse;
  }

  std::string_view keys_;
  const text::NgramModel* model_;
  size_t beam_;
  size_t num_parses_;
  std::vector<std::vector<Node>> open_;  // by place
  std::vector<size_t> first_;            // by place: its first hypothesis in closed_
  std::vector<Node> closed_;
};

}  // namespace

bool is_key(char c) { return (c >= 'a' && c <= 'z') || (c >= '2' && c <= '9') || c == kSeparator; }

std::vector<UnitSpan> all_unit_spans(std::string_view keys) {
  std::vector<UnitSpan> result;
  for (size_t begin = 0; begin < keys.size(); ++begin) append_spans(keys, begin, &result);
  return result;
}

std::vector<Parse> best_parses(std::string_view keys, const text::NgramModel* unit_model, const ParseOptions& options) {
  return Parser(keys, unit_model, options).run();
}

}  // namespace litenat::decode
