#include "data/segmenter.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/utf8.h"
#include "data/resources.h"

namespace litenat::data {
namespace {

class SegmenterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::vector<text::LexiconEntry> entries;
    read_word_list(
        "研\tyan\t10\n究\tjiu\t10\n生\tsheng\t30\n命\tming\t20\n起\tqi\t20\n源\tyuan\t10\n研究\tyan jiu\t50\n"
        "研究生\tyan jiu sheng\t20\n生命\tsheng ming\t60\n起源\tqi yuan\t20\n长\tchang\t5\n长\tzhang\t5\n长大\tzhang "
        "da\t9\n大\tda\t9\n",
        "test", &entries);
    for (const auto& entry : entries) {
      for (const auto character : split_characters(entry.word)) targets_.add(character, 1);
    }
    targets_.add("龘", 1);
    build_ = text::build_lexicon(entries, targets_).value();
    lexicon_ = text::Lexicon::parse(build_.blob, "test").value();
    for (const auto& word : build_.words) {
      double weight = 0;
      for (const auto& entry : entries) weight += entry.word == word ? entry.weight : 0;
      weights_.push_back(weight);
    }
  }

  std::string segment(const std::string& text, const std::vector<std::string>& pinyin = {}) const {
    std::vector<int32_t> ids;
    for (const auto character : split_characters(text)) ids.push_back(targets_.find(character));
    std::vector<text::SyllableId> syllables;
    for (const auto& name : pinyin) syllables.push_back(text::find_syllable(name));
    std::vector<text::WordId> words;
    Segmenter(lexicon_, weights_).segment(ids, syllables, &words);
    std::string result;
    for (const text::WordId word : words) result += (word == text::kNoWord ? "?" : build_.words[word]) + "|";
    return result;
  }

  text::Dictionary targets_;
  text::LexiconBuild build_;
  text::Lexicon lexicon_;
  std::vector<double> weights_;
};

TEST_F(SegmenterTest, ChoosesTheLikeliestWords) {
  EXPECT_EQ(segment("研究生命起源"), "研究|生命|起源|");
  EXPECT_EQ(segment("研究生"), "研究生|");
  EXPECT_EQ(segment(""), "");
  EXPECT_EQ(segment("生龘生"), "生|?|生|");
}

TEST_F(SegmenterTest, WordsMustHaveTheAnnotatedReading) {
  EXPECT_EQ(segment("长大", {"zhang", "da"}), "长大|");
  EXPECT_EQ(segment("长大", {"chang", "da"}), "长|大|");
  EXPECT_EQ(segment("长大"), "长大|");
}

TEST_F(SegmenterTest, ScoreIsTheSumOfLogFrequencies) {
  double total = 0;
  for (const double weight : weights_) total += weight + 0.5;
  std::vector<text::WordId> words;
  const std::vector<int32_t> ids = {targets_.find("生"), targets_.find("命")};
  EXPECT_NEAR(Segmenter(lexicon_, weights_).segment(ids, {}, &words), std::log(60.5 / total), 1e-9);
}

}  // namespace
}  // namespace litenat::data
