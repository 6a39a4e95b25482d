// Runs the program itself: exit statuses, streams, one-line errors, and each verb on a tiny model.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/program.h"
#include "cli/testing/run_program.h"
#include "cli/verbs.h"
#include "export/testing/tiny_run.h"

namespace litenat::cli {
namespace {

using export_model::testing::write_tiny_run;
using testing::count_lines;
using ::testing::HasSubstr;
using testing::litenat;
using testing::Outcome;
using testing::read_file;
using testing::redirect;
using testing::ScopedFolder;
using ::testing::StartsWith;
using testing::write_file;

std::vector<std::string> words_of(const std::string& verb, const std::vector<std::string>& rest) {
  std::vector<std::string> words;
  std::istringstream stream(verb);
  for (std::string word; stream >> word;) words.push_back(word);
  words.insert(words.end(), rest.begin(), rest.end());
  return words;
}

TEST(Program, EveryVerbHasHelpWithExamplesAndRefusesUnknownFlags) {
  Program program;
  add_verbs(program);
  ASSERT_GE(program.verb_names().size(), 8u);
  for (const std::string& verb : program.verb_names()) {
    const Outcome help = litenat(words_of(verb, {"--help"}));
    EXPECT_EQ(help.status, 0) << verb;
    EXPECT_THAT(help.out, HasSubstr("Examples:")) << verb;
    EXPECT_THAT(help.out, HasSubstr("--log-level")) << verb;
    EXPECT_EQ(help.err, "") << verb;
    const Outcome wrong = litenat(words_of(verb, {"--no-such-flag"}));
    EXPECT_EQ(wrong.status, 2) << verb;
    EXPECT_EQ(wrong.out, "") << verb;
    EXPECT_THAT(wrong.err, HasSubstr("litenat " + verb + " --help")) << verb;
  }
}

TEST(Program, VersionNamesKernelsAndEngines) {
  const Outcome outcome = litenat({"--version"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.out, StartsWith("litenat "));
  EXPECT_THAT(outcome.out, HasSubstr("\nkernels: "));
  EXPECT_THAT(outcome.out, HasSubstr("\nengines: cpu, torch"));
  EXPECT_EQ(litenat({}).status, 0);
  EXPECT_EQ(litenat({"no-such-verb"}).status, 2);
  EXPECT_EQ(litenat({"score", "--log-level", "loud", "a", "b"}).status, 2);
  EXPECT_EQ(litenat({"score", "--threads", "0", "a", "b"}).status, 2);
}

TEST(Program, MissingFilesAreOneLineAndStatusOne) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"score", "/no/such/hyp", "/no/such/ref"},
                                             {"convert", "/no/such/model"},
                                             {"info", "/no/such/model"},
                                             {"bench", "/no/such/model"},
                                             {"export", "/no/such/run"},
                                             {"train", "/no/such/config.toml"},
                                             {"average", "/no/such/a", "/no/such/b", "-o", "/no/such/c"},
                                             {"quantize", "/no/such/run", "--calibrate", "/no/such/file"},
                                             {"evaluate", "/no/such/model", "--pairs", "/no/such/pairs"}}) {
    const Outcome outcome = litenat(arguments);
    EXPECT_EQ(outcome.status, 1) << arguments[0];
    EXPECT_EQ(outcome.out, "") << arguments[0];
    EXPECT_EQ(count_lines(outcome.err), 1) << outcome.err;
    EXPECT_THAT(outcome.err, StartsWith("litenat: error: /no/such/")) << arguments[0];
  }
}

TEST(Score, PrintsBleuWithItsSignature) {
  ScopedFolder folder;
  write_file(folder / "hyp", "the cat sat on the mat\n");
  write_file(folder / "ref", "the cat sat on a mat\n");
  const Outcome text = litenat({"score", folder / "hyp", folder / "ref"});
  EXPECT_EQ(text.status, 0);
  EXPECT_THAT(text.out, StartsWith("BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0 = 53.73 "));
  const auto json = nlohmann::json::parse(litenat({"score", folder / "hyp", folder / "ref", "--json"}).out);
  EXPECT_NEAR(json["bleu"].get<double>(), 53.7284965911771, 1e-9);
  EXPECT_EQ(json["exact_accuracy"], 0);
  write_file(folder / "short", "");
  const Outcome uneven = litenat({"score", folder / "hyp", folder / "short"});
  EXPECT_EQ(uneven.status, 1);
  EXPECT_THAT(uneven.err, HasSubstr("has 0 lines, expected 1"));
}

/// A run folder with its exported model.
class VerbTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_tiny_run(run_.path());
    const Outcome outcome = litenat({"export", run_.path()});
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    write_file(run_ / "pairs.tsv", "nihao\t你好\nshijie\t是界\t世界\nwomen\t我们\n");
  }
  ScopedFolder run_;
};

TEST_F(VerbTest, ConvertKeepsLinesAlignedAndReadingsLegal) {
  const Outcome outcome = litenat({"convert", run_ / "model.litenat"}, "women\n\nABC wo\n64426");
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.out.substr(0, outcome.out.find("ABC")), "我们\n\n");
  EXPECT_THAT(outcome.out, HasSubstr("ABC 我\n"));
  EXPECT_EQ(count_lines(outcome.out), 4);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(litenat({"convert", run_.path()}, "women\n").out, "我们\n");
}

TEST_F(VerbTest, ConvertStrictFailsItsLineAndDoesTheOthers) {
  const Outcome outcome = litenat({"convert", run_ / "model.litenat", "--strict"}, "wo\nABC\nmen\n");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.out, "我\n\n们\n");
  EXPECT_THAT(outcome.err, HasSubstr("standard input:2:"));
  EXPECT_THAT(outcome.err, HasSubstr("1 of 3 lines"));
}

TEST_F(VerbTest, ConvertNbestAndJson) {
  const Outcome text = litenat({"convert", run_ / "model.litenat", "--nbest", "4"}, "shi\n");
  EXPECT_TRUE(text.out == "是\t世\n" || text.out == "世\t是\n") << text.out;
  const Outcome json = litenat({"convert", run_ / "model.litenat", "--nbest", "4", "--json"}, "shi\n");
  const auto parsed = nlohmann::json::parse(json.out);
  EXPECT_EQ(parsed["input"], "shi");
  ASSERT_EQ(parsed["candidates"].size(), 2u);
  EXPECT_GE(parsed["candidates"][0]["score"], parsed["candidates"][1]["score"]);
}

TEST_F(VerbTest, ConvertSurvivesHostileLines) {
  std::string input = std::string(3 << 20, 'n') + "\n" + std::string("wo\0men\n", 7) + "\xFF\xFE\nwo\n";
  const Outcome outcome = litenat({"convert", run_ / "model.litenat"}, input);
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("standard input:1:"));
  EXPECT_EQ(count_lines(outcome.out), 4);
  EXPECT_EQ(outcome.out.substr(outcome.out.size() - 4), "我\n");
}

TEST_F(VerbTest, EvaluateCountsExactly) {
  const std::vector<std::string> arguments = {"evaluate", run_.path(), "--pairs", run_ / "pairs.tsv", "--baseline"};
  const Outcome table = litenat(arguments);
  ASSERT_EQ(table.status, 0) << table.err;
  EXPECT_THAT(table.out, StartsWith("set    lines  exact %"));
  std::vector<std::string> with_json = arguments;
  with_json.insert(with_json.end(), {"--json", "--threads", "2", "--nbest", "9", "--output", run_ / "hyps"});
  const auto set = nlohmann::json::parse(litenat(with_json).out)["sets"][0];
  EXPECT_EQ(set["lines"], 3);
  EXPECT_EQ(set["failed_lines"], 0);
  EXPECT_EQ(set["top_n"], 1);              // of nihao and shijie every legal reading is among nine
  EXPECT_EQ(set["baseline"]["exact"], 1);  // the commonest hanzi are 你 好, 是 界, 我 们
  EXPECT_EQ(count_lines(read_file(run_ / "hyps")), 3);
}

TEST_F(VerbTest, EvaluateNamesTheBadLineAndTheBadSetting) {
  write_file(run_ / "bad.tsv", "nihao\t你好\nno tab here\n");
  const Outcome line = litenat({"evaluate", run_.path(), "--pairs", run_ / "bad.tsv"});
  EXPECT_EQ(line.status, 1);
  EXPECT_THAT(line.err, HasSubstr("bad.tsv:2: has no tab"));
  const auto with_set = [&](const char* setting) {
    return litenat({"evaluate", run_.path(), "--pairs", run_ / "pairs.tsv", "--set", setting});
  };
  EXPECT_THAT(with_set("decode.baem=3").err, HasSubstr("did you mean 'beam'"));
  EXPECT_EQ(with_set("decode.beam=0").status, 2);
  EXPECT_EQ(with_set("beam=1").status, 2);
  EXPECT_EQ(with_set("decode.beam=2").status, 0);
  EXPECT_EQ(litenat({"evaluate", run_.path()}).status, 2);
}

TEST_F(VerbTest, QuantizeWritesAModelThatConverts) {
  const Outcome outcome = litenat({"quantize", run_.path(), "--calibrate", run_ / "pairs.tsv", "--json", "--quiet"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["calibration_lines"], 3);
  EXPECT_GT(json["ratio"], 2.5);
  EXPECT_EQ(litenat({"convert", run_ / "model.int8.litenat"}, "women\n").out, "我们\n");
  const Outcome again = litenat({"quantize", run_ / "model.int8.litenat", "--calibrate", run_ / "pairs.tsv"});
  EXPECT_EQ(again.status, 1);
  EXPECT_THAT(again.err, HasSubstr("quantised already"));
  EXPECT_EQ(litenat({"quantize", run_.path(), "--calibrate", run_ / "pairs.tsv", "--keep", "nothing"}).status, 2);
}

TEST_F(VerbTest, ExportSaysWhichFormatsThereAre) {
  const Outcome outcome = litenat({"export", run_.path(), "--format", "onnx"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("does not write --format onnx, expected litenat"));
}

TEST_F(VerbTest, InfoCountsParameters) {
  const auto json = nlohmann::json::parse(litenat({"info", run_ / "model.litenat", "--json", "--length", "4"}).out);
  EXPECT_EQ(json["family"], "tagger");
  EXPECT_EQ(json["precision"], "fp32");
  int64_t parameters = 0;
  for (const auto& part : json["parts"])
    if (part["part"] != "total") parameters += part["parameters"].get<int64_t>();
  EXPECT_EQ(json["parts"].back()["parameters"], parameters);
  EXPECT_GE(json["weight_bytes"], 4 * parameters);
  EXPECT_EQ(json["training"]["update"], 120);
  EXPECT_THAT(litenat({"info", run_.path(), "--graph"}).out, HasSubstr("encoder.layers.1.fc2"));
}

TEST_F(VerbTest, BenchReportsPercentiles) {
  const Outcome outcome = litenat({"bench", run_ / "model.litenat", "--seconds", "0.01", "--lengths", "2,8", "--json"});
  const auto json = nlohmann::json::parse(outcome.out);
  ASSERT_EQ(json["latencies"].size(), 2u);
  EXPECT_GT(json["latencies"][1]["p50_milliseconds"], 0);
  EXPECT_LE(json["latencies"][1]["p50_milliseconds"], json["latencies"][1]["p99_milliseconds"]);
}

TEST_F(VerbTest, ReportIsOneSelfContainedPage) {
  write_file(
      run_ / "log.jsonl",
      "{\"type\":\"train\",\"update\":1,\"nll\":2.5}\n{\"type\":\"train\",\"update\":2,\"nll\":2}\n"
      "{\"type\":\"valid\",\"update\":1,\"nll\":2.6}\n{\"type\":\"valid\",\"update\":2,\"nll\":2.1}\n{\"type\":\"tr");
  const Outcome outcome = litenat({"report", run_.path(), run_ / "model.litenat", "--pairs", run_ / "pairs.tsv",
                                   "--output", run_ / "report.html", "--quiet"});
  if (outcome.status == 1 && outcome.err.find("cannot run gnuplot") != std::string::npos)
    GTEST_SKIP() << "gnuplot is not installed";
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const std::string page = read_file(run_ / "report.html");
  EXPECT_THAT(page, StartsWith("<!DOCTYPE html>"));
  int pictures = 0;
  for (size_t at = page.find("<svg"); at != std::string::npos; at = page.find("<svg", at + 1)) ++pictures;
  EXPECT_EQ(pictures, 3);  // size, sets, training
  EXPECT_THAT(page, HasSubstr("<td>commonest hanzi</td><td>100.00</td>"));
  EXPECT_EQ(page.find("src="), std::string::npos);
  EXPECT_EQ(page.find("<link"), std::string::npos);
}

TEST_F(VerbTest, ForcedInstructionSetsAreHonoredOrRefused) {
  setenv("LITENAT_FORCE_ISA", "scalar", 1);
  EXPECT_THAT(litenat({"--version"}).out, HasSubstr("kernels: scalar"));
  EXPECT_EQ(litenat({"convert", run_ / "model.litenat"}, "women\n").out, "我们\n");
  setenv("LITENAT_FORCE_ISA", "abacus", 1);
  const Outcome outcome = litenat({"convert", run_ / "model.litenat"}, "women\n");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("abacus"));
  unsetenv("LITENAT_FORCE_ISA");
}

TEST_F(VerbTest, AnInterruptEndsConvertAndLeavesNoFile) {
  // A pipe that stays open: convert waits for more lines.
  int input[2];
  ASSERT_EQ(pipe(input), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(input[0], STDIN_FILENO);
    close(input[0]);
    close(input[1]);
    redirect("/dev/null", O_WRONLY, STDERR_FILENO);
    execl(LITENAT_PROGRAM, "litenat", "convert", (run_ / "model.litenat").c_str(), nullptr);
    _exit(127);
  }
  close(input[0]);
  usleep(300000);
  kill(pid, SIGINT);
  int status = 0;
  waitpid(pid, &status, 0);
  close(input[1]);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 128 + SIGINT);
}

}  // namespace
}  // namespace litenat::cli
