#include "decode/ime_segments.h"

#include <algorithm>
#include <cmath>
#include <queue>

namespace litenat::decode {
namespace {

enum class KeyClass { kNone, kLetter, kDigit, kSeparator };

KeyClass class_of(char c) {
  if (!is_key(c)) return KeyClass::kNone;
  if (c == '\'') return KeyClass::kSeparator;
  return c >= 'a' ? KeyClass::kLetter : KeyClass::kDigit;
}

// Combinations kept while lists are joined, over the whole line: bounds the memory of lines of very many runs.
constexpr size_t kMaxCombinations = size_t{1} << 20;

float log_sigmoid(float x) { return x >= 0 ? -std::log1p(std::exp(-x)) : x - std::log1p(std::exp(x)); }

}  // namespace

std::vector<LineSegment> split_line(std::string_view line) {
  std::vector<LineSegment> segments;
  for (size_t begin = 0, end = 0; begin < line.size(); begin = end) {
    const bool is_keys = is_key(line[begin]);
    KeyClass kind = KeyClass::kSeparator;  // of the run, once a key tells
    for (end = begin; end < line.size() && is_key(line[end]) == is_keys; ++end) {
      const KeyClass next = class_of(line[end]);
      if (next == KeyClass::kSeparator || next == kind || next == KeyClass::kNone) continue;
      if (kind != KeyClass::kSeparator) break;
      kind = next;
    }
    segments.push_back({line.substr(begin, end - begin), begin, is_keys && kind != KeyClass::kSeparator, {}});
  }
  return segments;
}

std::vector<std::string_view> split_run(std::string_view keys, const text::NgramModel* unit_model) {
  constexpr size_t kUnitKeys = 6;
  ParseOptions options;
  options.num_parses = 1;
  std::vector<std::string_view> pieces;
  while (keys.size() > kMaxPieceKeys) {
    size_t cut = 0;
    // A piece that ends inside a syllable is misread there, or cannot be read and is shortened. The cut is made further
    // back, where the reading is no longer in doubt.
    for (size_t size = kMaxPieceKeys; cut == 0 && size + kUnitKeys > kMaxPieceKeys; --size) {
      const auto parses = best_parses(keys.substr(0, size), unit_model, options);
      if (parses.empty()) continue;
      for (const UnitSpan& span : parses[0].units) {
        const auto begin = static_cast<size_t>(span.begin);
        if (begin + 2 * kUnitKeys <= size) cut = begin;
      }
    }
    if (cut == 0) return {};
    pieces.push_back(keys.substr(0, cut));
    keys.remove_prefix(cut);
  }
  pieces.push_back(keys);
  return pieces;
}

Lattice units_lattice(const Parse& parse) {
  Lattice lattice;
  for (const UnitSpan& span : parse.units) {
    const auto i = static_cast<int32_t>(lattice.arcs.size());
    lattice.arcs.push_back({i, i + 1, i, span.unit, 0});
  }
  lattice.num_nodes = static_cast<int32_t>(lattice.arcs.size()) + 1;
  return lattice;
}

Lattice keys_lattice(std::string_view keys, Span<const float> boundary) {
  Lattice lattice;
  lattice.num_nodes = static_cast<int32_t>(keys.size()) + 1;
  const auto skip = [&](int32_t place) {
    while (static_cast<size_t>(place) < keys.size() && keys[static_cast<size_t>(place)] == '\'') ++place;
    return place;
  };
  const int32_t start = skip(0);
  for (const UnitSpan& span : all_unit_spans(keys)) {
    Arc arc{span.begin == start ? 0 : span.begin, skip(span.end), span.begin, span.unit, 0};
    if (!boundary.empty()) {
      arc.score = log_sigmoid(boundary[static_cast<size_t>(span.begin)]);
      for (int32_t k = span.begin + 1; k < span.end; ++k) arc.score += log_sigmoid(-boundary[static_cast<size_t>(k)]);
    }
    lattice.arcs.push_back(arc);
  }
  return lattice;
}

namespace {

// A choice from the lists so far.
struct Combination {
  double score;
  uint32_t previous;
  uint32_t choice;
};

// The `count` best sums of an element of `prefixes` and one of `list`, both best first.
std::vector<Combination> combine(const std::vector<Combination>& prefixes, const std::vector<Candidate>& list,
                                 size_t count) {
  struct Item {
    double score;
    uint32_t prefix;
    uint32_t choice;
    bool operator<(const Item& o) const {
      if (score != o.score) return score < o.score;
      return prefix != o.prefix ? prefix > o.prefix : choice > o.choice;
    }
  };
  const auto item = [&](uint32_t p, uint32_t c) { return Item{prefixes[p].score + list[c].score, p, c}; };
  std::priority_queue<Item> queue;
  queue.push(item(0, 0));
  std::vector<Combination> result;
  while (!queue.empty() && result.size() < count) {
    const Item best = queue.top();
    queue.pop();
    result.push_back({best.score, best.prefix, best.choice});
    if (best.choice + 1 < list.size()) queue.push(item(best.prefix, best.choice + 1));
    if (best.choice == 0 && best.prefix + 1 < prefixes.size()) queue.push(item(best.prefix + 1, 0));
  }
  return result;
}

std::string spell(const std::vector<std::vector<Candidate>>& lists, const std::vector<std::vector<Combination>>& chain,
                  size_t last) {
  std::vector<uint32_t> choices(lists.size());
  auto at = static_cast<uint32_t>(last);
  for (size_t i = lists.size(); i-- > 0; at = chain[i][at].previous) choices[i] = chain[i][at].choice;
  std::string text;
  for (size_t i = 0; i < lists.size(); ++i) text += lists[i][choices[i]].text;
  return text;
}

}  // namespace

std::vector<Candidate> join_candidates(std::vector<std::vector<Candidate>> lists, size_t count) {
  const size_t kept = std::min(count, std::max(size_t{1}, kMaxCombinations / std::max(lists.size(), size_t{1})));
  std::vector<std::vector<Combination>> chain;
  std::vector<Combination> best = {{0, 0, 0}};
  for (auto& list : lists) {
    std::stable_sort(list.begin(), list.end(),
                     [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
    best = combine(best, list, kept);
    chain.push_back(best);
  }
  std::vector<Candidate> result;
  for (size_t i = 0; i < best.size(); ++i) {
    Candidate candidate{spell(lists, chain, i), static_cast<float>(best[i].score)};
    const auto same = [&](const Candidate& other) { return other.text == candidate.text; };
    if (std::none_of(result.begin(), result.end(), same)) result.push_back(std::move(candidate));
  }
  return result;
}

}  // namespace litenat::decode
