#include "data/resources.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "format/container.h"
#include "text/ngram_model.h"

namespace litenat::data {
namespace {

using text::find_syllable;

TEST(WordList, ReadsRimeDictionaries) {
  std::vector<text::LexiconEntry> entries;
  const auto report = read_word_list(
      "# comment\n---\nname: x\n...\n\n你好\tni hao\t70\n侵略\tqin lue\t3\n的\tde\n卡拉OK\tka la "
      "ok\t1\n坏\txyz\t2\n多\tduo shao\t2\n",
      "x.yaml", &entries);
  EXPECT_EQ(report.rows, 6);
  EXPECT_EQ(report.skipped, 3);
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].word, "你好");
  EXPECT_EQ(entries[0].syllables, (std::vector<text::SyllableId>{find_syllable("ni"), find_syllable("hao")}));
  EXPECT_EQ(entries[0].weight, 70);
  EXPECT_EQ(entries[1].syllables[1], find_syllable("lve"));
  EXPECT_EQ(entries[2].weight, 0);
}

TEST(WordList, NegativeWeightsAreLogarithms) {
  std::vector<text::LexiconEntry> entries;
  read_word_list("腌菜 yan'cai\n吖\ta\t-1\n", "x.txt", &entries);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].syllables.size(), 2u);
  EXPECT_DOUBLE_EQ(entries[0].weight, 1);
  EXPECT_DOUBLE_EQ(entries[1].weight, 0.1);
}

TEST(WordList, ErrorsNameTheLine) {
  std::vector<text::LexiconEntry> entries;
  try {
    read_word_list("你\tni\t1\n好\thao\t1x\n", "x.txt", &entries);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "x.txt:2: \"1x\" is no weight");
  }
  EXPECT_THROW(read_word_list("\xE4\xBD\tni\t1\n", "x.txt", &entries), Error);
}

class ResourcesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("litenat_resources_test." + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    write("dict.txt", "你 9\n好 8\n的 7\n地 6\n吗 5\n龘 1\n");
    write("words.txt", "你\tni\t9\n好\thao\t8\n的\tde\t7\n吗\tma\t2\n你好\tni hao\t20\n好的\thao de\t1\n地\tdi\t5\n");
    write("train.hanzi", "你 好 吗\n你 好\n好 的\n你 的 地\n");
    write("train.pinyin", "ni hao ma\nni hao\nhao de\nni de de\n");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }

  ResourceReport build(const std::string& arpa = "") const {
    ResourceSettings settings;
    settings.words.min_counts = {1};
    return build_resources(path("dict.txt"), {path("words.txt")}, path("train"), arpa, settings, path("out.litenat"),
                           {});
  }

  std::filesystem::path folder_;
};

TEST_F(ResourcesTest, MakesAContainerThatReadsBack) {
  const ResourceReport report = build();
  EXPECT_EQ(report.num_words, 7);
  EXPECT_EQ(report.num_clauses, 4);
  EXPECT_EQ(report.num_tokens, 2 + 1 + 1 + 3);
  EXPECT_EQ(report.unreadable, std::vector<std::string>{"龘"});
  const auto container = format::Container::open(path("out.litenat")).value();
  const auto blob = [&](const char* name) { return container->find(name)->bytes; };
  const auto lexicon = text::Lexicon::parse(blob("text.lexicon"), "lexicon").value();
  const auto words = text::NgramModel::parse(blob("text.word_ngram"), "words").value();
  const auto units = text::NgramModel::parse(blob("text.unit_ngram"), "units").value();
  EXPECT_EQ(words.vocabulary(), lexicon.num_words());
  EXPECT_EQ(units.vocabulary(), static_cast<uint32_t>(text::kFirstUnit + text::num_units()));
  // 地 is read "de" in the text, "di" in the list: both are legal.
  const auto targets = text::Dictionary::load(path("dict.txt")).value();
  for (const char* syllable : {"de", "di"}) {
    const auto allowed = lexicon.candidates(text::find_unit(syllable));
    EXPECT_TRUE(std::binary_search(allowed.begin(), allowed.end(), targets.find("地"))) << syllable;
  }
}

TEST_F(ResourcesTest, IsDeterministic) {
  const auto read = [&] {
    std::ifstream file(path("out.litenat"), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  build();
  const std::string first = read();
  build();
  EXPECT_EQ(read(), first);
}

TEST_F(ResourcesTest, AnArpaModelReplacesTheTexts) {
  write("lm.arpa",
        "\\data\\\nngram 1=4\nngram 2=1\n\n\\1-grams:\n-99 <s> -0.1\n-1 </s>\n-0.5 你好 -0.2\n-0.7 "
        "吗\n\n\\2-grams:\n-0.1 你好 吗\n\n\\end\\\n");
  EXPECT_EQ(build(path("lm.arpa")).word_ngrams, (std::vector<uint64_t>{9, 1}));
}

TEST_F(ResourcesTest, TextsThatDoNotAgreeAreErrors) {
  const auto message = [&]() -> std::string {
    try {
      build();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  write("train.pinyin", "ni hao ma\nni\nhao de\nni de de\n");
  EXPECT_EQ(message(), path("train") + ".pinyin:2: 1 syllables for 2 hanzi");
  write("train.pinyin", "ni hao ma\nni hao\nhao de\n");
  EXPECT_EQ(message(), path("train") + ".pinyin:4: the file ends before " + path("train") + ".hanzi does");
  write("train.pinyin", "ni hao ma\nni hxo\nhao de\nni de de\n");
  EXPECT_EQ(message(), path("train") + ".pinyin:2: \"hxo\" is no syllable");
  write("train.pinyin", "ni hao ma\nni hao\nhao de\nni de de\nni\n");
  EXPECT_EQ(message(), path("train") + ".pinyin:5: more lines than in " + path("train") + ".hanzi");
  write("train.hanzi", "");
  write("train.pinyin", "");
  EXPECT_EQ(message().substr(0, message().find(',')), path("train") + ".hanzi: is empty");
  EXPECT_FALSE(std::filesystem::exists(path("out.litenat")));
}

}  // namespace
}  // namespace litenat::data
