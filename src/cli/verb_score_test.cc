#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/program.h"
#include "cli/verbs.h"

namespace litenat::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class VerbScoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "litenat_score_XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    write("hyp", "a b c d e\nthe cat sat\nx\n");
    write("other", "a b c d f\nthe cat sat\ny\n");
    write("ref", "a b c d f\nthe cat sat\nx\n");
    write("pairs.tsv", "a b\ta b\nc\td\tc\n");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }

  /// Runs `litenat score --quiet` with `flags`; what it printed is in out_ and err_.
  int run(std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"litenat", "score", "--quiet"});
    std::vector<const char*> argv;
    for (const std::string& flag : flags) argv.push_back(flag.c_str());
    Program program;
    add_score(program);
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int status = program.run(static_cast<int>(argv.size()), argv.data());
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    return status;
  }

  std::filesystem::path folder_;
  std::string out_;
  std::string err_;
};

TEST_F(VerbScoreTest, PrintsTheMetricsAskedFor) {
  ASSERT_EQ(run({"--metrics", "ter,chrf++", path("hyp"), path("ref")}), 0) << err_;
  EXPECT_THAT(out_, StartsWith("TER|nrefs:1|case:lc|tok:tercom|norm:no|punct:yes|asian:no|version:2.6.0 = 11.11\n"));
  EXPECT_THAT(out_, HasSubstr("\nchrF2++|nrefs:1|case:mixed|eff:yes|nc:6|nw:2|space:no|version:2.6.0 = "));
}

TEST_F(VerbScoreTest, ScoresSeveralSetsInOneCall) {
  ASSERT_EQ(run({path("hyp"), path("ref"), "--test-set", path("other") + "," + path("ref") + "," + path("hyp"),
                 "--pairs", path("pairs.tsv"), "--json"}),
            0)
      << err_;
  const auto sets = nlohmann::json::parse(out_)["sets"];
  ASSERT_EQ(sets.size(), 3u);
  EXPECT_NEAR(sets[0]["exact_accuracy"].get<double>(), 2.0 / 3, 1e-12);
  EXPECT_THAT(sets[1]["bleu_signature"].get<std::string>(), StartsWith("nrefs:2|"));
  EXPECT_EQ(sets[2]["set"], "pairs");
  EXPECT_EQ(sets[2]["exact_accuracy"], 1);
  EXPECT_THAT(sets[2]["ter_signature"].get<std::string>(), StartsWith("nrefs:var|"));
}

TEST_F(VerbScoreTest, ComparesSystems) {
  ASSERT_EQ(run({path("hyp"), path("ref"), "--paired", "ar", "--paired-n", "50", "--systems", path("other"), "--json"}),
            0)
      << err_;
  const auto systems = nlohmann::json::parse(out_)["systems"];
  ASSERT_EQ(systems.size(), 2u);
  EXPECT_FALSE(systems[0].contains("bleu_p_value"));
  EXPECT_GT(systems[1]["bleu_p_value"].get<double>(), 0.0);
  EXPECT_THAT(systems[1]["bleu_signature"].get<std::string>(), StartsWith("nrefs:1|ar:50|seed:12345|"));
}

TEST_F(VerbScoreTest, ScoresSingleLinesAndConfidence) {
  ASSERT_EQ(run({"--sentence", "--metrics", "ter,exact", path("hyp"), path("ref")}), 0) << err_;
  EXPECT_EQ(out_, "line\tter\texact_accuracy\n1\t20.00\t0.00\n2\t0.00\t100.00\n3\t0.00\t100.00\n");
  ASSERT_EQ(run({"--confidence", "--confidence-n", "40", "--metrics", "ter", path("hyp"), path("ref"), "--json"}), 0);
  EXPECT_TRUE(nlohmann::json::parse(out_)["ter_confidence"].contains("half_width"));
}

TEST_F(VerbScoreTest, TellsWrongUsage) {
  EXPECT_EQ(run({}), 2);
  EXPECT_EQ(run({path("hyp")}), 2);
  EXPECT_EQ(run({"--metrics", "bleu,rouge", path("hyp"), path("ref")}), 2);
  EXPECT_THAT(err_, HasSubstr("unknown metric 'rouge', expected some of bleu"));
  EXPECT_EQ(run({"--systems", path("other"), "--", path("hyp"), path("ref")}), 2);
  EXPECT_EQ(run({"--paired", "bs", path("hyp"), path("ref")}), 2);
  EXPECT_EQ(run({"--chrf-char-order", "0", path("hyp"), path("ref")}), 2);
  write("bad.tsv", "a\tb\nno tab\n");
  EXPECT_EQ(run({"--pairs", path("bad.tsv")}), 1);
  EXPECT_THAT(err_, HasSubstr("bad.tsv:2: has no tab"));
}

}  // namespace
}  // namespace litenat::cli
