// info, export and quantize of models with a decoder: the program itself on tiny ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
using testing::ScopedFolder;
using testing::write_file;

nlohmann::json json_of(const Outcome& outcome) {
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  return nlohmann::json::parse(outcome.out, nullptr, false);
}

TEST(SequenceInfo, SaysLengthsSharingAndCost) {
  const ScopedFolder run;
  write_tiny_sequence_run(run.path(), tiny_sequence_spec(Family::kNonAutoregressive));
  const auto json = json_of(litenat({"info", run.path(), "--json", "--length", "9", "--target-length", "11"}));
  EXPECT_EQ(json["family"], "non_autoregressive");
  EXPECT_EQ(json["length"], 9);
  EXPECT_EQ(json["target_length"], 11);
  EXPECT_EQ(json["sides"]["shared_tables"], "all");
  EXPECT_EQ(json["sides"]["length_classes"], 12);
  EXPECT_EQ(json["sides"]["longest_target"], 30);
  EXPECT_EQ(json["decode"]["length_beam"], 1);
  EXPECT_EQ(json["text"]["source dictionary"], 12);
  EXPECT_EQ(json["weight_bytes"], 4 * json["parts"].back()["parameters"].get<int64_t>());
  const Outcome text = litenat({"info", run.path(), "--length", "9", "--target-length", "11", "--graph"});
  EXPECT_THAT(text.out, HasSubstr("parts (multiply-adds of 9 + 11 rows)"));
  EXPECT_THAT(text.out, HasSubstr("without tables and output: "));
  EXPECT_THAT(text.out, HasSubstr("decoder.copy_attn.mix = cross_attention("));
}

TEST(SequenceExport, StoresSettingsOfItsDecoder) {
  const ScopedFolder run;
  write_tiny_sequence_run(run.path());
  const Outcome outcome =
      litenat({"export", run.path(), "--set", "decode.beam=3", "--set", "decode.length_penalty=0.6"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const auto json = json_of(litenat({"info", run / "model.litenat", "--json"}));
  EXPECT_EQ(json["decode"]["beam"], 3);
  EXPECT_EQ(json["decode"]["length_penalty"], 0.6);
  const Outcome wrong = litenat({"export", run.path(), "--set", "decode.baem=3"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.err, HasSubstr("did you mean 'beam'"));
}

/// data/ as `preprocess` writes it, with the dictionary of the tiny runs.
void preprocess_pairs(const ScopedFolder& folder) {
  write_file(folder / "valid.en", "a b c\nd e\nf g h a\nb\n");
  write_file(folder / "valid.de", "h g\na b c d\ne f\ng h\n");
  write_file(folder / "dict.txt", export_model::testing::tiny_letters().to_text());
  const Outcome outcome =
      litenat({"preprocess", "--source-lang", "en", "--target-lang", "de", "--validpref", folder / "valid", "--srcdict",
               folder / "dict.txt", "--joined-dictionary", "--destdir", folder / "data"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
}

TEST(SequenceQuantize, CalibratesOnPairsAndWritesAModelThatConverts) {
  const ScopedFolder data;
  preprocess_pairs(data);
  for (const Family family : {Family::kSequence, Family::kNonAutoregressive}) {
    const ScopedFolder run;
    write_tiny_sequence_run(run.path(), tiny_sequence_spec(family));
    for (const char* activations : {"dynamic", "static"}) {
      const auto json = json_of(litenat(
          {"quantize", run.path(), "--calibrate", data / "data", "--activations", activations, "--json", "--quiet"}));
      EXPECT_EQ(json["calibration_lines"], 4);
      EXPECT_GT(json["ratio"], 1.5);
      const Outcome converted = litenat({"convert", run / "model.int8.litenat"}, "a b\n\nc\n");
      EXPECT_EQ(converted.status, 0) << converted.err;
      EXPECT_EQ(testing::count_lines(converted.out), 3);
    }
  }
}

TEST(SequenceQuantize, SaysWhatItsDataLack) {
  const ScopedFolder run;
  write_tiny_sequence_run(run.path());
  const Outcome outcome = litenat({"quantize", run.path(), "--calibrate", run.path()});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("name a folder that `litenat preprocess` wrote"));
}

}  // namespace
}  // namespace litenat::cli
