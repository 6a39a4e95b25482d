// BLEU and chrF against numbers that sacreBLEU 2.6.0 printed for these sentences (corpus_score, default settings).
#include <gtest/gtest.h>

#include "eval/bleu.h"
#include "eval/metric_set.h"
#include "eval/tokenizer.h"

namespace litenat::eval {
namespace {

struct Corpus {
  std::vector<std::string> hypotheses;
  std::vector<std::vector<std::string>> references;  // [set][line]

  std::vector<std::string> references_of(size_t line, size_t sets) const {
    std::vector<std::string> result;
    for (size_t set = 0; set < sets; ++set) result.push_back(references[set][line]);
    return result;
  }
};

const Corpus kEnglish{{"The cat sat on the mat, didn't it?", "It costs $3.50 (or 4,000 yen) - 10-20% more.",
                       "A completely different line", "state-of-the-art e-mail &amp; \"quotes\" &lt;b&gt;", "short"},
                      {{"The cat is sitting on the mat, isn't it?", "It costs $3.50 (about 4,000 yen) - 10-25% more.",
                        "Nothing in common here at all", "state-of-the-art email & \"quotes\" <b>", "short one here"},
                       {"A cat sat on the mat, didn't it?", "That is 3.50 dollars, or 4,000 yen: 10-20% more.",
                        "An entirely different line", "e-mail of the state of the art & \"quotes\"", "a short one"}}};

const Corpus kChinese{{"今天天气很好，我们去公园吧。", "他买了3.5公斤苹果（10元）——很便宜", "完全不同的句子",
                       "iPhone 15 发布了“新品”", "好"},
                      {{"今天天气真好，我们去公园玩吧。", "他买了3.5公斤的苹果（10块）——非常便宜", "这里没有相同之处",
                        "iPhone 15 发布“新产品”了", "好的"},
                       {"今天的天气很好，咱们去公园吧。", "他花10元买了3.5公斤苹果——便宜", "全不同的一句",
                        "“新品”iPhone 15 发布了", "很好"}}};

struct Golden {
  const Corpus* corpus;
  Tokenizer tokenizer;
  size_t sets;
  double bleu;
  double last_precision;
  double brevity_penalty;
  int64_t hypothesis_length;
  int64_t reference_length;
};

class BleuGolden : public testing::TestWithParam<Golden> {};

TEST_P(BleuGolden, EqualsSacrebleu) {
  const Golden& golden = GetParam();
  Bleu bleu(golden.tokenizer);
  for (size_t i = 0; i < golden.corpus->hypotheses.size(); ++i)
    bleu.add(golden.corpus->hypotheses[i], golden.corpus->references_of(i, golden.sets));
  const BleuScore score = bleu.score();
  EXPECT_NEAR(score.score, golden.bleu, 1e-10);
  EXPECT_NEAR(score.precisions[3], golden.last_precision, 1e-9);
  EXPECT_NEAR(score.brevity_penalty, golden.brevity_penalty, 1e-9);
  EXPECT_EQ(score.hypothesis_length, golden.hypothesis_length);
  EXPECT_EQ(score.reference_length, golden.reference_length);
  EXPECT_EQ(bleu.signature(), "nrefs:" + std::to_string(golden.sets) + "|case:mixed|eff:no|tok:" +
                                  kTokenizerNames.name(golden.tokenizer) + "|smooth:exp|version:2.6.0");
}

INSTANTIATE_TEST_SUITE_P(
    Metrics, BleuGolden,
    testing::Values(Golden{&kEnglish, Tokenizer::k13a, 1, 47.969890241688, 37.037037037, 0.8824969026, 40, 45},
                    Golden{&kEnglish, Tokenizer::k13a, 2, 76.589467850818, 66.6666666667, 0.9512294245, 40, 42},
                    Golden{&kEnglish, Tokenizer::kZh, 1, 34.973514069299, 18.1818181818, 1, 46, 45},
                    Golden{&kEnglish, Tokenizer::kZh, 2, 58.082343636688, 42.4242424242, 1, 46, 44},
                    Golden{&kEnglish, Tokenizer::kChar, 1, 59.386598868422, 48.7603305785, 0.9710165518, 136, 140},
                    Golden{&kEnglish, Tokenizer::kChar, 2, 82.126318036766, 76.0330578512, 1, 136, 130},
                    Golden{&kEnglish, Tokenizer::kNone, 1, 15.209175452720, 3.5714285714, 0.8309503899, 27, 32},
                    Golden{&kEnglish, Tokenizer::kNone, 2, 44.659546436784, 28.5714285714, 0.9286029059, 27, 29},
                    Golden{&kChinese, Tokenizer::k13a, 1, 0, 0, 1, 7, 7},
                    Golden{&kChinese, Tokenizer::kZh, 1, 43.230682114245, 28.5714285714, 0.8824969026, 48, 54},
                    Golden{&kChinese, Tokenizer::kZh, 2, 74.369707883377, 54.2857142857, 1, 48, 47},
                    Golden{&kChinese, Tokenizer::kChar, 1, 53.782685762285, 43.1818181818, 0.9000876263, 57, 63},
                    Golden{&kChinese, Tokenizer::kChar, 2, 80.166689021858, 63.6363636364, 1, 57, 56},
                    Golden{&kChinese, Tokenizer::kNone, 2, 0, 0, 1, 7, 7}));

double chrf_of(const Corpus& corpus, size_t sets) {
  MetricOptions options;
  options.metrics = {MetricKind::kChrf};
  MetricSet metrics(options);
  for (size_t i = 0; i < corpus.hypotheses.size(); ++i)
    metrics.add(corpus.hypotheses[i], corpus.references_of(i, sets));
  return metrics.results()[0].score;
}

TEST(Chrf, EqualsSacrebleu) {
  EXPECT_NEAR(chrf_of(kEnglish, 1), 52.982526151332, 1e-10);
  EXPECT_NEAR(chrf_of(kEnglish, 2), 72.589368489220, 1e-10);
  EXPECT_NEAR(chrf_of(kChinese, 1), 47.295273738891, 1e-10);
  EXPECT_NEAR(chrf_of(kChinese, 2), 58.133149260716, 1e-10);
}

TEST(Bleu, EmptyCorpusAndHypothesesScoreZero) {
  EXPECT_EQ(Bleu(Tokenizer::k13a).score().score, 0);
  Bleu bleu(Tokenizer::kChar);
  bleu.add("", {"some words"});
  EXPECT_EQ(bleu.score().score, 0);
  EXPECT_EQ(bleu.score().brevity_penalty, 0);
}

std::string join(const std::vector<std::string>& tokens) {
  std::string text;
  for (const std::string& token : tokens) text += (text.empty() ? "" : " ") + token;
  return text;
}

TEST(Tokenizer, EqualsSacrebleu) {
  const std::string western = "Hello, world. 3.14 and 1,000; a-b 5-6 ... x.y (z)! don't";
  const std::string expected = "Hello , world . 3.14 and 1,000 ; a-b 5 - 6 . . . x . y ( z ) ! don't";
  EXPECT_EQ(join(tokenize(Tokenizer::k13a, western)), expected);
  EXPECT_EQ(join(tokenize(Tokenizer::kZh, western)), expected);
  const std::string mixed = "“引号”—dash… a,b.c ,.5 5., .";
  EXPECT_EQ(join(tokenize(Tokenizer::k13a, mixed)), "“引号”—dash… a , b . c , .5 5 . , .");
  EXPECT_EQ(join(tokenize(Tokenizer::kZh, mixed)), "“ 引 号 ” — dash … a , b . c , .5 5 . , .");
  const std::string escapes = "x<skipped>y &quot;q&quot; &amp;lt; tab\tno\u00a0break\u3000ideographic";
  EXPECT_EQ(join(tokenize(Tokenizer::k13a, escapes)), "xy \" q \" < tab no break ideographic");
  EXPECT_EQ(join(tokenize(Tokenizer::kZh, escapes)),
            "x < skipped > y & quot ; q & quot ; & amp ; lt ; tab no break ideographic");
}

TEST(Tokenizer, SurvivesMalformedText) {
  EXPECT_EQ(tokenize(Tokenizer::kChar, "a\xFF\xE4").size(), 3u);
  EXPECT_EQ(tokenize(Tokenizer::kZh, std::string("\0 .", 3)).size(), 2u);
  EXPECT_TRUE(tokenize(Tokenizer::k13a, "").empty());
}

}  // namespace
}  // namespace litenat::eval
