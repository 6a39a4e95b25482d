// The search for the best hanzi sequences over a lattice of legal segments, fusing the tagger's scores with
// word edges of the lexicon and a word n-gram.
//
//   score(w_1 .. w_n) = sum over characters [ log p(h | row) + transition(previous h, h) ]
//                     + sum over arcs arc.score
//                     + lambda * sum over words [ ln P(w | previous words) + ln P(reading | w) ] - gamma * n
//                     + lambda * ln P(end | last words)        (options.sentence_end)
//
// P(reading | w) is the lexicon's; of the readings that the keys allow, the commonest counts. Every character is an
// edge by itself (a one-character word, by the n-gram's unknown probability when it has none), so any legal hanzi
// sequence can be found. Over abstract scores; no model is known here.
#pragma once

#include <cstdint>
#include <vector>

#include "base/span.h"
#include "base/status.h"
#include "text/lexicon.h"
#include "text/ngram_model.h"

namespace litenat::decode {

/// One hanzi typed by the keys between two nodes. `row` is the row of the scores that speaks of it.
struct Arc {
  int32_t from;
  int32_t to;  // > from
  int32_t row;
  text::UnitId unit;
  float score;  // of the segmentation itself, e.g. ln P(boundaries)
};

/// Nodes 0 (start) .. num_nodes - 1 (end); arcs ascending by `from`.
struct Lattice {
  int32_t num_nodes = 0;
  std::vector<Arc> arcs;
};

/// Log-probabilities of hanzi at rows, normalised over the arc's candidates.
class CharacterScorer {
 public:
  virtual ~CharacterScorer() = default;
  /// out[i] = log p(candidates[i] | row), for all candidates of the arc's unit.
  virtual void score(int32_t row, text::UnitId unit, Span<const int32_t> candidates, float* out) const = 0;
  /// CRF transition from one hanzi to the next; 0 without a CRF.
  virtual float transition(int32_t previous, int32_t next) const {
    (void)previous;
    (void)next;
    return 0;
  }
  virtual bool has_transitions() const { return false; }
};

struct SearchOptions {
  int beam = 8;  // hypotheses kept at each node
  int num_best = 1;
  float word_weight = 0.8f;     // lambda
  float word_penalty = 0.5f;    // gamma
  int characters_per_arc = 32;  // best candidates of an arc that are tried as single characters
  int words_per_span = 64;      // best words tried from a node over a given run of arcs
  bool sentence_end = true;     // the word n-gram scores the end of the sentence too
  bool constrained = true;      // only characters that the arc's unit allows; else every target id
};

struct LatticeHypothesis {
  std::vector<int32_t> characters;  // target ids
  std::vector<int32_t> arcs;        // the lattice arc of each character
  std::vector<text::WordId> words;
  float score = 0;
};

/// The best hypotheses, best first, no two with the same characters. `words` may be null (no word n-gram: lambda = 0
/// and words only bind characters). Hypotheses that meet at a node with equal n-gram states (and, with transitions, the
/// same last character) share a place in the beam. Empty when no path reaches the end. Memory grows as nodes * beam.
std::vector<LatticeHypothesis> search(const Lattice& lattice, const CharacterScorer& scorer,
                                      const text::Lexicon& lexicon, const text::NgramModel* words,
                                      const SearchOptions& options);

}  // namespace litenat::decode
