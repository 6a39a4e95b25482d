// `bench` and `report` of models with a decoder, on tiny ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/testing/run_program.h"
#include "export/testing/tiny_sequence_run.h"

namespace litenat::cli {
namespace {

using export_model::testing::tiny_sequence_spec;
using export_model::testing::write_tiny_sequence_run;
using graph::Family;
using ::testing::HasSubstr;
using testing::litenat;
using testing::Outcome;
using testing::read_file;
using testing::ScopedFolder;
using testing::write_file;

class SequenceReportTest : public ::testing::TestWithParam<Family> {
 protected:
  void SetUp() override { write_tiny_sequence_run(run_.path(), tiny_sequence_spec(GetParam())); }
  ScopedFolder run_;
};

TEST_P(SequenceReportTest, BenchTimesEveryBatchAndLine) {
  write_file(run_ / "pairs.tsv", "a b c\ta b\nd e\td\n");
  const Outcome outcome = litenat({"bench", run_.path(), "--seconds", "0.01", "--lengths", "2,5", "--batches", "1,3",
                                   "--pairs", run_ / "pairs.tsv", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  ASSERT_EQ(json["latencies"].size(), 5u);
  EXPECT_EQ(json["latencies"][3]["batch"], 3);
  EXPECT_EQ(json["latencies"][3]["length"], 5);
  EXPECT_EQ(json["latencies"][4]["what"], "conversion");
  for (const auto& latency : json["latencies"]) {
    EXPECT_GT(latency["p50_milliseconds"], 0);
    EXPECT_LE(latency["p50_milliseconds"], latency["p99_milliseconds"]);
  }
}

TEST_P(SequenceReportTest, ReportShowsTheBleuThatEvaluateGives) {
  write_file(run_ / "pairs.tsv", "a b c\ta b\nd e\td\n");
  const Outcome outcome =
      litenat({"report", run_.path(), "--pairs", run_ / "pairs.tsv", "--output", run_ / "report.html", "--quiet"});
  if (outcome.status == 1 && outcome.err.find("cannot run gnuplot") != std::string::npos)
    GTEST_SKIP() << "gnuplot is not installed";
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const Outcome scored = litenat({"evaluate", run_.path(), "--pairs", run_ / "pairs.tsv", "--json"});
  ASSERT_EQ(scored.status, 0) << scored.err;
  const auto set = nlohmann::json::parse(scored.out)["sets"][0];
  char bleu[32];
  std::snprintf(bleu, sizeof bleu, "<td class=\"best\">%.2f</td>", set["bleu"].get<double>());
  const std::string page = read_file(run_ / "report.html");
  EXPECT_THAT(page, HasSubstr(bleu));
  EXPECT_THAT(page, HasSubstr(set["bleu_signature"].get<std::string>()));
}

INSTANTIATE_TEST_SUITE_P(Families, SequenceReportTest, ::testing::Values(Family::kSequence, Family::kNonAutoregressive),
                         [](const auto& parameter) {
                           return parameter.param == Family::kSequence ? "sequence" : "non_autoregressive";
                         });

}  // namespace
}  // namespace litenat::cli
