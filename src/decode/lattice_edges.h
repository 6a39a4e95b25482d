// The edges of a lattice search: the characters and words that may continue a hypothesis from a node.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "decode/lattice_search.h"

namespace litenat::decode {

/// A word (or a character without one) over a run of arcs.
struct Edge {
  int32_t to;
  uint32_t path;      // into the list of arc runs
  text::WordId word;  // kNoWord: the character is no word of the lexicon
  int32_t character;  // of an edge of one arc
  int32_t first_character;
  int32_t last_character;
  float score;  // everything but the word n-gram and the transition into the edge
};

/// Makes the edges from a node. Scores of characters are asked once for each arc.
class EdgeMaker {
 public:
  EdgeMaker(const Lattice& lattice, const CharacterScorer& scorer, const text::Lexicon& lexicon,
            const text::NgramModel* words, const SearchOptions& options);
  /// The edges from `node`, whose arc runs are appended to `paths`. Valid until the next call.
  const std::vector<Edge>& from(int32_t node, std::vector<std::vector<int32_t>>* paths);
  const text::Lexicon& lexicon() const { return lexicon_; }

 private:
  /// What a unit allows, whatever the arc.
  struct UnitTable {
    Span<const int32_t> candidates;
    std::vector<int32_t> place;         // by target id: its place among the candidates, or -1
    std::vector<text::WordId> words;    // by candidate
    std::vector<float> reading_scores;  // by candidate: lambda ln P(reading | word)
    std::vector<float> word_scores;     // by candidate: lambda ln P(word)
  };
  struct WordChoice {
    text::WordId word;
    float log_weight;
    float score;
    float rank;
  };

  const UnitTable& unit_table(text::UnitId unit);
  void fill_readings(text::UnitId unit, UnitTable* table) const;
  const std::vector<float>& character_scores(int32_t arc);
  float unigram(text::WordId word) const;
  Span<const Arc> arcs_from(int32_t node) const;
  int32_t index_of(const Arc& arc) const { return static_cast<int32_t>(&arc - lattice_.arcs.data()); }
  void add_characters(int32_t arc);
  void add_words(int32_t node, const std::vector<uint32_t>& trie_nodes);
  std::vector<uint32_t> step(const std::vector<uint32_t>& trie_nodes, text::UnitId unit);
  void add_endings(const std::vector<uint32_t>& trie_nodes, int32_t to);
  void gather(const std::vector<uint32_t>& trie_nodes);
  bool score_word(WordChoice* choice);
  void emit_word(const WordChoice& choice, int32_t to, uint32_t path);

  const Lattice& lattice_;
  const CharacterScorer& scorer_;
  const text::Lexicon& lexicon_;
  const text::NgramModel* words_;
  const SearchOptions options_;
  std::vector<int32_t> first_arc_;  // by node, num_nodes + 1
  std::vector<int32_t> all_targets_;
  std::unordered_map<text::UnitId, UnitTable> units_;
  std::vector<std::vector<float>> scores_;  // by arc, filled when asked for
  std::vector<Edge> edges_;
  std::vector<WordChoice> choices_;
  std::vector<int32_t> path_;
  std::vector<std::vector<int32_t>>* paths_ = nullptr;
  size_t work_ = 0;
};

}  // namespace litenat::decode
