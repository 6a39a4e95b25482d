#include "decode/parallel_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "decode/sequence_test_support.h"

namespace litenat::decode {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::table_log_probabilities;
using testing::TableEngine;
using Ids = std::vector<int32_t>;

SourceBatch make_batch(const std::vector<Ids>& sentences) {
  SourceBatch batch;
  for (const Ids& sentence : sentences) {
    batch.ids.insert(batch.ids.end(), sentence.begin(), sentence.end());
    batch.lengths.push_back(static_cast<int32_t>(sentence.size()));
  }
  return batch;
}

/// A model that predicts the length that its sentence's first id says.
TableEngine length_engine(int32_t vocabulary = 9) {
  TableEngine engine(vocabulary, /*autoregressive=*/false);
  engine.settings().length_classes = 40;
  engine.settings().max_target = 30;
  return engine;
}

Ids lengths_of(const SequenceTraits& traits, int32_t predicted, int beam, int32_t source_length = 5) {
  std::vector<float> logits(static_cast<size_t>(traits.length_classes), 0.0F);
  logits[static_cast<size_t>(predicted)] = 1;
  return candidate_lengths(traits, source_length, logits, beam);
}

TEST(CandidateLengths, SurroundThePredictedOne) {
  const TableEngine engine = length_engine();
  EXPECT_THAT(lengths_of(engine.traits(), 10, 1), ElementsAre(10));
  EXPECT_THAT(lengths_of(engine.traits(), 10, 5), ElementsAre(10, 8, 9, 11, 12));  // -2 .. +2
  EXPECT_THAT(lengths_of(engine.traits(), 10, 4), ElementsAre(10, 8, 9, 11));      // -2 .. +1
}

TEST(CandidateLengths, StayInRange) {
  const TableEngine engine = length_engine();
  EXPECT_THAT(lengths_of(engine.traits(), 0, 1), ElementsAre(2));
  EXPECT_THAT(lengths_of(engine.traits(), 3, 5), ElementsAre(3, 2, 4, 5));
  EXPECT_THAT(lengths_of(engine.traits(), 39, 3), ElementsAre(30, 29));
  TableEngine unlimited = length_engine();
  unlimited.settings().max_target = 0;
  EXPECT_THAT(lengths_of(unlimited.traits(), 39, 3), ElementsAre(39, 38, 40));
}

TEST(CandidateLengths, MayBeRelativeToTheSource) {
  TableEngine engine = length_engine();
  engine.settings().length_offset = true;
  EXPECT_THAT(lengths_of(engine.traits(), 23, 3, 7), ElementsAre(10, 9, 11));  // 7 + 23 - 40 / 2
  EXPECT_THAT(lengths_of(engine.traits(), 0, 1, 7), ElementsAre(2));
}

TEST(CandidateLengths, MayBeARatio) {
  TableEngine engine = length_engine();
  engine.settings().predicts_length = false;
  engine.settings().length_ratio = 1.5;
  EXPECT_THAT(candidate_lengths(engine.traits(), 5, {}, 5), ElementsAre(7));
  EXPECT_THAT(candidate_lengths(engine.traits(), 1, {}, 1), ElementsAre(2));
  EXPECT_THAT(candidate_lengths(engine.traits(), 25, {}, 1), ElementsAre(30));
}

/// The rows' best tokens and their mean ln p, one row after the other.
Hypothesis best_rows(const Ids& source, int32_t length, int32_t vocabulary) {
  Hypothesis best;
  for (int32_t t = 0; t < length; ++t) {
    const std::vector<double> log_p = table_log_probabilities(source, {length, t}, vocabulary);
    const auto at = std::max_element(log_p.begin(), log_p.end());
    best.score += static_cast<float>(*at / length);
    const auto token = static_cast<int32_t>(at - log_p.begin());
    if (token > kEndToken) best.tokens.push_back(token);
  }
  return best;
}

TEST(DecodeParallel, TakesTheBestTokenOfEachRow) {
  TableEngine engine = length_engine();
  const std::vector<Ids> sources = {{6, 7, 2}, {2, 2}, {12, 3, 3, 5, 2}};
  const auto outputs = decode_parallel(&engine, make_batch(sources), {});
  ASSERT_TRUE(outputs.ok()) << outputs.status().message();
  for (size_t i = 0; i < sources.size(); ++i) {
    const Hypothesis expected = best_rows(sources[i], sources[i][0], 9);
    ASSERT_EQ(outputs.value()[i].size(), 1u);
    EXPECT_EQ(outputs.value()[i][0].tokens, expected.tokens);
    EXPECT_NEAR(outputs.value()[i][0].score, expected.score, 1e-5);
    EXPECT_EQ(outputs.value()[i][0].scores.size(), expected.tokens.size());
  }
  EXPECT_EQ(engine.rows_run, 6 + 2 + 12);
}

TEST(DecodeParallel, RanksCandidateLengths) {
  for (int32_t first = 3; first < 12; ++first) {
    TableEngine engine = length_engine();
    const Ids source = {first, 7, 2};
    ParallelOptions options;
    options.length_beam = 5;
    options.num_best = 5;
    const auto outputs = decode_parallel(&engine, make_batch({source}), options);
    ASSERT_TRUE(outputs.ok());
    float best = -INFINITY;
    for (int32_t length = std::max(2, first - 2); length <= first + 2; ++length)
      best = std::max(best, best_rows(source, length, 9).score);
    EXPECT_NEAR(outputs.value()[0][0].score, best, 1e-5);
    for (size_t i = 1; i < outputs.value()[0].size(); ++i) {
      EXPECT_GE(outputs.value()[0][i - 1].score, outputs.value()[0][i].score);
      EXPECT_NE(outputs.value()[0][i - 1].tokens, outputs.value()[0][i].tokens);
    }
  }
}

TEST(DecodeParallel, GivesEqualOutputsOnce) {
  TableEngine engine = length_engine(5);  // only <unk> and one word remain
  engine.forbidden = {kUnknownToken, 4};
  ParallelOptions options;
  options.length_beam = 5;
  options.num_best = 5;
  const auto outputs = decode_parallel(&engine, make_batch({{9, 2}}), options);
  ASSERT_TRUE(outputs.ok());
  ASSERT_EQ(outputs.value()[0].size(), 1u);
  EXPECT_TRUE(outputs.value()[0][0].tokens.empty());
}

TEST(DecodeParallel, DoesNotDependOnTheBatch) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    SplitMix64 random(seed);
    std::vector<Ids> sources(1 + random.below(9));
    for (Ids& source : sources)
      for (uint64_t i = 0; i <= random.below(6); ++i) source.push_back(static_cast<int32_t>(random.below(40)));
    ParallelOptions options;
    options.length_beam = 1 + static_cast<int>(random.below(5));
    TableEngine engine = length_engine();
    engine.settings().has_transitions = seed % 2 == 0;
    engine.settings().crf_beam = 4;
    const auto together = decode_parallel(&engine, make_batch(sources), options);
    ASSERT_TRUE(together.ok());
    for (size_t i = 0; i < sources.size(); ++i) {
      const auto alone = decode_parallel(&engine, make_batch({sources[i]}), options);
      EXPECT_EQ(together.value()[i][0].tokens, alone.value()[0][0].tokens);
      EXPECT_EQ(together.value()[i][0].score, alone.value()[0][0].score);
    }
  }
}

/// The best path of a CRF over all tokens, by trying every path.
class BestCrfPath {
 public:
  BestCrfPath(Ids source, int32_t length, int32_t vocabulary, const SequenceEngine& engine)
      : source_(std::move(source)), length_(length), vocabulary_(vocabulary), engine_(engine) {
    extend({}, 0);
  }
  Ids path;
  double score = -INFINITY;

 private:
  void extend(const Ids& begin, double total) {
    if (static_cast<int32_t>(begin.size()) == length_) {
      if (total > score) path = begin, score = total;
      return;
    }
    const auto log_p = table_log_probabilities(source_, {length_, static_cast<int32_t>(begin.size())}, vocabulary_);
    for (int32_t v = 0; v < vocabulary_; ++v) {
      Ids longer = begin;
      longer.push_back(v);
      const double transition = begin.empty() ? 0 : engine_.transition(begin.back(), v);
      extend(longer, total + log_p[static_cast<size_t>(v)] + transition);
    }
  }
  Ids source_;
  int32_t length_, vocabulary_;
  const SequenceEngine& engine_;
};

TEST(DecodeParallel, FindsTheBestPathOfACrf) {
  constexpr int32_t kVocabulary = 7;
  for (int32_t word = 0; word < 12; ++word) {
    TableEngine engine = length_engine(kVocabulary);
    engine.settings().has_transitions = true;
    engine.settings().crf_beam = 64;  // more than the vocabulary: all of it
    const Ids source = {2 + word % 4, word, 2};
    const auto outputs = decode_parallel(&engine, make_batch({source}), {});
    ASSERT_TRUE(outputs.ok());
    const BestCrfPath best(source, source[0], kVocabulary, engine);
    Ids tokens;
    for (const int32_t token : best.path)
      if (token > kEndToken) tokens.push_back(token);
    EXPECT_EQ(outputs.value()[0][0].tokens, tokens);
    EXPECT_NEAR(outputs.value()[0][0].score, best.score / source[0], 1e-5);
  }
}

/// The definition: runs of equal tokens, of which blanks are dropped.
Ids collapse_by_runs(const Ids& path) {
  Ids tokens;
  for (size_t begin = 0; begin < path.size();) {
    size_t end = begin;
    while (end < path.size() && path[end] == path[begin]) ++end;
    if (path[begin] > kUnknownToken) tokens.push_back(path[begin]);
    begin = end;
  }
  return tokens;
}

TEST(CollapseCtc, EqualsItsDefinitionOnEveryPath) {
  constexpr int32_t kVocabulary = 6;
  for (int length = 0; length <= 5; ++length) {
    const int paths = static_cast<int>(std::pow(kVocabulary, length));
    for (int number = 0; number < paths; ++number) {
      Ids path;
      for (int i = 0, rest = number; i < length; ++i, rest /= kVocabulary) path.push_back(rest % kVocabulary);
      ASSERT_EQ(collapse_ctc(path), collapse_by_runs(path)) << ::testing::PrintToString(path);
    }
  }
  EXPECT_THAT(collapse_ctc(Ids{0, 4, 4, 3, 4, 5, 5, 3, 3, 2}), ElementsAre(4, 4, 5));
}

TEST(DecodeParallel, CollapsesTheBestCtcPath) {
  TableEngine engine = length_engine(6);
  engine.settings().predicts_length = false;
  engine.settings().length_ratio = 2;
  for (int32_t word = 0; word < 20; ++word) {
    const Ids source = {0, word, 4, 2};
    const auto outputs = decode_parallel(&engine, make_batch({source}), {});
    ASSERT_TRUE(outputs.ok());
    Ids path;
    double score = 0;
    for (int32_t t = 0; t < 8; ++t) {
      const std::vector<double> log_p = table_log_probabilities(source, {8, t}, 6);
      path.push_back(static_cast<int32_t>(std::max_element(log_p.begin(), log_p.end()) - log_p.begin()));
      score += log_p[static_cast<size_t>(path.back())] / 8;
    }
    EXPECT_EQ(outputs.value()[0][0].tokens, collapse_by_runs(path));
    EXPECT_NEAR(outputs.value()[0][0].score, score, 1e-5);
  }
}

TEST(DecodeParallel, LetsAnotherModelRank) {
  TableEngine engine = length_engine();
  TableEngine teacher(9);
  const std::vector<Ids> sources = {{8, 7, 2}, {5, 4, 2}};
  const SourceBatch teacher_batch = make_batch({{7, 2}, {4, 2}});
  ParallelOptions options;
  options.length_beam = 5;
  options.num_best = 5;
  const auto own = decode_parallel(&engine, make_batch(sources), options);
  const auto ranked = decode_parallel(&engine, make_batch(sources), options, &teacher, &teacher_batch);
  ASSERT_TRUE(own.ok());
  ASSERT_TRUE(ranked.ok()) << ranked.status().message();
  bool changed = false;
  for (size_t i = 0; i < sources.size(); ++i) {
    ASSERT_EQ(ranked.value()[i].size(), own.value()[i].size());
    for (size_t j = 0; j < ranked.value()[i].size(); ++j) {
      const Hypothesis& hypothesis = ranked.value()[i][j];
      const auto score = score_targets(&teacher, teacher_batch, {hypothesis.tokens}, {static_cast<int32_t>(i)});
      EXPECT_NEAR(hypothesis.score, score.value()[0], 1e-5);
      if (j > 0) {
        EXPECT_GE(ranked.value()[i][j - 1].score, hypothesis.score);
      }
      changed = changed || hypothesis.tokens != own.value()[i][j].tokens;
    }
  }
  EXPECT_TRUE(changed);
}

TEST(DecodeParallel, RefusesWhatItCannotDo) {
  TableEngine engine = length_engine();
  const SourceBatch batch = make_batch({{8, 7, 2}});
  TableEngine teacher(9);
  EXPECT_THAT(decode_parallel(&teacher, batch, {}).status().message(), HasSubstr("non-autoregressive"));
  EXPECT_THAT(decode_parallel(&engine, batch, {}, &teacher).status().message(), HasSubstr("its sources"));
  TableEngine stranger(10);
  EXPECT_THAT(decode_parallel(&engine, batch, {}, &stranger, &batch).status().message(), HasSubstr("10 target tokens"));
  ParallelOptions none;
  none.length_beam = 0;
  EXPECT_FALSE(decode_parallel(&engine, batch, none).ok());
  EXPECT_TRUE(decode_parallel(&engine, {}, {}).value().empty());
  engine.poison = INFINITY;
  EXPECT_THAT(decode_parallel(&engine, batch, {}).status().message(), HasSubstr("no number"));
}

}  // namespace
}  // namespace litenat::decode
