#include "data/ngram_builder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>
#include <set>

#include "base/error.h"
#include "base/random.h"
#include "text/ngram_model.h"

namespace litenat::data {
namespace {

using Ids = std::vector<uint32_t>;

// Modified Kneser-Ney straight from the paper's formulas, over maps; slow and independent of the builder.
class ReferenceKneserNey {
 public:
  ReferenceKneserNey(uint32_t vocabulary, int order, const std::vector<Ids>& sentences)
      : vocabulary_(vocabulary), order_(order) {
    for (const Ids& sentence : sentences) {
      Ids padded = {vocabulary};
      for (const uint32_t id : sentence) padded.push_back(id < vocabulary ? id : vocabulary + 2);
      padded.push_back(vocabulary + 1);
      for (size_t begin = 0; begin < padded.size(); ++begin) {
        for (size_t n = 1; n <= static_cast<size_t>(order) && begin + n <= padded.size(); ++n) {
          ++raw_[Ids(padded.begin() + begin, padded.begin() + begin + n)];
        }
      }
    }
    for (const auto& [ngram, count] : raw_) {
      if (ngram.size() > 1) ++continuations_[Ids(ngram.begin() + 1, ngram.end())];
    }
  }

  int adjusted(const Ids& ngram) const {
    const bool is_raw = static_cast<int>(ngram.size()) == order_ || ngram[0] == vocabulary_;
    const auto& counts = is_raw ? raw_ : continuations_;
    const auto found = counts.find(ngram);
    return found == counts.end() ? 0 : found->second;
  }

  double discount(size_t length, int count) const {
    double n[5] = {};
    for (const auto& [ngram, raw] : raw_) {
      if (ngram.size() != length || ngram == Ids{vocabulary_}) continue;
      const int c = adjusted(ngram);
      if (c <= 4) ++n[c];
    }
    const double y = n[1] / (n[1] + 2 * n[2]);
    double d[4] = {0, 1 - 2 * y * n[2] / n[1], 2 - 3 * y * n[3] / n[2], 3 - 4 * y * n[4] / n[3]};
    for (int k = 1; k <= 3; ++k) {
      if (!(d[k] > 0 && d[k] <= k)) return count == 0 ? 0 : 0.5 * std::min(count, 3);
    }
    return d[std::min(count, 3)];
  }

  // P(word | history), history at most order - 1 long.
  double probability(Ids history, uint32_t word) const {
    double total = 0;
    double held = 0;
    Ids ngram = history;
    ngram.push_back(word);
    for (uint32_t w = 0; w < vocabulary_ + 3; ++w) {
      ngram.back() = w;
      if (ngram == Ids{vocabulary_}) continue;
      total += adjusted(ngram);
      held += discount(ngram.size(), adjusted(ngram));
    }
    ngram.back() = word;
    const double own = adjusted(ngram) - discount(ngram.size(), adjusted(ngram));
    const double below =
        history.empty() ? 1.0 / (vocabulary_ + 2) : probability(Ids(history.begin() + 1, history.end()), word);
    return total == 0 ? below : (own + held * below) / total;
  }

 private:
  uint32_t vocabulary_;
  int order_;
  std::map<Ids, int> raw_;
  std::map<Ids, int> continuations_;
};

// Ids below `num_ids`, small ones more often.
std::vector<Ids> random_sentences(uint32_t num_ids, int count, uint64_t seed) {
  SplitMix64 random(seed);
  std::vector<Ids> result;
  for (int i = 0; i < count; ++i) {
    Ids sentence(1 + random.below(6));
    for (uint32_t& id : sentence) id = static_cast<uint32_t>(random.below(1 + random.below(num_ids)));
    result.push_back(sentence);
  }
  return result;
}

BackoffModel estimate(uint32_t vocabulary, const std::vector<Ids>& sentences, const NgramSettings& settings,
                      const std::vector<double>& base = {}) {
  NgramCounter counter(vocabulary, settings.order);
  for (const Ids& sentence : sentences) counter.add(sentence);
  return estimate_kneser_ney(std::move(counter), settings, base);
}

NgramSettings unpruned(int order) {
  NgramSettings settings;
  settings.order = order;
  settings.min_counts = {1};
  return settings;
}

double sum_over_vocabulary(const BackoffModel& model, const Ids& history) {
  double sum = std::exp(model.score(history, UINT32_MAX)) + std::exp(model.score(history, model.end_id()));
  for (uint32_t w = 0; w < model.vocabulary; ++w) sum += std::exp(model.score(history, w));
  return sum;
}

TEST(NgramBuilder, EqualsBruteForceModifiedKneserNey) {
  constexpr uint32_t kVocabulary = 6;
  for (int order = 1; order <= 4; ++order) {
    for (const int count : {3, 60}) {  // few sentences: the fall-back discounts
      const auto sentences = random_sentences(kVocabulary, count, static_cast<uint64_t>(order));
      const BackoffModel model = estimate(kVocabulary, sentences, unpruned(order));
      const ReferenceKneserNey reference(kVocabulary, order, sentences);
      const std::vector<Ids> histories = {{},        {0},       {1, 0}, {kVocabulary}, {kVocabulary, 1},
                                          {0, 0, 0}, {2, 1, 0}, {5, 4}};
      for (const Ids& history : histories) {
        const size_t used = std::min(history.size(), static_cast<size_t>(order - 1));
        const Ids recent(history.end() - static_cast<std::ptrdiff_t>(used), history.end());
        for (uint32_t w = 0; w < kVocabulary; ++w) {
          EXPECT_NEAR(std::exp(model.score(history, w)), reference.probability(recent, w), 1e-9) << order << " " << w;
        }
        EXPECT_NEAR(std::exp(model.score(history, model.end_id())), reference.probability(recent, kVocabulary + 1),
                    1e-9);
        EXPECT_NEAR(sum_over_vocabulary(model, history), 1, 1e-9);
      }
    }
  }
}

TEST(NgramBuilder, PrunedModelsStillSumToOne) {
  const auto sentences = random_sentences(21, 400, 7);  // id 20 is unknown
  NgramSettings settings = unpruned(3);
  settings.min_counts = {1, 2, 3};
  const BackoffModel by_count = estimate(20, sentences, settings);
  const BackoffModel full = estimate(20, sentences, unpruned(3));
  EXPECT_LT(by_count.levels[2].ids.size(), full.levels[2].ids.size());
  settings = unpruned(3);
  const auto full_bytes = static_cast<int64_t>(pack_ngrams(full).size());
  settings.max_bytes = full_bytes - 1200;
  const BackoffModel by_entropy = estimate(20, sentences, settings);
  EXPECT_LE(static_cast<int64_t>(pack_ngrams(by_entropy).size()), settings.max_bytes);
  EXPECT_GT(static_cast<int64_t>(pack_ngrams(by_entropy).size()), settings.max_bytes - 200);
  SplitMix64 random(3);
  for (int i = 0; i < 200; ++i) {
    const Ids history = {static_cast<uint32_t>(random.below(21)), static_cast<uint32_t>(random.below(20))};
    EXPECT_NEAR(sum_over_vocabulary(by_count, history), 1, 1e-9);
    EXPECT_NEAR(sum_over_vocabulary(by_entropy, history), 1, 1e-9);
  }
}

double log_likelihood(const BackoffModel& model, const std::vector<Ids>& sentences) {
  double sum = 0;
  for (const Ids& sentence : sentences) {
    Ids history = {model.start_id()};
    for (const uint32_t id : sentence) {
      sum += model.score(history, id);
      history.push_back(id);
    }
    sum += model.score(history, model.end_id());
  }
  return sum;
}

TEST(NgramBuilder, EntropyPruningLosesLessThanRandomCuts) {
  const auto sentences = random_sentences(30, 2000, 11);
  BackoffModel pruned = estimate(30, sentences, unpruned(2));
  const double before = log_likelihood(pruned, sentences);
  BackoffModel cut = pruned;
  prune_to_size(&pruned, static_cast<int64_t>(packed_ngram_bytes(30, {32, pruned.levels[1].ids.size() / 2})));
  // The same number of bigrams, every other one.
  BackoffModel::Level& level = cut.levels[1];
  std::vector<uint32_t> children = {0};
  size_t kept = 0;
  for (size_t parent = 0; parent + 1 < cut.levels[0].children.size(); ++parent) {
    for (uint32_t r = cut.levels[0].children[parent]; r < cut.levels[0].children[parent + 1]; ++r) {
      if (r % 2 != 0 || kept >= pruned.levels[1].ids.size()) continue;
      level.ids[kept] = level.ids[r];
      level.log_probability[kept++] = level.log_probability[r];
    }
    children.push_back(static_cast<uint32_t>(kept));
  }
  level.ids.resize(kept);
  level.log_probability.resize(kept);
  cut.levels[0].children = children;
  cut.link();
  cut.normalise();
  EXPECT_LT(before - log_likelihood(pruned, sentences), 0.5 * (before - log_likelihood(cut, sentences)));
}

TEST(NgramBuilder, PackedScoresAreWithinTheTablesResolution) {
  const auto sentences = random_sentences(50, 500, 5);
  for (int order = 1; order <= 4; ++order) {
    const BackoffModel model = estimate(50, sentences, unpruned(order));
    const auto blob = pack_ngrams(model);
    std::vector<uint64_t> counts;
    for (const auto& level : model.levels) counts.push_back(level.ids.size());
    EXPECT_EQ(blob.size(), packed_ngram_bytes(50, counts));
    const auto packed = text::NgramModel::parse(blob, "test");
    ASSERT_TRUE(packed.ok()) << packed.status().message();
    double resolution = 0;  // half a step of every table that a score may use
    for (const auto& level : model.levels) {
      const auto [low, high] = std::minmax_element(level.log_probability.begin(), level.log_probability.end());
      double steps = (*high - *low) / 255;
      if (!level.log_backoff.empty()) {
        const auto [b_low, b_high] = std::minmax_element(level.log_backoff.begin(), level.log_backoff.end());
        steps += (*b_high - *b_low) / 254;
      }
      resolution += steps / 2;
    }
    SplitMix64 random(17);
    for (int i = 0; i < 300; ++i) {
      text::NgramModel::State state = packed.value().begin_sentence();
      Ids history = {model.start_id()};
      for (int j = 0; j < 6; ++j) {
        const auto id = static_cast<uint32_t>(random.below(51));  // 50 is outside the vocabulary
        EXPECT_NEAR(packed.value().score_end(state), model.score(history, model.end_id()), resolution + 1e-4);
        EXPECT_NEAR(packed.value().score(state, id, &state), model.score(history, id == 50 ? UINT32_MAX : id),
                    resolution + 1e-4);
        history.push_back(id == 50 ? UINT32_MAX : id);
      }
    }
  }
}

TEST(NgramBuilder, StatesWithEqualFuturesAreEqual) {
  const std::vector<Ids> sentences = {{0, 1, 2}, {3, 1, 2}, {0, 1, 4}};
  NgramSettings settings = unpruned(3);
  const auto blob = pack_ngrams(estimate(6, sentences, settings));
  const auto model = text::NgramModel::parse(blob, "test");
  ASSERT_TRUE(model.ok());
  text::NgramModel::State a;
  text::NgramModel::State b;
  model.value().score({}, 5, &a);  // never seen: no context begins with it
  EXPECT_EQ(a.length, 0);
  model.value().score({}, 1, &a);
  model.value().score(model.value().begin_sentence(), 5, &b);
  model.value().score(b, 1, &b);
  EXPECT_TRUE(a == b);
  model.value().score({}, 0, &b);
  model.value().score(b, 1, &b);
  EXPECT_FALSE(a == b);
}

TEST(NgramBuilder, BaseDistributionRanksUnseenWords) {
  const std::vector<Ids> sentences = {{0, 0}, {0}};
  const BackoffModel model = estimate(4, sentences, unpruned(2), {1, 2, 4, 1});
  EXPECT_NEAR(std::exp(model.score(Ids{}, 2)), 2 * std::exp(model.score(Ids{}, 1)), 1e-12);
  EXPECT_NEAR(sum_over_vocabulary(model, {0}), 1, 1e-9);
  EXPECT_THROW(estimate(4, sentences, unpruned(2), {1}), Error);
}

TEST(NgramBuilder, EmptyCorpusIsUniform) {
  const BackoffModel model = estimate(3, {}, unpruned(3));
  EXPECT_NEAR(std::exp(model.score(Ids{0, 1}, 2)), 0.2, 1e-12);
  EXPECT_TRUE(text::NgramModel::parse(pack_ngrams(model), "empty").ok());
}

TEST(NgramModel, HostileBlobsAreRefusedOrHarmless) {
  const auto blob = pack_ngrams(estimate(20, random_sentences(20, 100, 2), unpruned(3)));
  for (size_t size = 0; size < blob.size(); size += 61) {
    const std::vector<uint8_t> cut(blob.begin(), blob.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(text::NgramModel::parse(cut, "cut").ok()) << size;
  }
  SplitMix64 random(1);
  int accepted = 0;
  for (int i = 0; i < 2000; ++i) {
    auto bad = blob;
    for (uint64_t k = 0; k <= random.below(3); ++k)
      bad[random.below(i % 2 == 0 ? 64 : bad.size())] ^= static_cast<uint8_t>(1 + random.below(255));
    const auto model = text::NgramModel::parse(bad, "bad");
    if (!model.ok()) continue;
    ++accepted;
    auto state = model.value().begin_sentence();
    for (uint32_t id = 0; id < 40; ++id) model.value().score(state, id % 23, &state);
  }
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, 2000);
}

TEST(NgramModel, NumbersThatNoLogarithmHasAreRefused) {
  const auto blob = pack_ngrams(estimate(20, random_sentences(20, 100, 2), unpruned(3)));
  for (const size_t table : {size_t{64}, size_t{64 + 1024}})  // of order 1: probabilities, back-off weights
    for (const float value : {-500.0F, -3e38F, 3e38F}) {
      auto changed = blob;
      std::memcpy(changed.data() + table + 255 * sizeof(value), &value, sizeof(value));
      EXPECT_EQ(text::NgramModel::parse(changed, "changed").ok(), value == -500.0F) << table << " " << value;
    }
}

constexpr const char* kArpa = R"(
\data\
ngram 1=4
ngram 2=2

\1-grams:
-99	<s>	-0.30103
-0.69897	</s>
-0.5	a	-0.2
-1	b

\2-grams:
-0.1	<s> a
-0.4	a b

\end\
)";

uint32_t find_letter(std::string_view word) { return word == "a" ? 0 : word == "b" ? 1 : UINT32_MAX; }

TEST(NgramBuilder, ReadsArpa) {
  const BackoffModel model = read_arpa(kArpa, "test.arpa", 3, find_letter);
  const double ln10 = std::log(10);
  EXPECT_NEAR(model.score(Ids{3}, 0), -0.1 * ln10, 1e-9);
  EXPECT_NEAR(model.score(Ids{0}, 1), -0.4 * ln10, 1e-9);
  EXPECT_NEAR(model.score(Ids{3}, 1), (-0.30103 - 1) * ln10, 1e-9);
  EXPECT_NEAR(model.score(Ids{0}, 4), (-0.2 - 0.69897) * ln10, 1e-9);
  EXPECT_NEAR(model.score(Ids{1}, 2), -1 * ln10, 1e-9);  // a word that the file lacks
  EXPECT_TRUE(text::NgramModel::parse(pack_ngrams(model), "arpa").ok());
}

TEST(NgramBuilder, BadArpaNamesTheLine) {
  const auto message = [](const std::string& text) {
    try {
      read_arpa(text, "x.arpa", 3, find_letter);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const std::string good = kArpa;
  EXPECT_EQ(message(""), "x.arpa:0: no ARPA model: no line \\data\\");
  EXPECT_NE(message(good.substr(0, good.find("\\end"))).find("cut"), std::string::npos);
  std::string bad = good;
  bad.replace(bad.find("-0.5"), 4, "-0.x");
  EXPECT_EQ(message(bad), "x.arpa:9: \"-0.x\" is no finite number");
  for (const char* value : {"-inf", "nan", "1e999"}) {
    bad = good;
    bad.replace(bad.find("-0.5"), 4, value);
    EXPECT_EQ(message(bad), "x.arpa:9: \"" + std::string(value) + "\" is no finite number");
  }
  bad = good;
  bad.replace(bad.find("\ta b"), 4, "\ta");
  EXPECT_NE(message(bad).find("expected 2 words, found 1"), std::string::npos);
}

}  // namespace
}  // namespace litenat::data
