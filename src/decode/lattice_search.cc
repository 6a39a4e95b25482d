#include "decode/lattice_search.h"

#include <algorithm>
#include <limits>

#include "decode/lattice_edges.h"
#include "decode/lattice_nbest.h"

namespace litenat::decode {
namespace {

constexpr double kNothing = -std::numeric_limits<double>::infinity();

// A way to reach a node, before the node's beam is cut.
struct Pending {
  text::NgramModel::State words;
  int32_t last_character = -1;
  double score = 0;
  Incoming incoming;
};

class Searcher {
 public:
  Searcher(const Lattice& lattice, const CharacterScorer& scorer, const text::Lexicon& lexicon,
           const text::NgramModel* words, const SearchOptions& options)
      : lattice_(lattice),
        scorer_(scorer),
        words_(words),
        options_(options),
        beam_(static_cast<size_t>(std::max(options.beam, 1))),
        alternatives_(options.num_best > 1 ? 2 * static_cast<size_t>(options.num_best) + 2 : 1),
        edges_(lattice, scorer, lexicon, words, options),
        pending_(static_cast<size_t>(lattice.num_nodes)),
        thresholds_(static_cast<size_t>(lattice.num_nodes), kNothing) {}

  std::vector<LatticeHypothesis> run() {
    Pending start;
    if (words_ != nullptr) start.words = words_->begin_sentence();
    start.incoming.state = -1;
    pending_[0].push_back(start);
    const auto last = static_cast<size_t>(lattice_.num_nodes - 1);
    for (size_t node = 0; node < last; ++node) {
      const size_t begin = graph_.states.size();
      close(node);
      if (begin == graph_.states.size()) continue;
      const auto& edges = edges_.from(static_cast<int32_t>(node), &graph_.paths);
      for (size_t state = begin; state < graph_.states.size(); ++state) extend(state, edges);
    }
    const size_t begin = graph_.states.size();
    close(last);
    return finish(begin);
  }

 private:
  bool same_future(const Pending& a, const Pending& b) const {
    return a.words == b.words && (!scorer_.has_transitions() || a.last_character == b.last_character);
  }

  // Sorts a node's hypotheses and keeps those of the best `beam_` futures, of each the best few. Returns the number
  // of futures; group[i] is that of hypothesis i.
  size_t cut(std::vector<Pending>* list, std::vector<size_t>* group) const {
    std::stable_sort(list->begin(), list->end(), [](const Pending& a, const Pending& b) { return a.score > b.score; });
    std::vector<size_t> heads;  // the best hypothesis of each future
    std::vector<size_t> sizes;
    size_t kept = 0;
    group->clear();
    for (size_t i = 0; i < list->size(); ++i) {
      size_t g = 0;
      while (g < heads.size() && !same_future((*list)[heads[g]], (*list)[i])) ++g;
      if (g == heads.size()) {
        if (g == beam_) continue;
        heads.push_back(kept);
        sizes.push_back(0);
      }
      if (sizes[g] == alternatives_) continue;
      ++sizes[g];
      group->push_back(g);
      (*list)[kept++] = (*list)[i];
    }
    list->resize(kept);
    return heads.size();
  }

  // Turns a node's hypotheses into states.
  void close(size_t node) {
    std::vector<size_t> group;
    auto& list = pending_[node];
    const size_t num_states = cut(&list, &group);
    const size_t begin = graph_.states.size();
    graph_.states.resize(begin + num_states);
    for (size_t g = 0; g < num_states; ++g) {
      SearchState& state = graph_.states[begin + g];
      state.first = graph_.incoming.size();
      for (size_t i = 0; i < list.size(); ++i) {
        if (group[i] != g) continue;
        if (graph_.incoming.size() == state.first) {
          state.score = list[i].score;
          state.words = list[i].words;
          state.last_character = list[i].last_character;
        }
        graph_.incoming.push_back(list[i].incoming);
      }
      state.last = graph_.incoming.size();
    }
    std::vector<Pending>().swap(list);
  }

  void extend(size_t from, const std::vector<Edge>& edges) {
    const SearchState state = graph_.states[from];
    for (const Edge& edge : edges) {
      double step = edge.score;
      if (scorer_.has_transitions() && state.last_character >= 0) {
        step += scorer_.transition(state.last_character, edge.first_character);
      }
      const auto to = static_cast<size_t>(edge.to);
      // The n-gram can only lower the score, so what is too low already needs no look-up.
      if (state.score + step < thresholds_[to]) continue;
      Pending next;
      if (words_ != nullptr) step += options_.word_weight * words_->score(state.words, edge.word, &next.words);
      next.score = state.score + step;
      if (next.score < thresholds_[to]) continue;
      next.last_character = edge.last_character;
      next.incoming = {static_cast<int32_t>(from), edge.path, edge.word, edge.character, step};
      push(to, next);
    }
  }

  void push(size_t node, const Pending& pending) {
    auto& list = pending_[node];
    list.push_back(pending);
    if (list.size() < 8 * beam_ * alternatives_ + 256) return;
    std::vector<size_t> group;
    if (cut(&list, &group) < beam_) return;
    for (size_t i = list.size(); i-- > 0;) {
      // The best hypothesis of the worst future.
      if (group[i] + 1 == beam_) thresholds_[node] = list[i].score;
    }
  }

  // States from `begin` on are those of the last node.
  std::vector<LatticeHypothesis> finish(size_t begin) {
    std::vector<double> ends;
    for (size_t i = begin; i < graph_.states.size(); ++i) {
      const bool scores_end = words_ != nullptr && options_.sentence_end;
      ends.push_back(scores_end ? options_.word_weight * words_->score_end(graph_.states[i].words) : 0.0);
    }
    return best_hypotheses(graph_, begin, ends, edges_.lexicon(), static_cast<size_t>(std::max(options_.num_best, 1)));
  }

  const Lattice& lattice_;
  const CharacterScorer& scorer_;
  const text::NgramModel* words_;
  SearchOptions options_;
  size_t beam_;
  size_t alternatives_;
  EdgeMaker edges_;
  SearchGraph graph_;
  std::vector<std::vector<Pending>> pending_;  // by node
  std::vector<double> thresholds_;             // by node: scores below cannot enter its beam
};

}  // namespace

std::vector<LatticeHypothesis> search(const Lattice& lattice, const CharacterScorer& scorer,
                                      const text::Lexicon& lexicon, const text::NgramModel* words,
                                      const SearchOptions& options) {
  if (lattice.num_nodes < 2) return {};
  return Searcher(lattice, scorer, lexicon, words, options).run();
}

}  // namespace litenat::decode
