// Myers' bit-vector algorithm (1999) in Hyyro's form for long patterns (2003): a column of the distance table is held
// as the bits of its vertical steps, 64 rows a word. The table is walked in stripes of 64 rows, each over the whole
// text; what a stripe hands to the next is the horizontal step under its last row at every column.
#include "eval/edit_distance.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace litenat::eval {
namespace {

constexpr size_t kStripe = 64;

/// For each character of up to 64, the rows at which it stands.
class RowMasks {
 public:
  explicit RowMasks(Span<const char32_t> rows) {
    for (size_t row = 0; row < rows.size(); ++row) {
      Entry& entry = entries_[slot_of(rows[row])];
      entry.character = rows[row];
      entry.mask |= uint64_t{1} << row;
    }
  }
  uint64_t of(char32_t character) const { return entries_[slot_of(character)].mask; }

 private:
  struct Entry {
    char32_t character = 0;
    uint64_t mask = 0;  // 0 = the entry is free
  };
  // Twice as many slots as characters, so a free one always ends the search.
  size_t slot_of(char32_t character) const {
    size_t slot = (character * 0x9E3779B1u >> 16) % entries_.size();
    while (entries_[slot].mask != 0 && entries_[slot].character != character) slot = (slot + 1) % entries_.size();
    return slot;
  }
  std::array<Entry, 2 * kStripe> entries_{};
};

/// Walks one stripe. `steps`: for every column the horizontal step (-1, 0, 1) above its first row, replaced by the one
/// of its last row. Returns the sum of the latter.
int64_t walk_stripe(Span<const char32_t> rows, Span<const char32_t> text, std::vector<signed char>* steps) {
  const RowMasks masks(rows);
  const unsigned last = static_cast<unsigned>(rows.size() - 1);
  uint64_t up = ~uint64_t{0};  // rows whose value is one more than that of the row above
  uint64_t down = 0;           // one less
  int64_t sum = 0;
  for (size_t column = 0; column < text.size(); ++column) {
    const int step = (*steps)[column];
    uint64_t equal = masks.of(text[column]);
    const uint64_t vertical = equal | down;
    if (step < 0) equal |= 1;
    const uint64_t horizontal = (((equal & up) + up) ^ up) | equal;
    uint64_t right_up = down | ~(horizontal | up);
    uint64_t right_down = up & horizontal;
    const int out = static_cast<int>(right_up >> last & 1) - static_cast<int>(right_down >> last & 1);
    (*steps)[column] = static_cast<signed char>(out);
    sum += out;
    right_up = right_up << 1 | (step > 0 ? 1 : 0);
    right_down = right_down << 1 | (step < 0 ? 1 : 0);
    up = right_down | ~(vertical | right_up);
    down = right_up & vertical;
  }
  return sum;
}

}  // namespace

int64_t edit_distance(Span<const char32_t> a, Span<const char32_t> b) {
  while (!a.empty() && !b.empty() && a[0] == b[0]) {
    a = a.subspan(1, a.size() - 1);
    b = b.subspan(1, b.size() - 1);
  }
  while (!a.empty() && !b.empty() && a[a.size() - 1] == b[b.size() - 1]) {
    a = a.subspan(0, a.size() - 1);
    b = b.subspan(0, b.size() - 1);
  }
  if (a.size() > b.size()) std::swap(a, b);
  if (a.empty()) return static_cast<int64_t>(b.size());
  std::vector<signed char> steps(b.size(), 1);
  int64_t sum = 0;
  for (size_t row = 0; row < a.size(); row += kStripe)
    sum = walk_stripe(a.subspan(row, std::min(kStripe, a.size() - row)), b, &steps);
  return static_cast<int64_t>(a.size()) + sum;
}

}  // namespace litenat::eval
