#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/program.h"
#include "cli/verbs.h"

namespace litenat::cli {
namespace {

class VerbCorpusMtTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "litenat_cli_XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    write("a.en", "Hello world\nHello\nbye\n");
    write("a.zh", "\u4F60\u597D\u4E16\u754C\n\u4F60\u597D\n\u518D\u89C1\n");
    write("a.tsv", "\u4F60\u597D\tHello\n\u518D\u89C1\tbye\n");
    write("words", "\u4F60\u597D 5\n\u4E16\u754C 5\n");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }
  std::string read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(path(name)).rdbuf();
    return text.str();
  }

  /// Runs `litenat corpus mt -s en -t zh -o out` with `flags`; what it printed is in out_ and err_.
  int run(std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"litenat", "corpus", "mt", "-s", "en", "-t", "zh", "-o", path("out")});
    std::vector<const char*> argv;
    for (const std::string& flag : flags) argv.push_back(flag.c_str());
    Program program;
    add_corpus_mt(program);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int status = program.run(static_cast<int>(argv.size()), argv.data());
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    return status;
  }

  std::filesystem::path folder_;
  std::string out_, err_;
};

TEST_F(VerbCorpusMtTest, PrintsJsonAlone) {
  ASSERT_EQ(run({path("a.en"), path("a.zh"), "--json", "--tokenizer", "none", "--valid", "0", "--test", "0"}), 0)
      << err_;
  const auto json = Json::parse(out_);
  ASSERT_TRUE(json.ok()) << out_;
  EXPECT_EQ(json.value().find("pairs_read")->integer(), 3);
  EXPECT_EQ(json.value().find("train")->find("pairs")->integer(), 3);
  EXPECT_EQ(json.value().find("source_tokenizer")->find("type")->string(), "none");
  EXPECT_EQ(read("out/train.en"), "Hello world\nHello\nbye\n");
}

TEST_F(VerbCorpusMtTest, SidesHaveTokenizersOfTheirOwn) {
  ASSERT_EQ(run({path("a.en"), path("a.zh"), "--vocab-size", "17", "--target-words", path("words"), "--lowercase",
                 "--valid", "0", "--test", "0"}),
            0)
      << err_;
  EXPECT_NE(err_.find("tokenizer.en.model: bpe, 17 pieces"), std::string::npos) << err_;
  EXPECT_EQ(read("out/train.zh"), "\u4F60\u597D \u4E16\u754C\n\u4F60\u597D\n\u518D \u89C1\n");
  const std::string english = read("out/train.en");
  ASSERT_EQ(run({path("a.en"), path("a.zh"), "--source-model", path("out/tokenizer.en.model"), "--target-tokenizer",
                 "words", "--words", path("words"), "--valid", "0", "--test", "0"}),
            0)
      << err_;
  EXPECT_EQ(read("out/train.en"), english);
}

TEST_F(VerbCorpusMtTest, OneInputHasColumns) {
  ASSERT_EQ(run({path("a.tsv"), "--columns", "2,1", "--tokenizer", "none", "--quiet", "--valid", "0", "--test", "0"}),
            0)
      << err_;
  EXPECT_EQ(read("out/train.en"), "Hello\nbye\n");
  EXPECT_EQ(read("out/train.zh"), "\u4F60\u597D\n\u518D\u89C1\n");
}

TEST_F(VerbCorpusMtTest, WrongUsage) {
  EXPECT_EQ(run({path("a.en"), path("a.zh"), "--tokenizer", "spm"}), 2);
  EXPECT_NE(err_.find("sentencepiece, words, none"), std::string::npos) << err_;
  EXPECT_EQ(run({path("a.tsv"), "--columns", "2"}), 2);
  EXPECT_EQ(run({path("a.tsv"), "--columns", "2,1,"}), 2);
  EXPECT_EQ(run({path("a.en"), path("a.zh"), "--columns", "1,2"}), 2);
  EXPECT_EQ(run({path("a.en"), path("a.zh"), "--tokenizer", "words"}), 2);
  EXPECT_EQ(run({path("a.en"), path("a.zh"), "--words", path("words"), "--joined", "--target-tokenizer", "none"}), 2);
  EXPECT_EQ(run({path("a.en"), path("a.zh"), "--normalization", "identity", "--lowercase"}), 2);
  EXPECT_EQ(run({path("nothing"), path("a.zh")}), 1);
  EXPECT_NE(err_.find("nothing"), std::string::npos) << err_;
  EXPECT_EQ(run({path("a.en"), path("a.zh"), "--vocab-size", "900"}), 1);
  EXPECT_NE(err_.find("Vocabulary size too high (900)"), std::string::npos) << err_;
  EXPECT_EQ(run({path("a.en"), path("a.zh"), "--model", path("words")}), 1);
  EXPECT_NE(err_.find("expected a SentencePiece model or a word list"), std::string::npos) << err_;
  EXPECT_FALSE(std::filesystem::exists(path("out")));
}

}  // namespace
}  // namespace litenat::cli
