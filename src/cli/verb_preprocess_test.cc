#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/program.h"
#include "cli/verbs.h"

namespace litenat::cli {
namespace {

const std::string kTrain = LITENAT_SOURCE_DIR "/tests/compat/data/train";

class VerbPreprocessTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "litenat_cli_XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// Runs `litenat preprocess` with `flags`; what it printed is in out_ and err_.
  int run(std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"litenat", "preprocess"});
    std::vector<const char*> argv;
    for (const std::string& flag : flags) argv.push_back(flag.c_str());
    Program program;
    add_preprocess(program);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int status = program.run(static_cast<int>(argv.size()), argv.data());
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    return status;
  }
  std::string destination() const { return (folder_ / "out").string(); }

  std::filesystem::path folder_;
  std::string out_, err_;
};

TEST_F(VerbPreprocessTest, SummarizesLikeFairseq) {
  ASSERT_EQ(run({"-s", "en", "-t", "de", "--trainpref", kTrain, "--destdir", destination(), "--nwordssrc", "12"}), 0)
      << err_;
  EXPECT_NE(out_.find("[en] " + kTrain + ".en: 9 sents, 89 tokens, 50.6% replaced (by <unk>)\n"), std::string::npos)
      << out_;
  EXPECT_NE(out_.find("[de] " + kTrain + ".de: 9 sents, 92 tokens, 0.0% replaced (by <unk>)\n"), std::string::npos)
      << out_;
  EXPECT_NE(out_.find("dict.en.txt: 16 types"), std::string::npos) << out_;
}

TEST_F(VerbPreprocessTest, PrintsJsonAlone) {
  ASSERT_EQ(run({"--source-lang", "en", "--only-source", "--trainpref", kTrain, "--destdir", destination(), "--json",
                 "--workers", "2"}),
            0)
      << err_;
  const auto json = Json::parse(out_);
  ASSERT_TRUE(json.ok()) << out_;
  EXPECT_EQ(json->find("destdir")->string(), destination());
  const Json& set = json->find("datasets")->items().at(0);
  EXPECT_EQ(set.find("prefix")->string(), destination() + "/train.en-None.en");
  EXPECT_EQ(set.find("sentences")->integer(), 9);
  EXPECT_EQ(set.find("tokens")->integer(), 89);
  EXPECT_EQ(set.find("replaced")->integer(), 0);
  EXPECT_EQ(json->find("dictionaries")->items().at(0).find("types")->integer(), 56);
}

TEST_F(VerbPreprocessTest, TellsWrongUsageFromFailure) {
  EXPECT_EQ(run({"-s", "en"}), 2);
  EXPECT_EQ(run({"--no-such-flag"}), 2);
  EXPECT_EQ(run({"-s", "en", "-t", "de", "--trainpref", "/no/such/file", "--destdir", destination()}), 1);
  EXPECT_NE(err_.find("litenat: error: cannot open /no/such/file.en"), std::string::npos) << err_;
  EXPECT_FALSE(std::filesystem::exists(destination()));
}

}  // namespace
}  // namespace litenat::cli
