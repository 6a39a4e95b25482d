#include "decode/lattice_search.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "base/random.h"
#include "decode/test_support.h"

namespace litenat::decode {
namespace {

using testing::kSmallLexicon;
using testing::make_lexicon;
using testing::parse_entries;

class RandomScorer : public CharacterScorer {
 public:
  explicit RandomScorer(bool has_transitions) : has_transitions_(has_transitions) {}
  static float value(int32_t row, int32_t target) { return -testing::FakeEngine::emission(row + 17, target); }
  void score(int32_t row, text::UnitId, Span<const int32_t> candidates, float* out) const override {
    for (size_t i = 0; i < candidates.size(); ++i) out[i] = value(row, candidates[i]);
  }
  float transition(int32_t a, int32_t b) const override { return static_cast<float>((a * 7 + b * 13) % 11) / 10.0F; }
  bool has_transitions() const override { return has_transitions_; }

 private:
  bool has_transitions_;
};

// A bigram model blob, written by hand so that this folder's tests need no builder: order 2, uniform probabilities
// would not tell words apart, so codes are drawn from a seed.
std::vector<uint8_t> bigram_blob(uint32_t vocabulary) {
  const auto pad = [](std::vector<uint8_t>* blob) { blob->resize((blob->size() + 63) / 64 * 64); };
  const auto put = [](std::vector<uint8_t>* blob, const void* data, size_t size) {
    const auto* bytes = static_cast<const uint8_t*>(data);
    blob->insert(blob->end(), bytes, bytes + size);
  };
  SplitMix64 random(5);
  std::vector<std::vector<uint32_t>> children(vocabulary + 2);
  uint32_t bigrams = 0;
  for (uint32_t r = 0; r < vocabulary + 2; ++r) {
    for (uint32_t id = 0; r != vocabulary + 1 && id < vocabulary + 2; ++id) {
      if (random.uniform() < 0.3 && id != vocabulary) children[r].push_back(id), ++bigrams;
    }
  }
  std::vector<uint8_t> blob;
  put(&blob, "LNNGRAMS", 8);
  const uint32_t counts[4] = {vocabulary + 2, bigrams, 0, 0};
  const uint32_t head[3] = {1, 2, vocabulary};
  const float unknown = -9;
  put(&blob, head, sizeof(head));
  put(&blob, &unknown, 4);
  put(&blob, counts, sizeof(counts));
  pad(&blob);
  std::array<float, 256> table{};
  for (size_t i = 0; i < 256; ++i) table[i] = -static_cast<float>(i) / 32;
  const auto write_bits = [&](const std::vector<std::pair<uint64_t, int>>& fields) {
    std::vector<uint8_t> bits;
    size_t at = 0;
    for (const auto& [value, width] : fields) {
      for (int b = 0; b < width; ++b, ++at) {
        if (at / 8 >= bits.size()) bits.push_back(0);
        bits[at / 8] |= static_cast<uint8_t>(((value >> b) & 1) << (at % 8));
      }
    }
    bits.resize(bits.size() + 8);
    put(&blob, bits.data(), bits.size());
    pad(&blob);
  };
  const auto width_of = [](uint64_t largest) {
    int bits = 1;
    while (largest >> bits != 0) ++bits;
    return bits;
  };
  put(&blob, table.data(), sizeof(table));
  put(&blob, table.data(), sizeof(table));
  std::vector<std::pair<uint64_t, int>> fields;
  uint64_t first = 0;
  for (uint32_t r = 0; r <= vocabulary + 2; ++r) {
    fields.insert(fields.end(), {{r < vocabulary + 2 ? 64 + random.below(190) : 0, 8},
                                 {r < vocabulary + 2 ? random.below(60) : 0, 8}});
    fields.emplace_back(first, width_of(bigrams));
    if (r < vocabulary + 2) first += children[r].size();
  }
  write_bits(fields);
  put(&blob, table.data(), sizeof(table));
  fields.clear();
  for (const auto& list : children) {
    for (const uint32_t id : list)
      fields.insert(fields.end(), {{id, width_of(vocabulary + 1)}, {random.below(100), 8}});
  }
  fields.insert(fields.end(), {{0, width_of(vocabulary + 1)}, {0, 8}});
  write_bits(fields);
  return blob;
}

// Enumerates all segmentations into words straight from the entries, and scores them by the formula of the header.
class BruteForce {
 public:
  BruteForce(const Lattice& lattice, const RandomScorer& scorer, const testing::TestLexicon& lexicon,
             const text::NgramModel* words, const SearchOptions& options)
      : lattice_(lattice), scorer_(scorer), lexicon_(lexicon), words_(words), options_(options) {
    for (size_t i = 0; i < lexicon.words.size(); ++i) word_ids_[lexicon.words[i]] = static_cast<uint32_t>(i);
    std::map<std::string, double> totals;
    std::map<std::pair<std::string, std::vector<text::SyllableId>>, double> weights;
    for (const auto& entry : parse_entries(kSmallLexicon)) {
      totals[entry.word] += entry.weight;
      weights[{entry.word, entry.syllables}] += entry.weight;
    }
    for (const auto& [key, weight] : weights) {
      const double share = std::round(-16 * std::log(weight / totals[key.first])) / -16;  // the blob's resolution
      readings_.push_back({key.first, key.second, share});
    }
  }

  // Best score by text.
  std::map<std::vector<int32_t>, double> run() {
    text::NgramModel::State state;
    if (words_ != nullptr) state = words_->begin_sentence();
    visit(0, state, {}, 0);
    return std::move(best_);
  }

 private:
  struct Reading {
    std::string word;
    std::vector<text::SyllableId> syllables;
    double log_weight;
  };

  void visit(int32_t node, const text::NgramModel::State& state, const std::vector<int32_t>& text, double score) {
    if (node == lattice_.num_nodes - 1) {
      if (words_ != nullptr && options_.sentence_end) score += options_.word_weight * words_->score_end(state);
      const auto [found, is_new] = best_.emplace(text, score);
      if (!is_new) found->second = std::max(found->second, score);
      return;
    }
    for (const Reading& reading : readings_) match(reading, 0, node, state, text, score - options_.word_penalty);
  }

  void match(const Reading& reading, size_t i, int32_t node, const text::NgramModel::State& state,
             const std::vector<int32_t>& text, double score) {
    if (i == reading.syllables.size()) {
      text::NgramModel::State next;
      if (words_ != nullptr) {
        score += options_.word_weight * (words_->score(state, word_ids_.at(reading.word), &next) + reading.log_weight);
      }
      visit(node, next, text, score);
      return;
    }
    const auto characters = split_characters(reading.word);
    for (const Arc& arc : lattice_.arcs) {
      const auto allowed = text::unit_syllables(arc.unit);
      if (arc.from != node || std::find(allowed.begin(), allowed.end(), reading.syllables[i]) == allowed.end())
        continue;
      const int32_t target = lexicon_.targets.find(characters[i]);
      double step = RandomScorer::value(arc.row, target) + arc.score;
      if (scorer_.has_transitions() && !text.empty()) step += scorer_.transition(text.back(), target);
      auto longer = text;
      longer.push_back(target);
      match(reading, i + 1, arc.to, state, longer, score + step);
    }
  }

  const Lattice& lattice_;
  const RandomScorer& scorer_;
  const testing::TestLexicon& lexicon_;
  const text::NgramModel* words_;
  SearchOptions options_;
  std::map<std::string, uint32_t> word_ids_;
  std::vector<Reading> readings_;
  std::map<std::vector<int32_t>, double> best_;
};

// Single letters are initials here, not the interjections "n" and "m".
text::UnitId unit_of(const std::string& keys) {
  const text::UnitId initial = text::find_unit(keys, text::UnitKind::kInitial);
  return initial != text::kNoUnit ? initial : text::find_unit(keys);
}

// A chain of units, with a detour of two arcs for the second where the keys allow it ("xian" as "xi an").
Lattice make_lattice(const std::vector<std::string>& units) {
  Lattice lattice;
  for (size_t i = 0; i < units.size(); ++i) {
    const auto n = static_cast<int32_t>(2 * i);
    lattice.arcs.push_back({n, n + 2, n, unit_of(units[i]), -0.1F * static_cast<float>(i)});
    if (units[i] != "xian") continue;
    lattice.arcs.push_back({n, n + 1, n, text::find_unit("xi"), -0.3F});
    lattice.arcs.push_back({n + 1, n + 2, n + 1, text::find_unit("an"), -0.2F});
  }
  lattice.num_nodes = static_cast<int32_t>(2 * units.size() + 1);
  return lattice;
}

SearchOptions wide(int num_best) {
  SearchOptions options;
  options.beam = 256;
  options.num_best = num_best;
  options.characters_per_arc = 1000;
  options.words_per_span = 1000;
  return options;
}

void compare(const std::vector<std::string>& units, bool has_transitions, bool has_model) {
  const auto lexicon = make_lexicon(parse_entries(kSmallLexicon));
  const auto blob = bigram_blob(lexicon->lexicon.num_words());
  const auto model = text::NgramModel::parse(blob, "test");
  ASSERT_TRUE(model.ok()) << model.status().message();
  const text::NgramModel* words = has_model ? &model.value() : nullptr;
  const Lattice lattice = make_lattice(units);
  const RandomScorer scorer(has_transitions);
  const SearchOptions options = wide(5);
  const auto expected = BruteForce(lattice, scorer, *lexicon, words, options).run();
  std::vector<double> scores;
  for (const auto& [text, score] : expected) scores.push_back(score);
  std::sort(scores.rbegin(), scores.rend());
  const auto found = search(lattice, scorer, lexicon->lexicon, words, options);
  ASSERT_FALSE(scores.empty());
  ASSERT_EQ(found.size(), std::min<size_t>(5, scores.size()));
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_NEAR(found[i].score, scores[i], 1e-4) << i;
    EXPECT_NEAR(found[i].score, expected.at(found[i].characters), 1e-4) << i;
    EXPECT_EQ(found[i].characters.size(), found[i].arcs.size());
  }
}

TEST(LatticeSearch, EqualsBruteForce) {
  for (const auto& units : std::vector<std::vector<std::string>>{{"ni", "hao", "ma"},
                                                                 {"xian", "zai"},
                                                                 {"n", "h", "m"},
                                                                 {"xian", "z", "d"},
                                                                 {"zhong", "guo"},
                                                                 {"x", "a", "de"},
                                                                 {"de"}}) {
    for (const bool has_transitions : {false, true}) {
      for (const bool has_model : {false, true}) compare(units, has_transitions, has_model);
    }
  }
}

TEST(LatticeSearch, SmallBeamFindsNoBetterAndTheOneBestAgrees) {
  const auto lexicon = make_lexicon(parse_entries(kSmallLexicon));
  const auto blob = bigram_blob(lexicon->lexicon.num_words());
  const auto model = text::NgramModel::parse(blob, "test");
  const RandomScorer scorer(true);
  const Lattice lattice = make_lattice({"n", "h", "m", "xian", "z", "d", "zhong", "g"});
  SearchOptions options = wide(1);
  const auto best = search(lattice, scorer, lexicon->lexicon, &model.value(), options);
  options = wide(20);
  const auto many = search(lattice, scorer, lexicon->lexicon, &model.value(), options);
  ASSERT_EQ(many.size(), 20u);
  EXPECT_EQ(best[0].characters, many[0].characters);
  for (size_t i = 1; i < many.size(); ++i) {
    EXPECT_GE(many[i - 1].score, many[i].score);
    EXPECT_NE(many[i - 1].characters, many[i].characters);
  }
  options.beam = 2;
  const auto narrow = search(lattice, scorer, lexicon->lexicon, &model.value(), options);
  ASSERT_FALSE(narrow.empty());
  EXPECT_LE(narrow[0].score, best[0].score + 1e-4);
}

TEST(LatticeSearch, NoPathNoHypothesis) {
  const auto lexicon = make_lexicon(parse_entries(kSmallLexicon));
  const RandomScorer scorer(false);
  EXPECT_TRUE(search({}, scorer, lexicon->lexicon, nullptr, {}).empty());
  EXPECT_TRUE(search({3, {{0, 1, 0, text::find_unit("ni"), 0}}}, scorer, lexicon->lexicon, nullptr, {}).empty());
  EXPECT_TRUE(search({2, {{0, 1, 0, text::find_unit("zhuang"), 0}}}, scorer, lexicon->lexicon, nullptr, {}).empty());
}

TEST(LatticeSearch, UnconstrainedReachesEveryTarget) {
  const auto lexicon = make_lexicon(parse_entries(kSmallLexicon));
  const RandomScorer scorer(false);
  SearchOptions options = wide(1000);
  options.constrained = false;
  const auto found = search({2, {{0, 1, 0, text::find_unit("zhuang"), 0}}}, scorer, lexicon->lexicon, nullptr, options);
  EXPECT_EQ(found.size(), static_cast<size_t>(lexicon->targets.size() - text::kNumSpecials));
}

}  // namespace
}  // namespace litenat::decode
