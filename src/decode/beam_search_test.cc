#include "decode/beam_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>

#include "base/random.h"
#include "decode/sequence_test_support.h"

namespace litenat::decode {
namespace {

using testing::table_log_probabilities;
using testing::TableEngine;

SourceBatch make_batch(const std::vector<std::vector<int32_t>>& sentences) {
  SourceBatch batch;
  for (const auto& sentence : sentences) {
    batch.ids.insert(batch.ids.end(), sentence.begin(), sentence.end());
    batch.lengths.push_back(static_cast<int32_t>(sentence.size()));
  }
  return batch;
}

/// Every output of a sentence that the options allow, best first.
class Enumeration {
 public:
  Enumeration(std::vector<int32_t> source, int32_t vocabulary, const BeamOptions& options, int32_t longest,
              std::vector<int32_t> prefix = {})
      : source_(std::move(source)),
        vocabulary_(vocabulary),
        options_(options),
        longest_(longest),
        prefix_(std::move(prefix)) {
    extend({}, 0);
    std::sort(outputs.begin(), outputs.end(), [](const Output& a, const Output& b) { return a.score > b.score; });
  }

  struct Output {
    std::vector<int32_t> tokens;
    double score;
  };
  std::vector<Output> outputs;

 private:
  void extend(const std::vector<int32_t>& tokens, double total) {
    std::vector<int32_t> history = {kEndToken};
    history.insert(history.end(), tokens.begin(), tokens.end());
    const std::vector<double> log_p = table_log_probabilities(source_, history, vocabulary_);
    const auto length = static_cast<int32_t>(tokens.size());
    const bool in_prefix = tokens.size() < prefix_.size();
    if (!in_prefix && (length >= options_.min_length || length == longest_))
      outputs.push_back({tokens, (total + log_p[kEndToken]) / std::pow(length + 1, options_.length_penalty)});
    if (length == longest_) return;
    for (int32_t v = 0; v < vocabulary_; ++v) {
      if (v == kPadToken || v == kEndToken || (in_prefix && v != prefix_[tokens.size()])) continue;
      std::vector<int32_t> longer = tokens;
      longer.push_back(v);
      const double penalty = v == kUnknownToken ? options_.unknown_penalty : 0;
      extend(longer, total + log_p[static_cast<size_t>(v)] - penalty);
    }
  }

  std::vector<int32_t> source_;
  int32_t vocabulary_;
  BeamOptions options_;
  int32_t longest_;
  std::vector<int32_t> prefix_;
};

constexpr int32_t kVocabulary = 6;  // two words besides the specials

/// Compares a search that is wide enough for every output with the enumeration.
void expect_equals_enumeration(const BeamOptions& options, int32_t longest, const std::vector<int32_t>& prefix,
                               uint64_t seed) {
  SplitMix64 random(seed);
  const std::vector<int32_t> source = {static_cast<int32_t>(random.below(50)), static_cast<int32_t>(random.below(50)),
                                       kEndToken};
  TableEngine engine(kVocabulary);
  const auto found = beam_search(&engine, make_batch({source}), options, {prefix});
  ASSERT_TRUE(found.ok()) << found.status().message();
  const Enumeration all(source, kVocabulary, options, longest, prefix);
  ASSERT_EQ(found.value()[0].size(), std::min(all.outputs.size(), static_cast<size_t>(options.num_best)));
  for (size_t i = 0; i < found.value()[0].size(); ++i) {
    const Hypothesis& hypothesis = found.value()[0][i];
    EXPECT_EQ(hypothesis.tokens, all.outputs[i].tokens) << "output " << i << " of seed " << seed;
    EXPECT_NEAR(hypothesis.score, all.outputs[i].score, 1e-4);
    ASSERT_EQ(hypothesis.scores.size(), hypothesis.tokens.size() + 1);
    double sum = 0;
    for (const float score : hypothesis.scores) sum += score;
    EXPECT_NEAR(sum / std::pow(hypothesis.scores.size(), options.length_penalty), hypothesis.score, 1e-4);
  }
}

BeamOptions wide_options() {
  BeamOptions options;
  options.beam = 128;  // more than there are outputs of at most three tokens: 85
  options.num_best = 100;
  options.max_length_b = 3;
  options.min_length = 0;
  return options;
}

TEST(BeamSearch, FindsEveryOutputWhenWideEnough) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    for (const double penalty : {1.0, 0.0, 0.6, 2.0}) {
      BeamOptions options = wide_options();
      options.length_penalty = penalty;
      expect_equals_enumeration(options, 3, {}, seed);
    }
  }
}

TEST(BeamSearch, KeepsToMinimumAndMaximumLength) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    BeamOptions options = wide_options();
    options.min_length = 2;
    expect_equals_enumeration(options, 3, {}, seed);
    options.max_length_a = 2.0 / 3;  // the source has three tokens
    options.max_length_b = 0;
    expect_equals_enumeration(options, 2, {}, seed);
    options.max_length_a = 0;  // </s> is forced even before the least length
    expect_equals_enumeration(options, 0, {}, seed);
  }
}

TEST(BeamSearch, ContinuesPrefixes) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    expect_equals_enumeration(wide_options(), 3, {4}, seed);
    expect_equals_enumeration(wide_options(), 3, {5, 3, 0}, seed);
    expect_equals_enumeration(wide_options(), 5, {5, 4, 4, 5, 3}, seed);  // longer than max_length_b
  }
}

TEST(BeamSearch, PenalisesOrPrefersUnknownTokens) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    BeamOptions options = wide_options();
    for (const double penalty : {1.5, -2.5}) {
      options.unknown_penalty = penalty;
      expect_equals_enumeration(options, 3, {}, seed);
    }
  }
}

TEST(BeamSearch, PrefersAnUnknownTokenThatIsNotAmongTheCandidates) {
  BeamOptions options;
  options.beam = 1;
  options.max_length_b = 5;
  options.unknown_penalty = -1000;
  TableEngine engine(500);
  const auto found = beam_search(&engine, make_batch({{7, 2}}), options);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found.value()[0][0].tokens, std::vector<int32_t>(5, kUnknownToken));
}

// What SequenceGenerator of fairseq 0.12.2 gives for the same table of logits, 12 tokens: the best three of each
// sentence (min_len 1 unless said). Made once by running it.
struct Golden {
  const char* name;
  size_t sentence;
  std::vector<int32_t> tokens;
  float score;
};
const std::vector<Golden>& fairseq_outputs() {
  static const std::vector<Golden> outputs = {
      {"plain", 0, {7, 0, 6}, -1.24461F},
      {"plain", 0, {7, 0, 3}, -1.35886F},
      {"plain", 0, {7, 0}, -1.37136F},
      {"plain", 1, {7, 5, 4}, -1.43263F},
      {"plain", 1, {7, 5, 4, 0}, -1.47078F},
      {"plain", 1, {7, 5, 4, 0, 3, 8, 11}, -1.54467F},
      {"plain", 2, {0, 9}, -1.33428F},
      {"plain", 2, {0, 9, 6, 11, 8, 8, 7}, -1.37393F},
      {"plain", 2, {0, 9, 6, 11, 11, 7, 3}, -1.39799F},
      {"plain", 3, {10, 4, 11}, -1.24194F},
      {"plain", 3, {3, 10, 10, 8}, -1.36309F},
      {"plain", 3, {10, 4, 11, 10, 10, 5, 11}, -1.43067F},
      {"penalty", 0, {7, 0, 6, 5}, -2.54990F},
      {"penalty", 0, {7, 0, 6, 9, 7, 10, 7, 0}, -3.42527F},
      {"penalty", 0, {7, 0, 6, 9, 7, 10, 0, 4}, -3.73857F},
      {"penalty", 1, {3, 8, 11, 3, 6, 7, 3, 10}, -3.41014F},
      {"penalty", 1, {3, 8, 11, 3, 6, 7, 3, 3}, -3.53339F},
      {"penalty", 1, {3, 8, 11, 3, 6, 7, 8, 6}, -3.70493F},
      {"penalty", 2, {0, 9, 6, 11, 8, 8, 7, 11}, -3.71629F},
      {"penalty", 2, {0, 9, 6, 11, 8, 8, 8, 5}, -3.73706F},
      {"penalty", 2, {0, 9, 6, 11, 8, 8, 8, 3}, -4.00934F},
      {"penalty", 3, {10, 4, 11, 10, 10, 5, 11, 4}, -3.05814F},
      {"penalty", 3, {10, 4, 11, 10, 10, 0, 3, 5}, -3.11266F},
      {"penalty", 3, {10, 4, 11, 10, 10, 5, 3, 3}, -3.22010F},
      {"unknown", 0, {7, 0, 6}, -0.31115F},
      {"unknown", 0, {7, 0}, -0.45712F},
      {"unknown", 1, {7, 5, 4}, -0.35816F},
      {"unknown", 1, {11, 9}, -0.54293F},
      {"unknown", 2, {0, 9, 6, 11, 8, 8}, -0.23388F},
      {"unknown", 2, {0, 9}, -0.44476F},
      {"unknown", 3, {10, 4, 11, 10, 10, 5}, -0.20757F},
      {"unknown", 3, {10, 4, 11}, -0.31048F},
      {"greedy", 0, {8, 4, 4, 4}, -1.35048F},
      {"greedy", 1, {7, 5, 4, 0, 6, 10, 5, 4}, -1.43207F},
      {"greedy", 2, {0, 9, 6, 11, 8, 5, 11, 3, 5}, -1.65408F},
      {"greedy", 3, {10, 4, 11}, -1.24194F},
      {"prefix", 0, {4, 7, 10, 7, 6}, -1.94798F},
      {"prefix", 0, {4, 7, 10, 7, 6, 11}, -1.99471F},
      {"prefix", 0, {4, 7, 10, 7, 6, 0}, -2.14544F},
      {"prefix", 1, {8, 8, 11, 6, 6, 9}, -1.96149F},
      {"prefix", 1, {8, 8, 10, 5, 5}, -2.04223F},
      {"prefix", 1, {8, 8, 10, 5, 5, 11}, -2.09013F},
      {"prefix", 2, {5, 3, 3, 3, 8, 0}, -2.23018F},
      {"prefix", 2, {5, 3, 3, 9, 4, 7}, -2.24500F},
      {"prefix", 2, {5, 3, 3, 3}, -2.30116F},
      {"prefix", 3, {11, 4, 7}, -1.63661F},
      {"prefix", 3, {11, 4, 7, 10, 0, 5}, -1.77665F},
      {"prefix", 3, {11, 4, 10, 7, 6, 3}, -2.01299F},
  };
  return outputs;
}

BeamOptions beam_options(int beam, double longest, double length_penalty = 1, int min_length = 1,
                         double unknown_penalty = 0) {
  BeamOptions options;
  options.beam = options.num_best = beam;
  options.max_length_b = longest;
  options.length_penalty = length_penalty;
  options.min_length = min_length;
  options.unknown_penalty = unknown_penalty;
  return options;
}

TEST(BeamSearch, EqualsFairseq) {
  const std::map<std::string, BeamOptions> options = {{"plain", beam_options(4, 7)},
                                                      {"penalty", beam_options(3, 8, 0.6, 4)},
                                                      {"unknown", beam_options(2, 6, 2.0, 1, 1.5)},
                                                      {"greedy", beam_options(1, 9)},
                                                      {"prefix", beam_options(3, 6)}};
  TableEngine engine(12);
  const SourceBatch batch = make_batch({{5, 6, 2}, {7, 2}, {9, 4, 11, 8, 2}, {10, 10, 10, 2}});
  for (const auto& [name, beam] : options) {
    const std::vector<std::vector<int32_t>> prefixes = {{4, 7}, {8, 8}, {5, 3}, {11, 4}};
    const auto found = beam_search(&engine, batch, beam, name == "prefix" ? prefixes : decltype(prefixes)());
    ASSERT_TRUE(found.ok()) << found.status().message();
    std::map<size_t, size_t> next;
    for (const Golden& golden : fairseq_outputs()) {
      if (golden.name != name) continue;
      const Hypothesis& hypothesis = found.value()[golden.sentence].at(next[golden.sentence]++);
      EXPECT_EQ(hypothesis.tokens, golden.tokens) << name << ", sentence " << golden.sentence;
      EXPECT_NEAR(hypothesis.score, golden.score, 2e-5) << name << ", sentence " << golden.sentence;
    }
    EXPECT_EQ(next.size(), 4u) << name;
  }
}

std::vector<std::vector<int32_t>> random_sentences(SplitMix64* random, size_t count) {
  std::vector<std::vector<int32_t>> sentences(count);
  for (auto& sentence : sentences) {
    for (uint64_t i = 0; i <= random->below(9); ++i) sentence.push_back(static_cast<int32_t>(random->below(40)));
    sentence.push_back(kEndToken);
  }
  return sentences;
}

TEST(BeamSearch, DoesNotDependOnTheBatch) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    SplitMix64 random(seed);
    const auto sentences = random_sentences(&random, 1 + random.below(12));
    BeamOptions options = beam_options(1 + static_cast<int>(random.below(6)), 3);
    options.max_length_a = 1.5;
    TableEngine together(20);
    const auto all = beam_search(&together, make_batch(sentences), options);
    ASSERT_TRUE(all.ok());
    int64_t rows_alone = 0;
    for (size_t i = 0; i < sentences.size(); ++i) {
      TableEngine alone(20);
      const auto one = beam_search(&alone, make_batch({sentences[i]}), options);
      ASSERT_TRUE(one.ok());
      ASSERT_EQ(all.value()[i].size(), one.value()[0].size());
      for (size_t j = 0; j < one.value()[0].size(); ++j) {
        EXPECT_EQ(all.value()[i][j].tokens, one.value()[0][j].tokens);
        EXPECT_EQ(all.value()[i][j].score, one.value()[0][j].score);
      }
      rows_alone += alone.rows_run;
    }
    EXPECT_EQ(together.rows_run, rows_alone);  // sentences that are finished leave the rows
  }
}

TEST(BeamSearch, SkipsWhatHasNoProbability) {
  TableEngine engine(kVocabulary);
  engine.forbidden = {0, kPadToken, kUnknownToken, 4};
  const auto found = beam_search(&engine, make_batch({{9, 2}}), beam_options(5, 4));
  ASSERT_TRUE(found.ok());
  for (const Hypothesis& hypothesis : found.value()[0]) EXPECT_THAT(hypothesis.tokens, ::testing::Each(5));
  EXPECT_EQ(found.value()[0].size(), 4u);  // one to four times 5
  engine.forbidden.push_back(kEndToken);
  const auto endless = beam_search(&engine, make_batch({{9, 2}}), beam_options(5, 4));
  ASSERT_TRUE(endless.ok());
  ASSERT_EQ(endless.value()[0].size(), 1u);
  EXPECT_TRUE(endless.value()[0][0].tokens.empty());
  EXPECT_TRUE(std::isinf(endless.value()[0][0].score));
}

TEST(BeamSearch, StopsAtTheModelsLongestTarget) {
  TableEngine engine(kVocabulary);
  engine.settings().max_target = 4;  // </s> and three tokens are read
  BeamOptions options = wide_options();
  options.max_length_b = 200;
  const auto found = beam_search(&engine, make_batch({{9, 2}}), options);
  ASSERT_TRUE(found.ok());
  size_t longest = 0;
  for (const Hypothesis& hypothesis : found.value()[0]) longest = std::max(longest, hypothesis.tokens.size());
  EXPECT_EQ(longest, 3u);
}

TEST(BeamSearch, RefusesWhatItCannotDo) {
  TableEngine engine(kVocabulary);
  engine.settings().max_source = 3;
  engine.settings().max_target = 4;
  const SourceBatch batch = make_batch({{9, 2}});
  const auto message = [&](const SourceBatch& sources, const BeamOptions& options,
                           const std::vector<std::vector<int32_t>>& prefixes) {
    return beam_search(&engine, sources, options, prefixes).status().message();
  };
  using ::testing::HasSubstr;
  EXPECT_THAT(message(batch, beam_options(0, 3), {}), HasSubstr("beam is 0"));
  BeamOptions many = beam_options(2, 3);
  many.num_best = 3;
  EXPECT_THAT(message(batch, many, {}), HasSubstr("num_best is 3"));
  EXPECT_THAT(message(make_batch({{9, 9, 9, 2}}), beam_options(2, 3), {}), HasSubstr("expected at most 3"));
  EXPECT_THAT(message(batch, beam_options(2, 3), {{4}, {4}}), HasSubstr("2 prefixes"));
  EXPECT_THAT(message(batch, beam_options(2, 3), {{kEndToken}}), HasSubstr("token 2"));
  EXPECT_THAT(message(batch, beam_options(2, 3), {{kVocabulary}}), HasSubstr("token 6"));
  EXPECT_THAT(message(batch, beam_options(2, 3), {{4, 4, 4, 4}}), HasSubstr("fewer than 4"));
  EXPECT_THAT(message({{9, 2}, {1, 0}}, beam_options(2, 3), {}), HasSubstr("has 0 tokens"));
  EXPECT_THAT(message({{9, 2}, {1}}, beam_options(2, 3), {}), HasSubstr("2 ids, expected 1"));
  EXPECT_EQ(message({}, beam_options(2, 3), {}), "");
  TableEngine parallel(kVocabulary, /*autoregressive=*/false);
  EXPECT_FALSE(beam_search(&parallel, batch, beam_options(2, 3)).ok());
  EXPECT_FALSE(score_targets(&parallel, batch, {{4}}, {0}).ok());
  engine.poison = NAN;
  EXPECT_THAT(message(batch, beam_options(2, 3), {}), HasSubstr("no number"));
}

TEST(ScoreTargets, IsTheMeanOfLogProbabilities) {
  TableEngine engine(kVocabulary);
  engine.settings().max_target = 4;
  const std::vector<std::vector<int32_t>> sources = {{9, 2}, {7, 8, 2}};
  const std::vector<std::vector<int32_t>> targets = {{4, 5, 3}, {}, {5}, {4, 4, 4, 4}};
  const std::vector<int32_t> owners = {1, 0, 1, 0};
  const auto scores = score_targets(&engine, make_batch(sources), targets, owners);
  ASSERT_TRUE(scores.ok());
  for (size_t i = 0; i < 3; ++i) {
    std::vector<int32_t> history = {kEndToken};
    std::vector<int32_t> wanted = targets[i];
    wanted.push_back(kEndToken);
    double sum = 0;
    for (const int32_t token : wanted) {
      sum += table_log_probabilities(sources[static_cast<size_t>(owners[i])], history,
                                     kVocabulary)[static_cast<size_t>(token)];
      history.push_back(token);
    }
    EXPECT_NEAR(scores.value()[i], sum / static_cast<double>(wanted.size()), 1e-5);
  }
  EXPECT_TRUE(std::isinf(scores.value()[3]));  // longer than the model takes
  EXPECT_FALSE(score_targets(&engine, make_batch(sources), targets, {0}).ok());
}

}  // namespace
}  // namespace litenat::decode
