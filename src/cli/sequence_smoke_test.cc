// Runs the verbs that take models with a decoder, on tiny ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "cli/testing/run_program.h"
#include "data/word_segmentation.h"
#include "export/testing/tiny_sequence_run.h"

namespace litenat::cli {
namespace {

using export_model::testing::tiny_letters;
using export_model::testing::tiny_sequence_spec;
using export_model::testing::write_tiny_sequence_run;
using graph::Family;
using testing::count_lines;
using ::testing::HasSubstr;
using testing::litenat;
using testing::Outcome;
using testing::ProgramRun;
using testing::read_file;
using testing::ScopedFolder;
using ::testing::StartsWith;
using testing::write_file;
using Arguments = std::vector<std::string>;

constexpr const char* kInput = "a b c\n\nd\ne f strange g h\na b c\n";

/// `count` sentences of several lengths.
std::string many_sentences(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    for (int j = 0; j <= i % 7; ++j) (text += j == 0 ? "" : " ") += static_cast<char>('a' + (i * 3 + j * 5) % 8);
    text += "\n";
  }
  return text;
}

Arguments with(Arguments arguments, const Arguments& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// An autoregressive and a non-autoregressive model of the same dictionaries.
class SequenceVerbTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_tiny_sequence_run(teacher_.path(), tiny_sequence_spec(Family::kSequence));
    graph::ModelSpec student = tiny_sequence_spec(Family::kNonAutoregressive);
    student.head.kind = graph::HeadKind::kCrf;
    student.head.crf_rank = 4;
    student.head.crf_beam = 8;
    write_tiny_sequence_run(student_.path(), student);
  }
  /// Lines "input, tab, what the model gives": every measure must then say that it is perfect.
  void write_own_pairs(const std::string& model, const std::string& input, const Arguments& flags) {
    const Outcome outcome = litenat(with({"convert", model}, flags), input);
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    const auto outputs = lines_of(outcome.out);
    const auto inputs = lines_of(input);
    ASSERT_EQ(outputs.size(), inputs.size());
    std::string pairs;
    for (size_t i = 0; i < inputs.size(); ++i) pairs += inputs[i] + "\t" + outputs[i] + "\n";
    write_file(folder_ / "own.tsv", pairs);
  }

  ScopedFolder teacher_, student_, folder_;
  const Arguments short_ = {"--max-length-b", "8"};
};

TEST_F(SequenceVerbTest, ConvertKeepsLinesAligned) {
  for (const Arguments& arguments :
       {with({"convert", teacher_.path()}, short_), Arguments{"convert", student_.path()}}) {
    const Outcome outcome = litenat(arguments, kInput);
    ASSERT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    const auto lines = lines_of(outcome.out);
    ASSERT_EQ(lines.size(), 5u);
    EXPECT_EQ(lines[1], "");  // of the empty line
    EXPECT_NE(lines[0], "");
    EXPECT_EQ(lines[0], lines[4]);
  }
}

TEST_F(SequenceVerbTest, OutputsDoNotDependOnBatchesAndThreads) {
  const std::string input = many_sentences(40);
  for (const Arguments& arguments : {with({"convert", teacher_.path(), "--nbest", "3"}, short_),
                                     Arguments{"convert", student_.path(), "--length-beam", "3", "--nbest", "3"}}) {
    const Outcome one = litenat(with(arguments, {"--batch-tokens", "1"}), input);
    ASSERT_EQ(one.status, 0) << one.err;
    EXPECT_EQ(count_lines(one.out), 40);
    EXPECT_EQ(litenat(with(arguments, {"--batch-tokens", "50", "--threads", "3"}), input).out, one.out);
    EXPECT_EQ(litenat(arguments, input).out, one.out);
  }
}

TEST_F(SequenceVerbTest, ConvertGivesScoresAsJson) {
  const Outcome outcome =
      litenat(with({"convert", teacher_.path(), "--beam", "4", "--nbest", "4", "--json"}, short_), "a b\n");
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["input"], "a b");
  ASSERT_EQ(json["candidates"].size(), 4u);
  for (size_t i = 1; i < 4; ++i) EXPECT_GE(json["candidates"][i - 1]["score"], json["candidates"][i]["score"]);
}

TEST_F(SequenceVerbTest, LinesThatAreTooLongAreErrorsOfTheirLines) {
  std::string longest;
  for (int i = 0; i < 29; ++i) longest += "a ";  // with </s> the 30 positions of the model
  const Outcome outcome =
      litenat(with({"convert", teacher_.path()}, short_), "a\n" + longest + "\n" + longest + "a\na\n");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(count_lines(outcome.out), 4);
  EXPECT_EQ(lines_of(outcome.out)[2], "");
  EXPECT_EQ(lines_of(outcome.out)[0], lines_of(outcome.out)[3]);
  EXPECT_THAT(outcome.err, HasSubstr("standard input:3: has 30 tokens, expected at most 29"));
  EXPECT_THAT(outcome.err, HasSubstr("1 of 4 lines"));
  const Outcome limited = litenat(with({"convert", teacher_.path(), "--max-source", "2"}, short_), "a b c\n");
  EXPECT_THAT(limited.err, HasSubstr("expected at most 2"));
}

TEST_F(SequenceVerbTest, FlagsOfTheOtherFamilyAreWrongUsage) {
  const std::string tagger = folder_ / "tagger";
  export_model::testing::write_tiny_run(tagger);
  for (const Arguments& arguments : std::vector<Arguments>{{teacher_.path(), "--length-beam", "3"},
                                                           {teacher_.path(), "--rescorer", teacher_.path()},
                                                           {teacher_.path(), "--strict"},
                                                           {teacher_.path(), "--unconstrained"},
                                                           {teacher_.path(), "--beam", "2", "--nbest", "3"},
                                                           {teacher_.path(), "--set", "decode.parses=3"},
                                                           {student_.path(), "--beam", "3"},
                                                           {student_.path(), "--length-penalty", "1"},
                                                           {student_.path(), "--set", "decode.beam=3"},
                                                           {tagger, "--rescorer", teacher_.path()},
                                                           {tagger, "--batch-tokens", "9"},
                                                           {tagger, "--tokens"},
                                                           {tagger, "--max-length-b", "9"}}) {
    const Outcome outcome = litenat(with({"convert"}, arguments), "a\n");
    EXPECT_EQ(outcome.status, 2) << ::testing::PrintToString(arguments) << outcome.err;
    EXPECT_EQ(outcome.out, "");
  }
  EXPECT_EQ(litenat({"convert", student_.path(), "--set", "decode.length_beam=3"}, "a\n").status, 0);
}

TEST_F(SequenceVerbTest, RescorersNeedTheSameDictionaries) {
  const Outcome outcome = litenat(
      {"convert", student_.path(), "--length-beam", "5", "--nbest", "5", "--rescorer", teacher_.path(), "--json"},
      "a b c\n");
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_GE(nlohmann::json::parse(outcome.out)["candidates"].size(), 1u);
  EXPECT_THAT(litenat({"convert", student_.path(), "--rescorer", student_.path()}, "a\n").err,
              HasSubstr("no autoregressive model"));
}

TEST_F(SequenceVerbTest, UnknownWordsAreCopiedUnlessKept) {
  // An output that prefers <unk> above all.
  const Arguments unknown = {"convert", teacher_.path(), "--set", "decode.unknown_penalty=-1000", "--max-length-b",
                             "2",       "--beam",        "1"};
  EXPECT_EQ(litenat(unknown, "a strange b\n").out, "strange strange\n");
  EXPECT_EQ(litenat(unknown, "one a two\n").out, "one two\n");
  EXPECT_EQ(litenat(unknown, "a b\n").out, "\n");
  EXPECT_EQ(litenat(with(unknown, {"--keep-unknown", "--tokens"}), "a strange\n").out, "<unk> <unk>\n");
}

TEST_F(SequenceVerbTest, RawTextGoesThroughTheModelsTokenizer) {
  const std::string words = data::make_word_list("我们 10\n爱 5\n", data::WordPath::kLikeliest, false, "test");
  const std::string run = folder_ / "words";
  write_tiny_sequence_run(run, tiny_sequence_spec(Family::kSequence), words);
  // Unknown words stand for themselves, so the output is the input.
  const Arguments unknown = {"convert",        run, "--set",  "decode.unknown_penalty=-1000",
                             "--max-length-b", "2", "--beam", "1"};
  EXPECT_EQ(litenat(unknown, "我们爱\n").out, "我们爱\n");
  EXPECT_EQ(litenat(with(unknown, {"--tokens"}), "我们 爱\n").out, "我们 爱\n");
  write_file(folder_ / "in", "爱我们\n");
  const Arguments distill = {
      "distill", run,      "--input", folder_ / "in", "--set", "decode.unknown_penalty=-1000", "--max-length-b",
      "2",       "--beam", "1"};
  ASSERT_EQ(litenat(with(distill, {"--raw", "--output", folder_ / "tokens"})).status, 0);
  EXPECT_EQ(read_file(folder_ / "tokens"), "爱 我们\n");
  ASSERT_EQ(litenat(with(distill, {"--raw", "--detokenize", "--output", folder_ / "text"})).status, 0);
  EXPECT_EQ(read_file(folder_ / "text"), "爱我们\n");
}

TEST_F(SequenceVerbTest, EvaluateScoresOwnOutputsAsPerfect) {
  for (const auto& [model, flags] : {std::pair(teacher_.path(), short_), std::pair(student_.path(), Arguments())}) {
    write_own_pairs(model, many_sentences(30), flags);
    const Arguments arguments = with({"evaluate", model, "--pairs", folder_ / "own.tsv", folder_ / "own.tsv"}, flags);
    const Outcome table = litenat(arguments);
    ASSERT_EQ(table.status, 0) << table.err;
    EXPECT_THAT(table.out, StartsWith("set  lines"));
    EXPECT_THAT(table.out, HasSubstr("BLEU|nrefs:1|case:mixed|eff:no|tok:13a|"));
    const Outcome outcome = litenat(with(arguments, {"--json", "--threads", "2", "--output", folder_ / "hyps"}));
    const auto sets = nlohmann::json::parse(outcome.out)["sets"];
    ASSERT_EQ(sets.size(), 2u);
    EXPECT_EQ(sets[0]["lines"], 30);
    EXPECT_EQ(sets[0]["failed_lines"], 0);
    EXPECT_NEAR(sets[0]["exact_accuracy"].get<double>(), 100, 1e-9);
    EXPECT_NEAR(sets[1]["chrf2"].get<double>(), 100, 1e-9);
    EXPECT_GT(sets[0]["sentences_per_second"], 0);
    EXPECT_EQ(count_lines(read_file(folder_ / "hyps")), 60);
  }
}

TEST_F(SequenceVerbTest, EvaluateReadsPreprocessedData) {
  write_own_pairs(teacher_.path(), many_sentences(12), short_);
  std::string sources, targets;
  for (const std::string& line : lines_of(read_file(folder_ / "own.tsv"))) {
    sources += line.substr(0, line.find('\t')) + "\n";
    targets += line.substr(line.find('\t') + 1) + "\n";
  }
  write_file(folder_ / "test.aa", sources);
  write_file(folder_ / "test.bb", targets);
  write_file(folder_ / "dict.aa", tiny_letters().to_text());
  write_file(folder_ / "dict.bb", tiny_letters().to_text());
  const Outcome preprocess =
      litenat({"preprocess", "-s", "aa", "-t", "bb", "--testpref", folder_ / "test", "--srcdict", folder_ / "dict.aa",
               "--tgtdict", folder_ / "dict.bb", "--destdir", folder_ / "bin"});
  ASSERT_EQ(preprocess.status, 0) << preprocess.err;
  const Outcome outcome =
      litenat(with({"evaluate", teacher_.path(), "--data", folder_ / "bin", "--subset", "test", "--json"}, short_));
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const auto set = nlohmann::json::parse(outcome.out)["sets"][0];
  EXPECT_EQ(set["set"], "test");
  EXPECT_EQ(set["lines"], 12);
  EXPECT_NEAR(set["exact_accuracy"].get<double>(), 100, 1e-9);
  const Outcome missing = litenat({"evaluate", teacher_.path(), "--data", folder_ / "bin", "--subset", "valid"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_THAT(missing.err, HasSubstr("valid.SOURCE-TARGET.SOURCE.idx"));
}

TEST_F(SequenceVerbTest, DistillEqualsConvertAndIsNotDoneTwice) {
  write_file(folder_ / "in", many_sentences(50));
  const Arguments distill =
      with({"distill", teacher_.path(), "--input", folder_ / "in", "--output", folder_ / "out", "--json"}, short_);
  const Outcome outcome = litenat(with(distill, {"--threads", "2", "--batch-tokens", "20"}));
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["kept_lines"], 0);
  EXPECT_EQ(read_file(folder_ / "out"),
            litenat(with({"convert", teacher_.path(), "--tokens"}, short_), many_sentences(50)).out);
  EXPECT_EQ(read_file(folder_ / "out.part"), "");
  const Outcome again = litenat(distill);
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(nlohmann::json::parse(again.out)["kept_lines"], 50);
  const Outcome other = litenat(with(distill, {"--beam", "2"}));
  EXPECT_EQ(other.status, 1);
  EXPECT_THAT(other.err, HasSubstr("--restart"));
  EXPECT_EQ(litenat(with(distill, {"--beam", "2", "--restart"})).status, 0);
}

TEST_F(SequenceVerbTest, DistillGoesOnAfterBeingKilled) {
  const int lines = 4000;
  write_file(folder_ / "in", many_sentences(lines));
  const Arguments distill = with({"distill", teacher_.path(), "--input", folder_ / "in", "--output", folder_ / "out",
                                  "--batch-tokens", "40", "--json"},
                                 short_);
  ASSERT_EQ(
      litenat(with({"distill", teacher_.path(), "--input", folder_ / "in", "--output", folder_ / "whole"}, short_))
          .status,
      0);
  int64_t kept = 0;
  int kills = 0;
  for (useconds_t patience = 60000;; patience *= 2) {
    ProgramRun run(distill, "");
    usleep(patience);
    kill(run.pid(), SIGKILL);
    const Outcome outcome = run.wait();
    if (outcome.status == 0) {
      kept = nlohmann::json::parse(outcome.out)["kept_lines"];
      break;
    }
    ASSERT_EQ(outcome.status, 1000 + SIGKILL) << outcome.err;
    ++kills;
    ASSERT_LT(patience, useconds_t{1} << 28);
  }
  EXPECT_GT(kills, 0);
  EXPECT_LT(kept, lines);
  EXPECT_EQ(read_file(folder_ / "out"), read_file(folder_ / "whole"));
}

TEST_F(SequenceVerbTest, DistillLeavesLinesEmptyThatAreTooLong) {
  write_file(folder_ / "in", "a b\na b c\nd\n");
  const Outcome outcome = litenat({"distill", teacher_.path(), "--input", folder_ / "in", "--output", folder_ / "out",
                                   "--max-source", "2", "--max-length-b", "8"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.err, HasSubstr("in:2: has 3 tokens, expected at most 2"));
  EXPECT_THAT(outcome.out, HasSubstr("1 empty"));
  const auto lines = lines_of(read_file(folder_ / "out"));
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[1], "");
}

TEST_F(SequenceVerbTest, DistillNeverOverwritesItsInput) {
  write_file(folder_ / "in", "a b c\n");
  for (const Arguments& flags : {Arguments{}, Arguments{"--restart"}}) {
    const Outcome outcome =
        litenat(with({"distill", student_.path(), "--input", folder_ / "in", "--output", folder_ / "./in"}, flags));
    EXPECT_EQ(outcome.status, 1);
    EXPECT_THAT(outcome.err, HasSubstr("is the input itself"));
    EXPECT_EQ(read_file(folder_ / "in"), "a b c\n");
  }
}

TEST_F(SequenceVerbTest, DistillRefusesTaggersAndEmptyInputs) {
  export_model::testing::write_tiny_run(folder_ / "tagger");
  write_file(folder_ / "in", "a\n");
  write_file(folder_ / "empty", "");
  EXPECT_THAT(litenat({"distill", folder_ / "tagger", "--input", folder_ / "in", "--output", folder_ / "out"}).err,
              HasSubstr("text-entry model"));
  EXPECT_THAT(litenat({"distill", teacher_.path(), "--input", folder_ / "empty", "--output", folder_ / "out"}).err,
              HasSubstr("is empty"));
  EXPECT_EQ(litenat({"distill", teacher_.path(), "--input", folder_ / "in"}).status, 2);
}

}  // namespace
}  // namespace litenat::cli
