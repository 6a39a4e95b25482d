#include "eval/unicode.h"

#include <gtest/gtest.h>

#include "eval/metric_set.h"
#include "eval/numpy_generator.h"
#include "eval/statistics.h"

namespace litenat::eval {
namespace {

TEST(Unicode, CategoriesAreThoseOfTheStandard) {
  EXPECT_EQ(category_of('$'), Category::kSymbol);
  EXPECT_EQ(category_of('%'), Category::kPunctuation);
  EXPECT_EQ(category_of('7'), Category::kNumber);
  EXPECT_EQ(category_of(' '), Category::kOther);
  EXPECT_EQ(category_of(0x3002), Category::kPunctuation);  // ideographic full stop
  EXPECT_EQ(category_of(0x20AC), Category::kSymbol);       // euro
  EXPECT_EQ(category_of(0x0663), Category::kNumber);       // Arabic-Indic three
  EXPECT_EQ(category_of(0x1F600), Category::kSymbol);
  EXPECT_EQ(category_of(0x4E00), Category::kOther);
  EXPECT_EQ(category_of(0x10FFFF), Category::kOther);
}

TEST(Unicode, LowerCaseIsPythons) {
  EXPECT_EQ(to_lower("ABC xyz ÄÖÜ ẞ"), "abc xyz äöü ß");
  EXPECT_EQ(to_lower("ΟΔΟΣ ΣΑΣ. Σ 'Σ' ΑΣ'Β"), "οδος σας. σ 'σ' ασ'β");
  EXPECT_EQ(to_lower("İ"), "i\u0307");
  EXPECT_EQ(to_lower("ǅ ĀĂĄ ЖЇ Ⅷ Ꭰ 𐐀"), "ǆ āăą жї ⅷ ꭰ 𐐨");
  EXPECT_EQ(to_lower("\xFF"), "\uFFFD");
}

TEST(Unicode, SplitsAndStripsAsPython) {
  EXPECT_EQ(split_words(" a\u00a0b\u3000\u2009c\x1f d\u200be ").size(), 4u);
  EXPECT_EQ(strip_right("a \u3000\u0085"), "a");
  EXPECT_EQ(strip_right(" \u3000"), "");
  EXPECT_EQ(strip_both("\u2028 a é\n"), "a é");
  EXPECT_EQ(clean_utf8("a\xC3"), "a\uFFFD");
}

TEST(NumpyGenerator, DrawsWhatNumpyDraws) {
  NumpyGenerator raw(12345);
  EXPECT_EQ(raw.next64(), 4193609425186963869u);
  EXPECT_EQ(raw.next64(), 5843160025838961886u);
  NumpyGenerator generator(0);
  for (const uint32_t value : {850u, 636u, 511u, 269u, 307u, 40u, 75u, 16u, 175u, 813u})
    EXPECT_EQ(generator.below(1000), value);
  NumpyBits bits(&generator);
  for (const char bit : std::string("0111001000111000000000100110010110011110")) EXPECT_EQ(bits.next(), bit == '1');
  for (const uint32_t value : {1510880916u, 1819907326u, 1896812393u}) EXPECT_EQ(generator.below(3000000000u), value);
}

TEST(Wilson, KnownIntervals) {
  const Interval half = wilson_interval(5, 10);
  EXPECT_NEAR(half.low, 0.236593, 1e-6);
  EXPECT_NEAR(half.high, 0.763407, 1e-6);
  const Interval none = wilson_interval(0, 10);
  EXPECT_EQ(none.low, 0);
  EXPECT_NEAR(none.high, 0.277533, 1e-6);
  EXPECT_EQ(wilson_interval(0, 0).high, 1);
}

TEST(MetricSet, NamesAreChecked) {
  EXPECT_EQ(parse_metrics("ter,bleu").value(), (std::vector<MetricKind>{MetricKind::kTer, MetricKind::kBleu}));
  for (const char* list : {"", "bleu,", "bleu,bleu", "rouge"}) EXPECT_FALSE(parse_metrics(list).ok()) << list;
}

TEST(MetricSet, EmptyAndHostileLinesHaveScores) {
  MetricSet empty;
  for (const MetricResult& result : empty.results()) EXPECT_EQ(result.score, 0) << result.key;
  for (const MetricResult& result : empty.results(BootstrapOptions())) EXPECT_FALSE(result.confidence.has_value());
  MetricSet metrics;
  const std::string long_line(1 << 14, 'x');
  std::string long_words;
  for (int i = 0; i < 3000; ++i) long_words += i % 3 == 0 ? "a " : "b ";
  for (const std::string& line :
       {std::string(), std::string("\xFF\xFE\xE4\xBD"), std::string("\0. ,", 4), long_line, long_words})
    metrics.add(line, {long_line, "", "\xED\xA0\x80 a", long_words});
  for (const MetricResult& result : metrics.results()) EXPECT_TRUE(result.score >= 0) << result.key;
  EXPECT_EQ(metrics.results()[0].signature, "nrefs:4|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0");
}

TEST(MetricSet, ThreadsAndBlocksDoNotMatter) {
  std::vector<std::string> hypotheses;
  std::vector<std::vector<std::string>> references;
  for (int i = 0; i < 300; ++i) {
    hypotheses.push_back("line " + std::to_string(i) + " says this");
    references.push_back({"line " + std::to_string(i / 2) + " says that"});
    if (i % 7 == 0) references.back().push_back("another");
  }
  MetricSet one;
  for (size_t i = 0; i < hypotheses.size(); ++i) one.add(hypotheses[i], references[i]);
  MetricSet many;
  many.add_lines(hypotheses, references, 0, 100, 4);
  many.add_lines(hypotheses, references, 100, 200, 3);
  for (size_t m = 0; m < one.metrics().size(); ++m) {
    EXPECT_EQ(one.results()[m].score, many.results()[m].score);
    EXPECT_EQ(one.results()[m].signature, many.results()[m].signature);
  }
  EXPECT_EQ(one.results()[0].signature.substr(0, 9), "nrefs:var");
}

TEST(MetricSet, ComparesOnlyEqualSets) {
  MetricSet a;
  MetricSet b;
  a.add("x", {"x"});
  std::vector<MetricResult> results;
  EXPECT_FALSE(MetricSet::compare(a, b, {}, &results).ok());
}

}  // namespace
}  // namespace litenat::eval
