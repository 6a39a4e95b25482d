#include "eval/ter.h"

#include <algorithm>
#include <cmath>

#include "eval/tokenizer.h"

namespace litenat::eval {
namespace {

using Words = std::vector<int32_t>;

// Tercom's limits (the last one is sacreBLEU's); other values give other scores.
constexpr int64_t kMaxShiftLength = 10;
constexpr int64_t kMaxShiftDistance = 50;
constexpr int64_t kBeamWidth = 25;
constexpr int kMaxShiftCandidates = 1000;

constexpr int32_t kInfinite = 1 << 30;

/// What turns the reference into the hypothesis, looked at from either side.
struct Alignment {
  std::vector<int64_t> position;  // of each reference word: the hypothesis word it stands at, -1 = before the first
  std::vector<char> reference_wrong;
  std::vector<char> hypothesis_wrong;
};

/// The edit distance between hypotheses of one length and a reference, within a beam around the diagonal. Rows of the
/// hypothesis looked at last are kept: a shifted one differs from some row on.
class BeamTable {
 public:
  BeamTable(size_t hypothesis_length, const Words& reference);
  /// The distance of `words`, which becomes the base of distance_from and align.
  int64_t set_base(const Words& words);
  /// The distance of `words`, which equal the base but for words [first, last).
  int64_t distance_of(const Words& words, int64_t first, int64_t last);
  Alignment align(const Words& base) const;

 private:
  struct Row {
    int64_t first = 0;  // columns [first, last) are inside the beam
    int64_t last = 0;
    size_t offset = 0;  // of column `first` in the cells
  };

  bool differs_by(const Row& row, int32_t offset) const;
  void fill_row(const Words& words, int64_t i, std::vector<int32_t>* cells, bool from_base) const;
  int32_t cell(const std::vector<int32_t>& cells, int64_t i, int64_t j) const {
    const Row& row = rows_[static_cast<size_t>(i)];
    return j < row.first || j >= row.last ? kInfinite : cells[row.offset + static_cast<size_t>(j - row.first)];
  }

  const Words& reference_;
  int64_t hypothesis_length_;
  int64_t reference_length_;
  std::vector<Row> rows_;
  std::vector<int32_t> base_;
  std::vector<int32_t> scratch_;
};

BeamTable::BeamTable(size_t hypothesis_length, const Words& reference)
    : reference_(reference),
      hypothesis_length_(static_cast<int64_t>(hypothesis_length)),
      reference_length_(static_cast<int64_t>(reference.size())),
      rows_(hypothesis_length + 1) {
  const double ratio =
      hypothesis_length == 0 ? 1.0 : static_cast<double>(reference_length_) / static_cast<double>(hypothesis_length_);
  // Where the lengths differ very much, a wider beam lets neighbouring rows overlap.
  const int64_t beam = kBeamWidth < ratio / 2 ? static_cast<int64_t>(std::ceil(ratio / 2 + kBeamWidth)) : kBeamWidth;
  size_t num_cells = 0;
  for (int64_t i = 0; i <= hypothesis_length_; ++i) {
    Row& row = rows_[static_cast<size_t>(i)];
    const auto diagonal = static_cast<int64_t>(std::floor(static_cast<double>(i) * ratio));
    const bool whole = i == 0;
    row.first = whole ? 0 : std::max<int64_t>(0, diagonal - beam);
    row.last =
        whole || i == hypothesis_length_ ? reference_length_ + 1 : std::min(reference_length_ + 1, diagonal + beam);
    row.offset = num_cells;
    num_cells += static_cast<size_t>(row.last - row.first);
  }
  base_.resize(num_cells);
  scratch_.resize(num_cells);
  for (int64_t j = 0; j <= reference_length_; ++j) base_[static_cast<size_t>(j)] = static_cast<int32_t>(j);
}

void BeamTable::fill_row(const Words& words, int64_t i, std::vector<int32_t>* cells, bool from_base) const {
  const Row& row = rows_[static_cast<size_t>(i)];
  const Row& above_row = rows_[static_cast<size_t>(i - 1)];
  const std::vector<int32_t>& above_cells = from_base ? base_ : *cells;
  const int32_t* above = above_cells.data() + above_row.offset;
  const int32_t word = words[static_cast<size_t>(i - 1)];
  int32_t* out = cells->data() + row.offset;
  int32_t left = kInfinite;
  int32_t diagonal = row.first > 0 ? cell(above_cells, i - 1, row.first - 1) : kInfinite;
  for (int64_t j = row.first; j < row.last; ++j) {
    const int32_t up = j >= above_row.first && j < above_row.last ? above[j - above_row.first] : kInfinite;
    const int32_t substitution = j > 0 && word != reference_[static_cast<size_t>(j - 1)] ? 1 : 0;
    left = std::min({diagonal + substitution, up + 1, left + 1, kInfinite});
    out[j - row.first] = left;
    diagonal = up;
  }
}

int64_t BeamTable::set_base(const Words& words) {
  for (int64_t i = 1; i <= hypothesis_length_; ++i) fill_row(words, i, &base_, true);
  return cell(base_, hypothesis_length_, reference_length_);
}

int64_t BeamTable::distance_of(const Words& words, int64_t first, int64_t last) {
  const int64_t base_distance = cell(base_, hypothesis_length_, reference_length_);
  for (int64_t i = first + 1; i <= hypothesis_length_; ++i) {
    fill_row(words, i, &scratch_, i == first + 1);
    // Past the last changed word, a row that differs by a constant stays so to the end.
    const Row& row = rows_[static_cast<size_t>(i)];
    const int32_t offset = scratch_[row.offset] - base_[row.offset];
    if (i >= last && differs_by(row, offset)) return base_distance + offset;
  }
  return first >= hypothesis_length_ ? base_distance : cell(scratch_, hypothesis_length_, reference_length_);
}

bool BeamTable::differs_by(const Row& row, int32_t offset) const {
  const auto end = row.offset + static_cast<size_t>(row.last - row.first);
  for (size_t k = row.offset; k < end; ++k)
    if (scratch_[k] - base_[k] != offset) return false;
  return true;
}

// Among equally cheap operations, matching and substituting come first, then dropping a word of the hypothesis, then
// inserting one of the reference: the order decides which shifts are tried.
Alignment BeamTable::align(const Words& base) const {
  Alignment alignment;
  alignment.position.resize(static_cast<size_t>(reference_length_));
  alignment.reference_wrong.resize(static_cast<size_t>(reference_length_));
  alignment.hypothesis_wrong.resize(static_cast<size_t>(hypothesis_length_));
  int64_t i = hypothesis_length_;
  int64_t j = reference_length_;
  while (i > 0 || j > 0) {
    const bool both = i > 0 && j > 0;
    const bool wrong = both && base[static_cast<size_t>(i - 1)] != reference_[static_cast<size_t>(j - 1)];
    const int32_t here = cell(base_, i, j);
    if (both && here == cell(base_, i - 1, j - 1) + (wrong ? 1 : 0)) {
      --i, --j;
      alignment.position[static_cast<size_t>(j)] = i;
      alignment.reference_wrong[static_cast<size_t>(j)] = wrong ? 1 : 0;
      alignment.hypothesis_wrong[static_cast<size_t>(i)] = wrong ? 1 : 0;
    } else if (i > 0 && (j == 0 || here == cell(base_, i - 1, j) + 1)) {
      alignment.hypothesis_wrong[static_cast<size_t>(--i)] = 1;
    } else {
      alignment.position[static_cast<size_t>(--j)] = i - 1;
      alignment.reference_wrong[static_cast<size_t>(j)] = 1;
    }
  }
  return alignment;
}

/// A move of words [start, start + length) to before word `target` (counted with the moved words in place).
struct Shift {
  int64_t gain = 0;  // edits saved, not counting the shift itself
  int64_t length = 0;
  int64_t start = 0;
  int64_t target = 0;

  /// Tercom's ranking: more saved, then longer, then from further left, then to further left.
  bool better_than(const Shift& other) const {
    if (gain != other.gain) return gain > other.gain;
    if (length != other.length) return length > other.length;
    return start != other.start ? start < other.start : target < other.target;
  }
};

/// The end of the words that a shift changes the places of. A target inside the moved words moves them right by its
/// distance from their start.
int64_t changed_end(const Shift& shift, size_t num_words) {
  const int64_t end = shift.start + shift.length;
  if (shift.target < shift.start) return end;
  if (shift.target > end) return shift.target;
  return std::min(static_cast<int64_t>(num_words), shift.target + shift.length);
}

/// `words` shifted.
Words apply(const Shift& shift, Words words) {
  const auto begin = words.begin();
  const int64_t end = shift.start + shift.length;
  if (shift.target < shift.start) {
    std::rotate(begin + shift.target, begin + shift.start, begin + end);
  } else {
    std::rotate(begin + shift.start, begin + end, begin + changed_end(shift, words.size()));
  }
  return words;
}

bool any_wrong(const std::vector<char>& wrong, int64_t first, int64_t length) {
  return std::any_of(wrong.begin() + first, wrong.begin() + first + length, [](char w) { return w != 0; });
}

/// Looks for the shift that brings a hypothesis closest to the reference.
class ShiftSearch {
 public:
  ShiftSearch(const Words& hypothesis, const Words& reference)
      : words_(hypothesis), reference_(reference), table_(hypothesis.size(), reference) {}
  /// The number of shifts and remaining edits.
  int64_t run();

 private:
  /// The best shift of words_; false when none was tried.
  bool find_best(Shift* best);
  void try_pair(int64_t start, int64_t reference_start, int64_t length, Shift* best);
  void try_targets(Shift shift, int64_t reference_start, Shift* best);

  Words words_;
  const Words& reference_;
  BeamTable table_;
  Alignment alignment_;
  int64_t distance_ = 0;  // of words_
  int num_candidates_ = 0;
  bool found_ = false;
};

int64_t ShiftSearch::run() {
  int64_t shifts = 0;
  for (;;) {
    distance_ = table_.set_base(words_);
    Shift best;
    // At the limit the best shift found so far is not made any more: sacreBLEU does so.
    if (distance_ == 0 || !find_best(&best) || num_candidates_ >= kMaxShiftCandidates || best.gain <= 0)
      return shifts + distance_;
    words_ = apply(best, std::move(words_));
    ++shifts;
  }
}

bool ShiftSearch::find_best(Shift* best) {
  alignment_ = table_.align(words_);
  found_ = false;
  const auto num_words = static_cast<int64_t>(words_.size());
  const auto num_reference = static_cast<int64_t>(reference_.size());
  for (int64_t start = 0; start < num_words; ++start) {
    const int64_t last = std::min(num_reference, start + kMaxShiftDistance + 1);
    for (int64_t r = std::max<int64_t>(0, start - kMaxShiftDistance); r < last; ++r) {
      const int64_t longest = std::min({kMaxShiftLength, num_words - start, num_reference - r});
      for (int64_t k = 0; k < longest; ++k) {
        if (words_[static_cast<size_t>(start + k)] != reference_[static_cast<size_t>(r + k)]) break;
        try_pair(start, r, k + 1, best);
        if (num_candidates_ >= kMaxShiftCandidates) return found_;
      }
    }
  }
  return found_;
}

void ShiftSearch::try_pair(int64_t start, int64_t reference_start, int64_t length, Shift* best) {
  // Both the words and the place they would go to must be wrong now, and the place outside the words.
  if (!any_wrong(alignment_.hypothesis_wrong, start, length)) return;
  if (!any_wrong(alignment_.reference_wrong, reference_start, length)) return;
  const int64_t position = alignment_.position[static_cast<size_t>(reference_start)];
  if (start <= position && position < start + length) return;
  Shift shift;
  shift.start = start;
  shift.length = length;
  try_targets(shift, reference_start, best);
}

void ShiftSearch::try_targets(Shift shift, int64_t reference_start, Shift* best) {
  int64_t previous = -1;
  for (int64_t offset = -1; offset < shift.length; ++offset) {
    const int64_t r = reference_start + offset;
    shift.target = r == -1 ? 0 : alignment_.position[static_cast<size_t>(r)] + 1;
    if (shift.target == previous) continue;
    previous = shift.target;
    shift.gain = distance_ - table_.distance_of(apply(shift, words_), std::min(shift.start, shift.target),
                                                changed_end(shift, words_.size()));
    ++num_candidates_;
    if (!found_ || shift.better_than(*best)) *best = shift;
    found_ = true;
  }
}

}  // namespace

int64_t translation_edits(const std::vector<int32_t>& hypothesis, const std::vector<int32_t>& reference) {
  if (reference.empty()) return static_cast<int64_t>(hypothesis.size());
  return ShiftSearch(hypothesis, reference).run();
}

void TerMetric::collect(std::string_view hypothesis, const std::vector<std::string>& references,
                        double* statistics) const {
  TokenTexts texts;
  texts.add_separated(tercom_tokenize(hypothesis, options_));
  for (const std::string& reference : references) texts.add_separated(tercom_tokenize(reference, options_));
  const TokenSequences words = texts.numbers();
  int64_t fewest = translation_edits(words[0], words[1]);
  int64_t length = static_cast<int64_t>(words[1].size());
  for (size_t s = 2; s < words.size(); ++s) {
    fewest = std::min(fewest, translation_edits(words[0], words[s]));
    length += static_cast<int64_t>(words[s].size());
  }
  statistics[0] = static_cast<double>(fewest);
  statistics[1] = static_cast<double>(length) / static_cast<double>(references.size());
}

double TerMetric::score(Span<const double> totals) const {
  if (totals[1] > 0) return 100.0 * (totals[0] / totals[1]);
  return totals[0] > 0 ? 100.0 : 0.0;
}

std::string TerMetric::signature_fields() const {
  const auto yes_no = [](bool value) { return value ? "yes" : "no"; };
  return std::string("case:") + (options_.case_sensitive ? "mixed" : "lc") +
         "|tok:tercom|norm:" + yes_no(options_.normalized) + "|punct:" + yes_no(!options_.no_punct) +
         "|asian:" + yes_no(options_.asian_support);
}

}  // namespace litenat::eval
