#include "decode/lattice_nbest.h"

#include <algorithm>
#include <queue>
#include <set>

namespace litenat::decode {
namespace {

// Partial paths are grown backwards from the end, best first. The score of a state is exactly what the best past of a
// path is worth, so complete paths come out in the order of their scores.
class NbestFinder {
 public:
  NbestFinder(const SearchGraph& graph, const text::Lexicon& lexicon, size_t count)
      : graph_(graph), lexicon_(lexicon), count_(count) {}

  std::vector<LatticeHypothesis> run(size_t begin, const std::vector<double>& ends) {
    for (size_t i = 0; i < ends.size(); ++i) push(static_cast<int32_t>(begin + i), ends[i], -1);
    // Paths that differ in words alone are dropped; the bound ends the search where there is nothing else left.
    size_t budget = 64 * count_ + 1024;
    while (!queue_.empty() && result_.size() < count_ && budget > 0) {
      const Partial partial = queue_.top();
      queue_.pop();
      if (partial.state == 0) {
        add(partial);
        --budget;
        continue;
      }
      grow(partial);
    }
    return std::move(result_);
  }

 private:
  struct Partial {
    double total;  // of the best complete path that ends so
    double suffix;
    int32_t state;
    int32_t link;
    bool operator<(const Partial& other) const {
      return total != other.total ? total < other.total : link > other.link;
    }
  };
  struct Link {
    size_t incoming;
    int32_t next;
  };

  void push(int32_t state, double suffix, int32_t link) {
    queue_.push({graph_.states[static_cast<size_t>(state)].score + suffix, suffix, state, link});
  }

  void grow(const Partial& partial) {
    const SearchState& state = graph_.states[static_cast<size_t>(partial.state)];
    const size_t last = count_ == 1 ? state.first + 1 : state.last;
    for (size_t i = state.first; i < last; ++i) {
      links_.push_back({i, partial.link});
      push(graph_.incoming[i].state, partial.suffix + graph_.incoming[i].step, static_cast<int32_t>(links_.size() - 1));
    }
  }

  void add(const Partial& partial) {
    LatticeHypothesis hypothesis;
    hypothesis.score = static_cast<float>(partial.total);
    for (int32_t l = partial.link; l >= 0; l = links_[static_cast<size_t>(l)].next) {
      append(graph_.incoming[links_[static_cast<size_t>(l)].incoming], &hypothesis);
    }
    if (seen_.insert(hypothesis.characters).second) result_.push_back(std::move(hypothesis));
  }

  void append(const Incoming& incoming, LatticeHypothesis* hypothesis) const {
    const auto& path = graph_.paths[incoming.path];
    hypothesis->arcs.insert(hypothesis->arcs.end(), path.begin(), path.end());
    hypothesis->words.push_back(incoming.word);
    if (path.size() == 1) {
      hypothesis->characters.push_back(incoming.character);
      return;
    }
    const auto characters = lexicon_.word_characters(incoming.word);
    hypothesis->characters.insert(hypothesis->characters.end(), characters.begin(), characters.end());
  }

  const SearchGraph& graph_;
  const text::Lexicon& lexicon_;
  size_t count_;
  std::priority_queue<Partial> queue_;
  std::vector<Link> links_;
  std::set<std::vector<int32_t>> seen_;
  std::vector<LatticeHypothesis> result_;
};

}  // namespace

std::vector<LatticeHypothesis> best_hypotheses(const SearchGraph& graph, size_t begin, const std::vector<double>& ends,
                                               const text::Lexicon& lexicon, size_t count) {
  return NbestFinder(graph, lexicon, count).run(begin, ends);
}

}  // namespace litenat::decode
