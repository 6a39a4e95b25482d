#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/program.h"
#include "cli/verbs.h"

namespace litenat::cli {
namespace {

class VerbCorpusTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "litenat_cli_XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    write("phrases", "\u4F60\u597D: n\u01D0 h\u01CEo\n\u4E2D\u56FD: zh\u014Dng gu\u00F3\n");
    write("readings", "U+6C34: shu\u01D0\n");
    write("text", "\u4F60\u597D, \u4E2D\u56FD!\n\u4F60\u597D\u4E2D\u56FD");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }

  /// Runs `litenat corpus ime` with the test's dictionary and `flags`; what it printed is in out_ and err_.
  int run(std::vector<std::string> flags) {
    flags.insert(flags.begin(),
                 {"litenat", "corpus", "ime", "--phrases", path("phrases"), "--readings", path("readings")});
    std::vector<const char*> argv;
    for (const std::string& flag : flags) argv.push_back(flag.c_str());
    Program program;
    add_corpus(program);
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

TEST_F(VerbCorpusTest, PrintsJsonAlone) {
  ASSERT_EQ(run({path("text"), "-o", path("out"), "--json", "--keys", "full,9key", "--threads", "2"}), 0) << err_;
  const auto json = Json::parse(out_);
  ASSERT_TRUE(json.ok()) << out_;
  EXPECT_EQ(json.value().find("train")->find("clauses")->integer(), 3);
  EXPECT_EQ(json.value().find("hanzi")->integer(), 8);
  EXPECT_TRUE(std::filesystem::exists(path("out") + "/test.9key.tsv"));
  EXPECT_FALSE(std::filesystem::exists(path("out") + "/test.initials.tsv"));
}

TEST_F(VerbCorpusTest, SummaryGoesToStderr) {
  ASSERT_EQ(run({"-o", path("out"), "--exclude", "x", path("text")}), 0) << err_;
  EXPECT_EQ(out_, "");
  EXPECT_NE(err_.find("3 clauses"), std::string::npos) << err_;
}

TEST_F(VerbCorpusTest, WrongUsage) {
  EXPECT_EQ(run({path("text")}), 2);
  EXPECT_EQ(run({path("text"), "-o", path("out"), "--keys", "ful"}), 2);
  EXPECT_NE(err_.find("9key_initials"), std::string::npos) << err_;
  EXPECT_EQ(run({path("text"), "-o", path("out"), "--cut", "2"}), 2);
  EXPECT_EQ(run({path("nothing"), "-o", path("out")}), 1);
  EXPECT_NE(err_.find("nothing"), std::string::npos) << err_;
  EXPECT_FALSE(std::filesystem::exists(path("out")));
}

}  // namespace
}  // namespace litenat::cli
