#include "decode/lattice_edges.h"

#include <algorithm>
#include <numeric>

namespace litenat::decode {
namespace {

// Trie nodes visited from one lattice node: bounds the time of hostile lattices with many readings of everything.
constexpr size_t kMaxWork = size_t{1} << 16;

}  // namespace

EdgeMaker::EdgeMaker(const Lattice& lattice, const CharacterScorer& scorer, const text::Lexicon& lexicon,
                     const text::NgramModel* words, const SearchOptions& options)
    : lattice_(lattice),
      scorer_(scorer),
      lexicon_(lexicon),
      words_(words),
      options_(options),
      first_arc_(static_cast<size_t>(lattice.num_nodes) + 1),
      scores_(lattice.arcs.size()) {
  for (const Arc& arc : lattice.arcs) ++first_arc_[static_cast<size_t>(arc.from) + 1];
  std::partial_sum(first_arc_.begin(), first_arc_.end(), first_arc_.begin());
  if (!options.constrained) {
    all_targets_.resize(static_cast<size_t>(std::max(lexicon.num_targets() - text::kNumSpecials, 0)));
    std::iota(all_targets_.begin(), all_targets_.end(), text::kNumSpecials);
  }
}

const std::vector<Edge>& EdgeMaker::from(int32_t node, std::vector<std::vector<int32_t>>* paths) {
  edges_.clear();
  paths_ = paths;
  work_ = 0;
  for (const Arc& arc : arcs_from(node)) add_characters(index_of(arc));
  add_words(node, {0});
  return edges_;
}

Span<const Arc> EdgeMaker::arcs_from(int32_t node) const {
  const auto begin = static_cast<size_t>(first_arc_[static_cast<size_t>(node)]);
  const auto end = static_cast<size_t>(first_arc_[static_cast<size_t>(node) + 1]);
  return {lattice_.arcs.data() + begin, end - begin};
}

float EdgeMaker::unigram(text::WordId word) const {
  return words_ == nullptr ? 0.0F : options_.word_weight * words_->score({}, word, nullptr);
}

const EdgeMaker::UnitTable& EdgeMaker::unit_table(text::UnitId unit) {
  const auto [found, is_new] = units_.try_emplace(unit);
  UnitTable& table = found->second;
  if (!is_new) return table;
  table.candidates = options_.constrained ? lexicon_.candidates(unit) : Span<const int32_t>(all_targets_);
  table.place.assign(static_cast<size_t>(lexicon_.num_targets()), -1);
  for (size_t i = 0; i < table.candidates.size(); ++i) {
    const int32_t target = table.candidates[i];
    table.place[static_cast<size_t>(target)] = static_cast<int32_t>(i);
    table.words.push_back(lexicon_.character_word(target));
    table.word_scores.push_back(unigram(table.words.back()));
  }
  fill_readings(unit, &table);
  return table;
}

// Unconstrained candidates that have no such reading are judged without one.
void EdgeMaker::fill_readings(text::UnitId unit, UnitTable* table) const {
  table->reading_scores.assign(table->candidates.size(), 0);
  if (words_ == nullptr) return;
  std::vector<bool> is_set(table->candidates.size());
  const auto root = lexicon_.children(0);
  for (const text::SyllableId syllable : text::unit_syllables(unit)) {
    const auto* found = std::lower_bound(root.syllables.begin(), root.syllables.end(), syllable);
    if (found == root.syllables.end() || *found != syllable) continue;
    const auto endings = lexicon_.endings(root.first_node + static_cast<uint32_t>(found - root.syllables.begin()));
    for (size_t i = 0; i < endings.size(); ++i) {
      const text::Lexicon::Ending ending = endings[i];
      const auto place = static_cast<size_t>(table->place[lexicon_.word_characters(ending.word)[0]]);
      const float score = options_.word_weight * ending.log_weight;
      table->reading_scores[place] = is_set[place] ? std::max(table->reading_scores[place], score) : score;
      is_set[place] = true;
    }
  }
}

const std::vector<float>& EdgeMaker::character_scores(int32_t arc) {
  auto& scores = scores_[static_cast<size_t>(arc)];
  if (!scores.empty()) return scores;
  const Arc& a = lattice_.arcs[static_cast<size_t>(arc)];
  const UnitTable& table = unit_table(a.unit);
  scores.resize(table.candidates.size());
  scorer_.score(a.row, a.unit, table.candidates, scores.data());
  return scores;
}

void EdgeMaker::add_characters(int32_t arc) {
  const Arc& a = lattice_.arcs[static_cast<size_t>(arc)];
  const UnitTable& table = unit_table(a.unit);
  const auto& scores = character_scores(arc);
  const size_t count = std::min(scores.size(), static_cast<size_t>(std::max(options_.characters_per_arc, 1)));
  if (count == 0) return;
  std::vector<std::pair<float, size_t>> ranked;
  for (size_t i = 0; i < scores.size(); ++i) {
    ranked.emplace_back(-(scores[i] + table.reading_scores[i] + table.word_scores[i]), i);
  }
  std::nth_element(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(count - 1), ranked.end());
  const auto path = static_cast<uint32_t>(paths_->size());
  paths_->push_back({arc});
  for (size_t r = 0; r < count; ++r) {
    const size_t i = ranked[r].second;
    const int32_t target = table.candidates[i];
    const float score = scores[i] + table.reading_scores[i] + a.score - options_.word_penalty;
    edges_.push_back({a.to, path, table.words[i], target, target, target, score});
  }
}

// Walks the lexicon's trie along every run of arcs from the first node on; a run's trie nodes are taken together.
void EdgeMaker::add_words(int32_t node, const std::vector<uint32_t>& trie_nodes) {
  if (static_cast<int>(path_.size()) >= lexicon_.max_word_length()) return;
  for (const Arc& arc : arcs_from(node)) {
    if (work_ > kMaxWork) return;
    const std::vector<uint32_t> next = step(trie_nodes, arc.unit);
    if (next.empty()) continue;
    path_.push_back(index_of(arc));
    if (path_.size() > 1) add_endings(next, arc.to);
    add_words(arc.to, next);
    path_.pop_back();
  }
}

std::vector<uint32_t> EdgeMaker::step(const std::vector<uint32_t>& trie_nodes, text::UnitId unit) {
  std::vector<uint32_t> next;
  const auto allowed = text::unit_syllables(unit);
  work_ += trie_nodes.size();
  for (const uint32_t node : trie_nodes) {
    const auto children = lexicon_.children(node);
    const auto* child = children.syllables.begin();
    for (const text::SyllableId syllable : allowed) {
      child = std::lower_bound(child, children.syllables.end(), syllable);
      if (child == children.syllables.end()) break;
      if (*child == syllable)
        next.push_back(children.first_node + static_cast<uint32_t>(child - children.syllables.begin()));
    }
  }
  return next;
}

void EdgeMaker::add_endings(const std::vector<uint32_t>& trie_nodes, int32_t to) {
  gather(trie_nodes);
  if (choices_.empty()) return;
  const size_t count = std::min(choices_.size(), static_cast<size_t>(std::max(options_.words_per_span, 1)));
  std::nth_element(
      choices_.begin(), choices_.begin() + static_cast<std::ptrdiff_t>(count - 1), choices_.end(),
      [](const WordChoice& a, const WordChoice& b) { return a.rank != b.rank ? a.rank > b.rank : a.word < b.word; });
  const auto path = static_cast<uint32_t>(paths_->size());
  paths_->push_back(path_);
  for (size_t i = 0; i < count; ++i) emit_word(choices_[i], to, path);
}

// The words that end at the trie nodes, each with its commonest reading among them.
void EdgeMaker::gather(const std::vector<uint32_t>& trie_nodes) {
  choices_.clear();
  for (const uint32_t node : trie_nodes) {
    const auto endings = lexicon_.endings(node);
    work_ += endings.size();
    for (size_t i = 0; i < endings.size(); ++i) {
      choices_.push_back({endings[i].word, endings[i].log_weight, 0, 0});
    }
  }
  if (trie_nodes.size() > 1) {
    std::sort(choices_.begin(), choices_.end(), [](const WordChoice& a, const WordChoice& b) {
      return a.word != b.word ? a.word < b.word : a.log_weight > b.log_weight;
    });
    const auto same = [](const WordChoice& a, const WordChoice& b) { return a.word == b.word; };
    choices_.erase(std::unique(choices_.begin(), choices_.end(), same), choices_.end());
  }
  size_t kept = 0;
  for (WordChoice choice : choices_) {
    if (score_word(&choice)) choices_[kept++] = choice;
  }
  choices_.resize(kept);
}

// False for a word with a character that is no candidate of its arc (its reading is the word's alone).
bool EdgeMaker::score_word(WordChoice* choice) {
  const auto characters = lexicon_.word_characters(choice->word);
  float score = -options_.word_penalty;
  if (words_ != nullptr) score += options_.word_weight * choice->log_weight;
  for (size_t i = 0; i < characters.size(); ++i) {
    const Arc& arc = lattice_.arcs[static_cast<size_t>(path_[i])];
    const int32_t place = unit_table(arc.unit).place[characters[i]];
    if (place < 0) return false;
    score += character_scores(path_[i])[static_cast<size_t>(place)] + arc.score;
    if (i > 0 && scorer_.has_transitions()) score += scorer_.transition(characters[i - 1], characters[i]);
  }
  choice->score = score;
  choice->rank = score + unigram(choice->word);
  return true;
}

void EdgeMaker::emit_word(const WordChoice& choice, int32_t to, uint32_t path) {
  const auto characters = lexicon_.word_characters(choice.word);
  const auto first = static_cast<int32_t>(characters[0]);
  const auto last = static_cast<int32_t>(characters[characters.size() - 1]);
  edges_.push_back({to, path, choice.word, 0, first, last, choice.score});
}

}  // namespace litenat::decode
