#include "data/annotator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>

#include "base/error.h"
#include "base/utf8.h"
#include "data/corpus_reader.h"

namespace litenat::data {
namespace {

std::string temporary_file(const std::string& content) {
  static int number = 0;
  const std::string path = testing::TempDir() + "/annotator_" + std::to_string(++number) + ".txt";
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

std::string annotate(const Annotator& annotator, const std::string& sentence) {
  const std::vector<char32_t> codes = to_code_points(sentence);
  std::vector<text::SyllableId> syllables(codes.size());
  const auto starts = std::make_unique<bool[]>(codes.size());
  annotator.annotate(codes, syllables.data(), starts.get());
  std::string result;
  for (size_t i = 0; i < codes.size(); ++i) {
    result += i == 0 ? "" : starts[i] ? " | " : " ";
    result += syllables[i] == text::kNoSyllable ? "?" : std::string(text::syllable_name(syllables[i]));
  }
  return result;
}

std::string without_borders(std::string text) {
  for (size_t at; (at = text.find("| ")) != std::string::npos;) text.erase(at, 2);
  return text;
}

bool readable(const char* path) { return std::ifstream(path).good(); }

TEST(AnnotatorSources, ParseSyllable) {
  const auto name = [](const char* marked) {
    const text::SyllableId id = parse_syllable(marked);
    return id == text::kNoSyllable ? "?" : std::string(text::syllable_name(id));
  };
  EXPECT_EQ(name("zh\u014Dng"), "zhong");
  EXPECT_EQ(name("l\u01DCe"), "lve");
  EXPECT_EQ(name("nu\u0308\u030C"), "nv");
  EXPECT_EQ(name("lu\u030Ce"), "lve");
  EXPECT_EQ(name("xue2"), "xue");
  EXPECT_EQ(name("\u1EBF"), "e");
  EXPECT_EQ(name("\u0144g"), "ng");
  EXPECT_EQ(name("\u1E3F"), "m");
  for (const char* bad : {"", "Zhong", "zhong9", "\xFF", "zh\u00F8ng", "5"}) EXPECT_EQ(name(bad), "?") << bad;
}

TEST(AnnotatorSources, RimeDictionary) {
  PronunciationSources sources;
  add_phrases(
      temporary_file("# comment\n---\nname: x\n...\n\n\u4F60\tni\t10\n\u4F60\u597D\tni hao\t7\n\u4F60A\tni a\t1\n"
                     "\u597D\u597D\thao\t3\n\u597D\tzzz\t1\n"),
      &sources);
  ASSERT_EQ(sources.words.size(), 1u);
  EXPECT_EQ(sources.words[0].word, "\u4F60\u597D");
  EXPECT_EQ(sources.words[0].weight, 7);
  ASSERT_EQ(sources.characters.size(), 1u);
  EXPECT_EQ(sources.skipped, 3);
}

TEST(AnnotatorSources, PhraseListWithToneMarks) {
  PronunciationSources sources;
  add_phrases(
      temporary_file("# version\n\u94F6\u884C: y\u00EDn h\u00E1ng  # bank\r\n\u957F\u5927: zh\u01CEng d\u00E0\n"),
      &sources);
  ASSERT_EQ(sources.words.size(), 2u);
  EXPECT_EQ(text::syllable_name(sources.words[0].syllables[1]), "hang");
}

TEST(AnnotatorSources, Readings) {
  PronunciationSources sources;
  add_readings(temporary_file("# x\nU+884C\tkHanyuPinlu\tx\u00EDng(2943) h\u00E1ng(218)\nU+884C\tkMandarin\th\u00E9ng\n"
                              "U+957F\tkMandarin\tzh\u01CEng\nU+4E2D: zh\u014Dng,zh\u00F2ng  # \u4E2D\nU+41: a\n"),
               &sources);
  ASSERT_EQ(sources.readings.size(), 3u);
  ASSERT_EQ(sources.readings[0x884C].size(), 3u);
  EXPECT_EQ(text::syllable_name(sources.readings[0x884C][0]), "xing");
  EXPECT_EQ(sources.readings[0x4E2D].size(), 1u);
}

TEST(AnnotatorSources, FilesThatAreNone) {
  PronunciationSources sources;
  EXPECT_THROW(add_phrases(testing::TempDir() + "/no such file", &sources), Error);
  EXPECT_THROW(add_phrases(temporary_file(""), &sources), Error);
  EXPECT_THROW(add_phrases(temporary_file(std::string("\0\xFF\n:\n: :\nabc\n", 13)), &sources), Error);
  EXPECT_THROW(add_readings(temporary_file("hello\n"), &sources), Error);
  EXPECT_THROW(add_readings(testing::TempDir(), &sources), Error);
}

TEST(Annotator, LongestMatchThenCommonestReading) {
  PronunciationSources sources;
  add_phrases(temporary_file("...\n\u4E2D\tzhong\t900\n\u884C\txing\t900\n\u884C\thang\t100\n\u94F6\tyin\t900\n"
                             "\u94F6\u884C\tyin hang\t5\n\u94F6\u884C\u884C\u957F\tyin hang hang zhang\t1\n"),
              &sources);
  const Annotator annotator(sources, false);
  const auto of = [&](const std::u32string& codes) {
    std::string utf8;
    for (const char32_t c : codes) append_utf8(c, &utf8);
    return annotate(annotator, utf8);
  };
  EXPECT_EQ(of(U"\u94F6\u884C"), "yin hang");
  EXPECT_EQ(of(U"\u884C\u94F6\u884C\u884C"), "xing | yin hang | xing");
  EXPECT_EQ(of(U"\u94F6\u884C\u884C\u957F\u4E2D"), "yin hang hang zhang | zhong");
  EXPECT_EQ(of(U"\u957F\u4E2D"), "? | zhong");
  EXPECT_EQ(of(U""), "");
}

TEST(Annotator, OverridesAreWellFormed) {
  std::map<std::string, int> seen;
  for (const Pronunciation& entry : annotation_overrides()) {
    EXPECT_EQ(++seen[entry.word], 1) << entry.word;
    EXPECT_LE(entry.syllables.size(), kMaxPhraseLength) << entry.word;
  }
  EXPECT_GT(seen.size(), 300u);
}

class InstalledSources : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (readable(kDefaultPhrases) && readable(kDefaultReadings))
      annotator_ = std::make_unique<Annotator>(load_pronunciations({}, {}));
  }
  static void TearDownTestSuite() { annotator_.reset(); }
  void SetUp() override {
    if (!annotator_)
      GTEST_SKIP() << "needs " << kDefaultPhrases << " and " << kDefaultReadings << " (scripts/setup installs them)";
  }
  double wrong_syllables(const std::string& path) const;
  double polyphone_accuracy(const std::string& folder) const;
  static std::unique_ptr<Annotator> annotator_;
};
std::unique_ptr<Annotator> InstalledSources::annotator_;

TEST_F(InstalledSources, Sentences) {
  const std::pair<const char*, const char*> cases[] = {
      {"这个银行的行长在行走", "zhe ge yin hang de hang zhang zai xing zou"},
      {"他长大了还得还钱", "ta zhang da le hai dei huan qian"},
      {"重新启动以后重要的数据都没了", "chong xin qi dong yi hou zhong yao de shu ju dou mei le"},
      {"首都的音乐让人快乐", "shou du de yin yue rang ren kuai le"},
      {"他慢慢地走着看地图", "ta man man de zou zhe kan di tu"},
      {"我们觉得睡觉很重要", "wo men jue de shui jiao hen zhong yao"},
      {"什么时候能睡着", "shen me shi hou neng shui zhao"},
      {"女绿略虐旅", "nv lv lve nve lv"},
      {"命令行里的空行", "ming ling hang li de kong hang"},
      {"旅长和参谋长调查子弹", "lv zhang he can mou zhang diao cha zi dan"},
      {"好恶心多重要新行动", "hao e xin duo zhong yao xin xing dong"},
      {"二〇二六年", "er ling er liu nian"}};
  for (const auto& [sentence, pinyin] : cases) EXPECT_EQ(without_borders(annotate(*annotator_, sentence)), pinyin);
}

TEST_F(InstalledSources, KnowsEveryHanziOfTheFirstBlock) {
  int unknown = 0;
  for (char32_t c = 0x4E00; c <= 0x9FA5; ++c) unknown += annotator_->reading(c) == text::kNoSyllable ? 1 : 0;
  EXPECT_LE(unknown, 30);
}

// The share of syllables of the gold that the annotator gets wrong.
double InstalledSources::wrong_syllables(const std::string& path) const {
  std::istringstream lines(read_decompressed(path, size_t{1} << 28));
  int64_t wrong = 0, total = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string field, pinyin, hanzi;
    std::getline(fields, field, '\t');
    std::getline(fields, pinyin, '\t');
    std::getline(fields, hanzi, '\t');
    std::istringstream gold(pinyin), ours(without_borders(annotate(*annotator_, hanzi)));
    for (std::string expected, found; gold >> expected && ours >> found; ++total)
      wrong += text::find_syllable(found) == parse_syllable(expected) ? 0 : 1;
  }
  EXPECT_GT(total, 29000);
  return static_cast<double>(wrong) / static_cast<double>(total);
}

// The share of marked characters whose reading is right.
double InstalledSources::polyphone_accuracy(const std::string& folder) const {
  std::istringstream sentences(read_decompressed(folder + "/g2pm_dev.sent.xz", size_t{1} << 28));
  std::istringstream readings(read_decompressed(folder + "/g2pm_dev.lb", size_t{1} << 28));
  int64_t right = 0, total = 0;
  for (std::string sentence, gold; std::getline(sentences, sentence) && std::getline(readings, gold); ++total) {
    const std::vector<char32_t> codes = to_code_points(sentence);
    const size_t mark = static_cast<size_t>(std::find(codes.begin(), codes.end(), 0x2581) - codes.begin());
    size_t begin = mark, end = mark + 2;
    while (begin > 0 && is_hanzi(codes[begin - 1])) --begin;
    std::vector<char32_t> clause(codes.begin() + static_cast<int64_t>(begin),
                                 codes.begin() + static_cast<int64_t>(mark));
    clause.push_back(codes.at(mark + 1));
    for (++end; end < codes.size() && is_hanzi(codes[end]); ++end) clause.push_back(codes[end]);
    std::vector<text::SyllableId> syllables(clause.size());
    const auto starts = std::make_unique<bool[]>(clause.size());
    annotator_->annotate(clause, syllables.data(), starts.get());
    if (const size_t colon = gold.find("u:"); colon != std::string::npos) gold.replace(colon, 2, "v");
    right += syllables[mark - begin] == parse_syllable(gold) ? 1 : 0;
  }
  EXPECT_GT(total, 9000);
  return static_cast<double>(right) / static_cast<double>(total);
}

TEST_F(InstalledSources, GoldOfReadSpeech) {
  const char* corpora = std::getenv("LITENAT_CORPORA");
  if (corpora == nullptr) GTEST_SKIP() << "needs LITENAT_CORPORA, a folder with pinyin/asr_thchs_dev.txt.xz";
  const double wrong = wrong_syllables(std::string(corpora) + "/pinyin/asr_thchs_dev.txt.xz");
  std::cout << "wrong syllables: " << 100 * wrong << " %\n";
  EXPECT_LE(wrong, 0.005);
}

TEST_F(InstalledSources, GoldOfPolyphones) {
  const char* corpora = std::getenv("LITENAT_CORPORA");
  if (corpora == nullptr) GTEST_SKIP() << "needs LITENAT_CORPORA, a folder with pinyin/g2pm_dev.sent.xz and .lb";
  const double accuracy = polyphone_accuracy(std::string(corpora) + "/pinyin");
  std::cout << "polyphones right: " << 100 * accuracy << " %\n";
  EXPECT_GE(accuracy, 0.93);
}

}  // namespace
}  // namespace litenat::data
