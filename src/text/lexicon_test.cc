#include "text/lexicon.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"

namespace litenat::text {
namespace {

std::vector<SyllableId> syllables(const std::vector<std::string>& names) {
  std::vector<SyllableId> result;
  for (const std::string& name : names) result.push_back(find_syllable(name));
  return result;
}

Dictionary make_targets() {
  Dictionary targets;
  for (const char* token : {"的", "地", "你", "好", "中", "国", "种", "马", "龘"}) targets.add(token, 1);
  return targets;
}

std::vector<LexiconEntry> make_entries() {
  return {{"的", syllables({"de"}), 90},
          {"的", syllables({"di"}), 10},
          {"地", syllables({"di"}), 50},
          {"地", syllables({"de"}), 40},
          {"你", syllables({"ni"}), 80},
          {"好", syllables({"hao"}), 60},
          {"中", syllables({"zhong"}), 55},
          {"国", syllables({"guo"}), 54},
          {"种", syllables({"zhong"}), 5},
          {"马", syllables({"ma"}), 3},
          {"你好", syllables({"ni", "hao"}), 70},
          {"中国", syllables({"zhong", "guo"}), 70},
          {"中国", syllables({"zhong", "guo"}), 5},
          {"目的", syllables({"mu", "di"}), 9}};
}

class LexiconTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto build = build_lexicon(make_entries(), targets_);
    ASSERT_TRUE(build.ok()) << build.status().message();
    build_ = std::move(build).value();
    auto lexicon = Lexicon::parse(build_.blob, "test");
    ASSERT_TRUE(lexicon.ok()) << lexicon.status().message();
    lexicon_ = std::move(lexicon).value();
  }

  uint32_t walk(const std::vector<std::string>& names) const {
    uint32_t node = 0;
    for (const SyllableId syllable : syllables(names)) {
      const auto children = lexicon_.children(node);
      const auto* found = std::lower_bound(children.syllables.begin(), children.syllables.end(), syllable);
      if (found == children.syllables.end() || *found != syllable) return UINT32_MAX;
      node = children.first_node + static_cast<uint32_t>(found - children.syllables.begin());
    }
    return node;
  }

  std::string spell(WordId word) const {
    std::string text;
    for (const uint16_t character : lexicon_.word_characters(word)) text += targets_.token(character);
    return text;
  }

  std::vector<std::string> endings(const std::vector<std::string>& names) const {
    std::vector<std::string> result;
    const auto list = lexicon_.endings(walk(names));
    for (size_t i = 0; i < list.size(); ++i) result.push_back(spell(list[i].word));
    return result;
  }

  Dictionary targets_ = make_targets();
  LexiconBuild build_;
  Lexicon lexicon_;
};

TEST_F(LexiconTest, WordsAreOrderedByWeightThenCodePoints) {
  const std::vector<std::string> expected = {"的", "地", "你", "中国", "你好", "好", "中", "国", "种", "马"};
  // 的 100, 地 90, 你 80, 中国 75, 你好 70, ...
  EXPECT_EQ(build_.words, expected);
  EXPECT_EQ(lexicon_.num_words(), expected.size());
  for (WordId word = 0; word < lexicon_.num_words(); ++word) EXPECT_EQ(spell(word), expected[word]);
  EXPECT_EQ(lexicon_.max_word_length(), 2);
  EXPECT_EQ(build_.skipped_entries, 1);  // 目 is no target
  EXPECT_EQ(build_.unreadable, std::vector<std::string>{"龘"});
}

TEST_F(LexiconTest, TrieLeadsToReadings) {
  EXPECT_EQ(endings({"zhong", "guo"}), std::vector<std::string>{"中国"});
  EXPECT_EQ(endings({"zhong"}), (std::vector<std::string>{"中", "种"}));
  EXPECT_EQ(endings({"di"}), (std::vector<std::string>{"地", "的"}));
  EXPECT_EQ(walk({"zhong", "zhong"}), UINT32_MAX);
  const auto list = lexicon_.endings(walk({"di"}));
  EXPECT_NEAR(list[0].log_weight, std::log(50.0 / 90), 1.0 / 32);
  EXPECT_NEAR(list[1].log_weight, std::log(0.1), 1.0 / 32);
  EXPECT_EQ(lexicon_.endings(walk({"ni"}))[0].log_weight, 0);
}

TEST_F(LexiconTest, CandidatesAreWhatAUnitAllows) {
  const auto names = [&](UnitId unit) {
    std::vector<std::string> result;
    for (const int32_t id : lexicon_.candidates(unit)) result.push_back(targets_.token(id));
    return result;
  };
  EXPECT_EQ(names(find_unit("de")), (std::vector<std::string>{"的", "地"}));
  EXPECT_EQ(names(find_unit("zh", UnitKind::kInitial)), (std::vector<std::string>{"中", "种"}));
  EXPECT_EQ(names(find_unit("z", UnitKind::kInitial)), (std::vector<std::string>{"中", "种"}));
  EXPECT_EQ(names(find_unit("6", UnitKind::kDigitsInitial)), (std::vector<std::string>{"你", "马"}));
  EXPECT_TRUE(names(find_unit("zhuang")).empty());
  EXPECT_TRUE(names(0).empty() && names(-1).empty() && names(1 << 30).empty());
  EXPECT_EQ(spell(lexicon_.character_word(targets_.find("好"))), "好");
  EXPECT_EQ(lexicon_.character_word(targets_.find("龘")), kNoWord);
  EXPECT_EQ(lexicon_.character_word(-1), kNoWord);
  EXPECT_EQ(lexicon_.character_word(1 << 20), kNoWord);
}

TEST(Lexicon, BadEntriesAreRefused) {
  const Dictionary targets = make_targets();
  EXPECT_FALSE(build_lexicon({{"你好", syllables({"ni"}), 1}}, targets).ok());
  EXPECT_FALSE(build_lexicon({{"你", {kNoSyllable}, 1}}, targets).ok());
  EXPECT_FALSE(build_lexicon({{"你", syllables({"ni"}), -1}}, targets).ok());
  EXPECT_FALSE(build_lexicon({{"", {}, 1}}, targets).ok());
  const auto empty = build_lexicon({}, targets);
  ASSERT_TRUE(empty.ok());
  EXPECT_TRUE(Lexicon::parse(empty.value().blob, "empty").ok());
}

// Visits all that a lexicon holds; whatever parse() let through must stay inside the blob.
size_t visit_all(const Lexicon& lexicon) {
  size_t sum = 0;
  for (WordId word = 0; word < lexicon.num_words(); ++word) {
    for (const uint16_t character : lexicon.word_characters(word)) sum += character;
  }
  std::vector<uint32_t> open = {0};
  while (!open.empty()) {
    const uint32_t node = open.back();
    open.pop_back();
    const auto children = lexicon.children(node);
    for (size_t i = 0; i < children.syllables.size(); ++i)
      open.push_back(children.first_node + static_cast<uint32_t>(i));
    const auto endings = lexicon.endings(node);
    for (size_t i = 0; i < endings.size(); ++i) sum += lexicon.word_characters(endings[i].word)[0];
  }
  return sum;
}

TEST_F(LexiconTest, HostileBlobsAreRefusedOrHarmless) {
  for (size_t size = 0; size < build_.blob.size(); size += 7) {
    const std::vector<uint8_t> cut(build_.blob.begin(), build_.blob.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(Lexicon::parse(cut, "cut").ok()) << size;
  }
  SplitMix64 random(1);
  int accepted = 0;
  for (int i = 0; i < 5000; ++i) {
    auto bad = build_.blob;
    bad[random.below(i % 2 == 0 ? 64 : bad.size())] ^= static_cast<uint8_t>(1 + random.below(255));
    const auto lexicon = Lexicon::parse(bad, "bad");
    if (!lexicon.ok()) continue;
    ++accepted;
    visit_all(lexicon.value());
  }
  EXPECT_GT(accepted, 0);  // padding and weights may hold anything
  EXPECT_LT(accepted, 4000);
}

}  // namespace
}  // namespace litenat::text
