#include "decode/ime_decoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <set>

#include "base/random.h"
#include "decode/emission_scorer.h"
#include "decode/ime_segments.h"
#include "decode/test_support.h"
#include "decode/unigram_engine.h"

namespace litenat::decode {
namespace {

using testing::FakeEngine;
using testing::kSmallLexicon;
using testing::make_lexicon;
using testing::parse_entries;

class ImeDecoderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    lexicon_ = make_lexicon(parse_entries(kSmallLexicon));
    resources_.targets = lexicon_->targets;
    resources_.lexicon = lexicon_->lexicon;
    engine_ = std::make_unique<FakeEngine>(resources_.targets.size());
    unigrams_ = std::make_unique<UnigramEngine>(&resources_.targets, &resources_.lexicon);
  }

  std::vector<Candidate> convert(TaggerEngine* engine, const std::string& line, const ImeOptions& options = {}) {
    auto result = ImeDecoder(engine, &resources_).convert(line, options);
    EXPECT_TRUE(result.ok()) << result.status().message();
    return result.ok() ? std::move(result).value() : std::vector<Candidate>{{"", 0}};
  }
  std::string best(const std::string& line) { return convert(unigrams_.get(), line)[0].text; }

  std::unique_ptr<testing::TestLexicon> lexicon_;
  ImeResources resources_;
  std::unique_ptr<FakeEngine> engine_;
  std::unique_ptr<UnigramEngine> unigrams_;
};

TEST_F(ImeDecoderTest, UnigramsGiveTheCommonestHanziOfEachSyllable) {
  EXPECT_EQ(best("nihaoma"), "你好吗");
  EXPECT_EQ(best("di"), "地");  // 的 is commoner, but seldom read so
  EXPECT_EQ(best("de"), "的");
  EXPECT_EQ(best("nhm"), "你好吗");
  EXPECT_EQ(best("qinlue"), "侵略");
  EXPECT_EQ(best("64426"), "你好");
}

TEST_F(ImeDecoderTest, OtherTextStaysAsTyped) {
  EXPECT_EQ(best("nihao, 中 ma!"), "你好, 中 吗!");
  EXPECT_EQ(best(""), "");
  EXPECT_EQ(best("iv"), "iv");
  EXPECT_EQ(best("'''"), "'''");
  EXPECT_EQ(best("NI"), "NI");
  EXPECT_EQ(best("'ni'hao'"), "你好");
  EXPECT_EQ(best("ni64"), "你你");
  EXPECT_EQ(best("zhuang ni"), "zhuang 你");  // no hanzi of the lexicon is read so
}

TEST_F(ImeDecoderTest, StrictRefusesOtherText) {
  ImeOptions options;
  options.strict = true;
  ImeDecoder decoder(unigrams_.get(), &resources_);
  EXPECT_TRUE(decoder.convert("nihao", options).ok());
  const auto bad = decoder.convert("nihao!", options);
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(bad.status().message(), "\"!\" at byte 5 is no key sequence ([a-z'] or [2-9'])");
  EXPECT_FALSE(decoder.convert("iv", options).ok());
}

TEST_F(ImeDecoderTest, BadLinesAreErrors) {
  ImeDecoder decoder(unigrams_.get(), &resources_);
  EXPECT_FALSE(decoder.convert("ni\xFFhao", {}).ok());
  EXPECT_FALSE(decoder.convert(std::string(ImeDecoder::kMaxLineBytes + 1, ' '), {}).ok());
}

TEST_F(ImeDecoderTest, OneRunOfTheEngineReadsAllParsesOfAllRuns) {
  convert(engine_.get(), "xian zai xian");
  EXPECT_EQ(engine_->num_runs, 1);
  EXPECT_GE(engine_->num_sentences, 5u);
}

TEST_F(ImeDecoderTest, NbestIsSortedAndDifferent) {
  ImeOptions options;
  options.num_best = 40;
  for (const char* line : {"xianzai ma", "nhm", "dede'di xian"}) {
    const auto candidates = convert(engine_.get(), line, options);
    EXPECT_GT(candidates.size(), 10u);
    EXPECT_LE(candidates.size(), 40u);
    std::set<std::string> texts;
    for (size_t i = 0; i < candidates.size(); ++i) {
      texts.insert(candidates[i].text);
      if (i == 0) continue;
      EXPECT_LE(candidates[i].score, candidates[i - 1].score);
    }
    EXPECT_EQ(texts.size(), candidates.size());
    options.num_best = 1;
    EXPECT_EQ(convert(engine_.get(), line, options)[0].text, candidates[0].text);
    options.num_best = 40;
  }
}

TEST_F(ImeDecoderTest, ScoreIsThatOfTheFormula) {
  ImeOptions options;
  options.word_weight = 0;
  const auto candidate = convert(engine_.get(), "ni", options)[0];
  const text::UnitId unit = text::find_unit("ni");
  double sum = 0;
  double own = 0;
  for (const int32_t id : resources_.lexicon.candidates(unit)) {
    sum += std::exp(FakeEngine::emission(unit, id));
    if (resources_.targets.token(id) == candidate.text) own = FakeEngine::emission(unit, id);
  }
  // The softmax over the unit's hanzi, a word's penalty, and the parse's score without a unit n-gram.
  EXPECT_NEAR(candidate.score, own - std::log(sum) - options.word_penalty - 1.0, 1e-4);
}

TEST_F(ImeDecoderTest, KeysInputReadsRowsOfKeys) {
  resources_.keys_input = true;
  engine_->has_boundary = true;
  const auto candidates = convert(engine_.get(), "xi'anma");
  EXPECT_EQ(split_characters(candidates[0].text).size(), 3u);
  EXPECT_EQ(engine_->num_runs, 1);
  EXPECT_EQ(convert(engine_.get(), "'iv")[0].text, "'iv");
  const Lattice lattice = keys_lattice("'ni", std::vector<float>{0, 2, -1});
  ASSERT_FALSE(lattice.arcs.empty());
  EXPECT_EQ(lattice.arcs[0].from, 0);
  for (const Arc& arc : lattice.arcs) {
    EXPECT_EQ(arc.row, 1);
    const double begins = -std::log1p(std::exp(-2.0));
    const double inside = -std::log1p(std::exp(-1.0));
    EXPECT_NEAR(arc.score, begins + (arc.to == 3 ? inside : 0), 1e-5);
  }
}

TEST_F(ImeDecoderTest, UnconstrainedMayChooseAnyTarget) {
  ImeOptions options;
  options.constrained = false;
  options.num_best = 200;
  const auto candidates = convert(engine_.get(), "ni", options);
  EXPECT_EQ(candidates.size(), static_cast<size_t>(resources_.targets.size() - text::kNumSpecials));
}

TEST_F(ImeDecoderTest, MismatchedLexiconIsAnError) {
  resources_.targets.add("x", 1);
  EXPECT_FALSE(ImeDecoder(engine_.get(), &resources_).convert("ni", {}).ok());
}

// Is there a way to read `keys` so that every hanzi of `text` has a reading that its keys allow?
bool is_legal(const std::string& keys, size_t place, const std::vector<std::string_view>& text, size_t i,
              const ImeResources& resources) {
  while (place < keys.size() && keys[place] == '\'') ++place;
  if (i == text.size() || place == keys.size()) return i == text.size() && place == keys.size();
  for (const UnitSpan& span : all_unit_spans(keys)) {
    if (static_cast<size_t>(span.begin) != place) continue;
    const auto allowed = resources.lexicon.candidates(span.unit);
    if (!std::binary_search(allowed.begin(), allowed.end(), resources.targets.find(text[i]))) continue;
    if (is_legal(keys, static_cast<size_t>(span.end), text, i + 1, resources)) return true;
  }
  return false;
}

TEST_F(ImeDecoderTest, EveryOutputIsALegalReading) {
  SplitMix64 random(3);
  const char* const syllables[] = {"ni", "hao", "xian", "xi", "an", "zhong", "guo", "n",
                                   "h",  "zh",  "z",    "d",  "'",  "de",    "ma"};
  engine_->has_crf = true;
  int converted = 0;
  for (int i = 0; i < 400; ++i) {
    std::string keys;
    const uint64_t length = 1 + random.below(6);
    for (uint64_t k = 0; k < length; ++k) keys += syllables[random.below(15)];
    ImeOptions options;
    options.num_best = 5;
    for (const Candidate& candidate : convert(engine_.get(), keys, options)) {
      if (candidate.text == keys) continue;
      ++converted;
      EXPECT_TRUE(is_legal(keys, 0, split_characters(candidate.text), 0, resources_)) << keys << " " << candidate.text;
    }
  }
  EXPECT_GT(converted, 800);
}

TEST_F(ImeDecoderTest, HostileLinesNeitherCrashNorHang) {
  SplitMix64 random(9);
  const std::string alphabet = "abcdefghijklmnopqrstuvwxyz23456789' ,1";
  for (int i = 0; i < 200; ++i) {
    std::string line;
    const uint64_t length = random.below(200);
    for (uint64_t k = 0; k < length; ++k) line += alphabet[random.below(i % 3 == 0 ? alphabet.size() : 26)];
    EXPECT_FALSE(convert(engine_.get(), line).empty());
  }
  const auto begin = std::chrono::steady_clock::now();
  std::string keys;
  while (keys.size() < 10000) keys += "nihaozhongguoxianzai";
  EXPECT_EQ(best(keys).substr(0, 6), "你好");
  convert(engine_.get(), std::string(10000, 'n'));
  convert(engine_.get(), std::string(10000, '6'));
  convert(engine_.get(), std::string(10000, '\''));
  convert(engine_.get(), std::string(10000, 'a'));
  std::string lines;
  while (lines.size() < 10000) lines += "ni ";
  ImeOptions options;
  options.num_best = 256;
  EXPECT_FALSE(convert(engine_.get(), lines, options).empty());
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  EXPECT_LT(seconds.count(), 30.0);
}

TEST(ImeSegments, LongRunsAreCutBetweenUnits) {
  std::string keys;
  while (keys.size() < 2000) keys += "zhuangxiang";
  const auto pieces = split_run(keys, nullptr);
  std::string joined;
  for (const auto piece : pieces) {
    EXPECT_LE(piece.size(), kMaxPieceKeys);
    EXPECT_TRUE(piece.substr(0, 2) == "zh" || piece.substr(0, 2) == "xi") << piece;
    joined += piece;
  }
  EXPECT_EQ(joined, keys);
  EXPECT_TRUE(split_run(std::string(300, 'v'), nullptr).empty());
}

TEST(ImeSegments, JoinsTheBestCombinations) {
  const std::vector<std::vector<Candidate>> lists = {
      {{"b", -2}, {"a", -1}}, {{"x", 0}}, {{"c", -1}, {"d", -1.5F}, {"e", -9}}};
  const auto joined = join_candidates(lists, 4);
  std::vector<std::string> texts;
  for (const auto& candidate : joined) texts.push_back(candidate.text);
  EXPECT_EQ(texts, (std::vector<std::string>{"axc", "axd", "bxc", "bxd"}));
  EXPECT_FLOAT_EQ(joined[3].score, -3.5F);
}

// The whole decoder over the dictionary that Debian's rime-data-pinyin-simp installs.
TEST(ImeDecoderLarge, RimeDictionary) {
  std::ifstream file("/usr/share/rime-data/pinyin_simp.dict.yaml");
  if (!file) GTEST_SKIP() << "rime-data-pinyin-simp is not installed";
  std::string rows;
  bool is_body = false;
  for (std::string line; std::getline(file, line);) {
    if (is_body && line.find('\t') != std::string::npos && line[0] != '#') rows += line + "\n";
    is_body |= line == "...";
  }
  const auto lexicon = make_lexicon(parse_entries(rows));
  ImeResources resources;
  resources.targets = lexicon->targets;
  resources.lexicon = lexicon->lexicon;
  EXPECT_GT(resources.lexicon.num_words(), 60000u);
  UnigramEngine engine(&resources.targets, &resources.lexicon);
  ImeDecoder decoder(&engine, &resources);
  EXPECT_EQ(decoder.convert("de", {}).value()[0].text, "的");
  for (const char* line : {"zhonghuarenmingongheguo", "zhrmghg", "94664486736", "xianzaishijian"}) {
    ImeOptions options;
    options.num_best = 3;
    const auto candidates = decoder.convert(line, options).value();
    EXPECT_EQ(candidates.size(), 3u);
    EXPECT_TRUE(is_legal(line, 0, split_characters(candidates[0].text), 0, resources)) << candidates[0].text;
  }
}

}  // namespace
}  // namespace litenat::decode
