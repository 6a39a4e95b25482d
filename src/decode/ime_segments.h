// The parts of an input line, and lattices of the key runs among them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "decode/ime_decoder.h"
#include "decode/key_lattice.h"
#include "decode/lattice_search.h"

namespace litenat::decode {

/// A run of keys ([a-z']+ or [2-9']+, with a key that is no separator) or the text between runs.
struct LineSegment {
  std::string_view text;
  size_t offset = 0;  // in the line
  bool is_keys = false;
  std::vector<std::string_view> pieces;  // what is decoded at once; empty: other text, or a run that cannot be read
};
std::vector<LineSegment> split_line(std::string_view line);

/// Cuts a long run at places where its best reading begins a unit, so that time and memory stay linear. Empty when the
/// run cannot be read.
std::vector<std::string_view> split_run(std::string_view keys, const text::NgramModel* unit_model);
constexpr size_t kMaxPieceKeys = 256;

/// A chain: row i is unit i.
Lattice units_lattice(const Parse& parse);
/// Every reading of the keys; row i is key i. The score of an arc is ln P(its first key begins a unit and its others
/// do not) by the logits `boundary` (none: 0).
Lattice keys_lattice(std::string_view keys, Span<const float> boundary);

/// The `count` best combinations of one candidate of each list (each best first or not), by the sum of their scores.
std::vector<Candidate> join_candidates(std::vector<std::vector<Candidate>> lists, size_t count);

}  // namespace litenat::decode
