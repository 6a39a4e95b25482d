// Every measure of sacreBLEU against what sacreBLEU 2.6.0 said of the same lines.
#include <gtest/gtest.h>

#include <iterator>
#include <sstream>

#include "eval/metric_set.h"

namespace litenat::eval {
namespace {

struct GoldenLine {
  const char* hypothesis;
  const char* first_reference;
  const char* second_reference;
};
struct GoldenCorpus {
  const char* configuration;
  int num_references;
  double score;
  const char* text;
};
/// The first references; hypotheses are the baseline, second references the system.
struct GoldenTests {
  const char* bootstrap_text;
  const char* bs_signature;
  double bs_p_value;
  double bs_mean;
  double bs_half_width;
  const char* ar_signature;
  double ar_p_value;
};

#include "eval/golden_scores.inc"

/// "ter normalized asian" -> the options that the words name.
MetricOptions parse(const std::string& configuration) {
  std::istringstream words(configuration);
  std::string word;
  words >> word;
  MetricOptions options;
  options.metrics = parse_metrics(word).value();
  while (words >> word) {
    const std::string value = word.substr(word.find('=') + 1);
    if (word.rfind("tokenize=", 0) == 0) kTokenizerNames.parse(value, &options.bleu.tokenizer);
    if (word.rfind("smooth=", 0) == 0) kSmoothingNames.parse(value, &options.bleu.smoothing);
    if (word.rfind("word=", 0) == 0) options.chrf.word_order = std::stoi(value);
    if (word.rfind("char=", 0) == 0) options.chrf.char_order = std::stoi(value);
    if (word.rfind("beta=", 0) == 0) options.chrf.beta = std::stoi(value);
    if (word == "lowercase") options.bleu.lowercase = options.chrf.lowercase = true;
    if (word == "whitespace") options.chrf.whitespace = true;
    if (word == "eps") options.chrf.eps_smoothing = true;
    if (word == "normalized") options.ter.normalized = true;
    if (word == "no_punct") options.ter.no_punct = true;
    if (word == "asian") options.ter.asian_support = true;
    if (word == "case_sensitive") options.ter.case_sensitive = true;
  }
  return options;
}

struct Lines {
  std::vector<std::string> hypotheses;
  std::vector<std::vector<std::string>> references;
};

Lines golden_lines(int num_references, bool of_system) {
  Lines lines;
  for (const GoldenLine& line : kGoldenLines) {
    lines.hypotheses.emplace_back(of_system ? line.second_reference : line.hypothesis);
    lines.references.push_back({line.first_reference});
    if (num_references == 2) lines.references.back().emplace_back(line.second_reference);
  }
  return lines;
}

MetricSet score_lines(const MetricOptions& options, const Lines& lines) {
  MetricSet metrics(options);
  metrics.add_lines(lines.hypotheses, lines.references, 0, lines.hypotheses.size(), 2);
  return metrics;
}

class GoldenCorpusTest : public testing::TestWithParam<size_t> {};

TEST_P(GoldenCorpusTest, EqualsSacrebleu) {
  const GoldenCorpus& golden = kGoldenCorpora[GetParam()];
  const MetricSet metrics = score_lines(parse(golden.configuration), golden_lines(golden.num_references, false));
  const MetricResult result = metrics.results()[0];
  EXPECT_NEAR(result.score, golden.score, 1e-9) << golden.configuration;
  EXPECT_EQ(result.format(), golden.text) << golden.configuration;
}

INSTANTIATE_TEST_SUITE_P(All, GoldenCorpusTest, testing::Range<size_t>(0, std::size(kGoldenCorpora)));

TEST(GoldenLines, ScoresOfSingleLinesEqualSacrebleu) {
  // Corpora come in pairs (one reference, two references) in the order of the line scores.
  for (size_t c = 0; c < std::size(kGoldenLineScores); ++c) {
    const char* configuration = kGoldenCorpora[2 * c + 1].configuration;
    const MetricSet metrics = score_lines(parse(configuration), golden_lines(2, false));
    for (size_t i = 0; i < std::size(kGoldenLines); ++i)
      EXPECT_NEAR(metrics.line_scores(i)[0], kGoldenLineScores[c][i], 2e-6) << configuration << ", line " << i;
  }
}

class GoldenTestsTest : public testing::TestWithParam<size_t> {
 protected:
  GoldenTestsTest() {
    MetricOptions options;
    options.metrics = {std::vector<MetricKind>{MetricKind::kBleu, MetricKind::kChrf, MetricKind::kTer}[GetParam()]};
    baseline_ = std::make_unique<MetricSet>(score_lines(options, golden_lines(1, false)));
    system_ = std::make_unique<MetricSet>(score_lines(options, golden_lines(1, true)));
  }
  MetricResult compare(PairedTest test) const {
    PairedOptions options;
    options.test = test;
    options.trials = kGoldenTrials;
    std::vector<MetricResult> results;
    EXPECT_TRUE(MetricSet::compare(*baseline_, *system_, options, &results).ok());
    return results.at(0);
  }
  const GoldenTests& golden() const { return kGoldenTests[GetParam()]; }

  std::unique_ptr<MetricSet> baseline_;
  std::unique_ptr<MetricSet> system_;
};

TEST_P(GoldenTestsTest, BootstrapConfidenceEqualsSacrebleu) {
  BootstrapOptions options;
  options.resamples = kGoldenTrials;
  EXPECT_EQ(baseline_->results(options)[0].format(), golden().bootstrap_text);
}

TEST_P(GoldenTestsTest, PairedBootstrapEqualsSacrebleu) {
  const MetricResult result = compare(PairedTest::kBootstrap);
  EXPECT_EQ(result.signature, golden().bs_signature);
  EXPECT_DOUBLE_EQ(result.p_value.value(), golden().bs_p_value);
  EXPECT_NEAR(result.confidence->mean, golden().bs_mean, 1e-4);
  EXPECT_NEAR(result.confidence->half_width, golden().bs_half_width, 1e-4);
}

TEST_P(GoldenTestsTest, PairedRandomisationEqualsSacrebleu) {
  const MetricResult result = compare(PairedTest::kRandomisation);
  EXPECT_EQ(result.signature, golden().ar_signature);
  EXPECT_DOUBLE_EQ(result.p_value.value(), golden().ar_p_value);
  EXPECT_FALSE(result.confidence.has_value());
}

INSTANTIATE_TEST_SUITE_P(All, GoldenTestsTest, testing::Range<size_t>(0, std::size(kGoldenTests)));

}  // namespace
}  // namespace litenat::eval
