#include "eval/accuracy.h"

#include <algorithm>

#include "base/utf8.h"

namespace litenat::eval {
namespace {

/// The distance if it is at most `band`, else something above `band`: cells further than `band` from the diagonal
/// cannot lie on a path so short.
int64_t banded_distance(Span<const char32_t> a, Span<const char32_t> b, int64_t band) {
  const int64_t n = static_cast<int64_t>(a.size());
  const int64_t m = static_cast<int64_t>(b.size());
  const int64_t far = n + m + 1;
  std::vector<int64_t> row(static_cast<size_t>(m) + 1, far);
  for (int64_t j = 0; j <= std::min(m, band); ++j) row[static_cast<size_t>(j)] = j;
  for (int64_t i = 1; i <= n; ++i) {
    const int64_t first = std::max<int64_t>(1, i - band);
    const int64_t last = std::min(m, i + band);
    int64_t diagonal = row[static_cast<size_t>(first - 1)];
    row[static_cast<size_t>(first - 1)] = first == 1 && i <= band ? i : far;
    for (int64_t j = first; j <= last; ++j) {
      int64_t& cell = row[static_cast<size_t>(j)];
      const int64_t up = j == i + band ? far : cell;  // the row above ended one column earlier
      const bool same = a[static_cast<size_t>(i - 1)] == b[static_cast<size_t>(j - 1)];
      const int64_t best = std::min({diagonal + (same ? 0 : 1), up + 1, row[static_cast<size_t>(j - 1)] + 1});
      diagonal = cell;
      cell = best;
    }
  }
  return row[static_cast<size_t>(m)];
}

/// One hypothesis against one reference.
struct Comparison {
  int64_t length = 0;
  int64_t correct = 0;
  int64_t edits = 0;

  double share() const { return length == 0 ? (edits == 0 ? 1.0 : 0.0) : static_cast<double>(correct) / length; }
  bool better_than(const Comparison& other) const {
    return share() != other.share() ? share() > other.share() : edits < other.edits;
  }
};

Comparison compare(const std::vector<char32_t>& hypothesis, const std::vector<char32_t>& reference) {
  Comparison result;
  result.length = static_cast<int64_t>(reference.size());
  result.edits = edit_distance(hypothesis, reference);
  if (hypothesis.size() == reference.size()) {
    for (size_t i = 0; i < reference.size(); ++i) result.correct += hypothesis[i] == reference[i] ? 1 : 0;
  } else {
    result.correct = std::max<int64_t>(0, result.length - result.edits);
  }
  return result;
}

double ratio(int64_t part, int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

bool contains(const std::vector<std::string>& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

}  // namespace

int64_t edit_distance(Span<const char32_t> a, Span<const char32_t> b) {
  const int64_t longest = static_cast<int64_t>(std::max(a.size(), b.size()));
  const int64_t difference = longest - static_cast<int64_t>(std::min(a.size(), b.size()));
  for (int64_t band = std::max<int64_t>(8, difference);; band *= 2) {
    const int64_t distance = banded_distance(a, b, band);
    if (distance <= band || band >= longest) return distance;
  }
}

void AccuracyCounts::add(std::string_view hypothesis, const std::vector<std::string>& references) {
  const std::vector<char32_t> characters = to_code_points(hypothesis);
  Comparison best = compare(characters, to_code_points(references[0]));
  for (size_t i = 1; i < references.size(); ++i) {
    const Comparison other = compare(characters, to_code_points(references[i]));
    if (other.better_than(best)) best = other;
  }
  ++lines;
  const bool equal = contains(references, hypothesis);
  exact += equal ? 1 : 0;
  top_exact += equal ? 1 : 0;
  reference_characters += best.length;
  correct_characters += best.correct;
  edits += best.edits;
}

void AccuracyCounts::add_candidates(const std::vector<std::string>& candidates,
                                    const std::vector<std::string>& references) {
  const int64_t before = top_exact;
  add(candidates.empty() ? std::string_view() : std::string_view(candidates[0]), references);
  const bool any = std::any_of(candidates.begin(), candidates.end(),
                               [&](const std::string& candidate) { return contains(references, candidate); });
  top_exact = before + (any || top_exact > before ? 1 : 0);
}

void AccuracyCounts::merge(const AccuracyCounts& other) {
  lines += other.lines;
  exact += other.exact;
  top_exact += other.top_exact;
  reference_characters += other.reference_characters;
  correct_characters += other.correct_characters;
  edits += other.edits;
}

double AccuracyCounts::exact_accuracy() const { return ratio(exact, lines); }
double AccuracyCounts::top_accuracy() const { return ratio(top_exact, lines); }
double AccuracyCounts::character_accuracy() const { return ratio(correct_characters, reference_characters); }
double AccuracyCounts::character_error_rate() const { return ratio(edits, reference_characters); }

}  // namespace litenat::eval
