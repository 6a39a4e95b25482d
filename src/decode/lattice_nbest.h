// The states that a lattice search kept, and the best paths through them.
#pragma once

#include <cstdint>
#include <vector>

#include "decode/lattice_search.h"

namespace litenat::decode {

/// One way into a state: over the arcs of paths[path], as `word` (kNoWord: a character without a word).
struct Incoming {
  int32_t state = -1;  // -1: the start has no past
  uint32_t path = 0;
  text::WordId word = text::kNoWord;
  int32_t character = 0;  // when the path has one arc
  double step = 0;        // what it adds to the score
};

/// Hypotheses with the same future, merged. `score` is that of the best of them.
struct SearchState {
  double score = 0;
  text::NgramModel::State words;
  int32_t last_character = -1;
  size_t first = 0;  // incoming[first .. last), best first
  size_t last = 0;
};

struct SearchGraph {
  std::vector<SearchState> states;  // states[0] is the start; a state's past lies before it
  std::vector<Incoming> incoming;
  std::vector<std::vector<int32_t>> paths;  // arcs
};

/// The best `count` different character sequences that end in the states from `begin` on; ends[i] is added to the
/// score of state begin + i.
std::vector<LatticeHypothesis> best_hypotheses(const SearchGraph& graph, size_t begin, const std::vector<double>& ends,
                                               const text::Lexicon& lexicon, size_t count);

}  // namespace litenat::decode
