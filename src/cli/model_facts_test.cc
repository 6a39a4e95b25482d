// What `info` and `report` say of models with a decoder.
#include "cli/model_facts.h"

#include <gtest/gtest.h>

#include "export/testing/tiny_sequence_run.h"

namespace litenat::cli {
namespace {

using export_model::resolve_model;
using export_model::testing::ScopedFolder;
using export_model::testing::tiny_sequence_spec;
using export_model::testing::write_tiny_sequence_run;
using graph::Family;

ModelFacts facts_of(const graph::ModelSpec& spec, int64_t source_length, int64_t target_length = 0) {
  ScopedFolder run;
  write_tiny_sequence_run(run.path(), spec, export_model::testing::kTinyWords);
  return model_facts(resolve_model(run.path()), source_length, target_length);
}

TEST(ModelFacts, CountSharedTablesOnceAndTheTokenizerAsText) {
  const graph::ModelSpec spec = tiny_sequence_spec();
  const ModelFacts facts = facts_of(spec, 7);
  EXPECT_EQ(facts.precision, "fp32");
  EXPECT_EQ(facts.weight_bytes, 4u * static_cast<uint64_t>(facts.total().parameters()));
  const std::string dictionary = export_model::testing::tiny_letters().to_text();
  EXPECT_EQ(facts.text_bytes, 2 * dictionary.size() + std::string(export_model::testing::kTinyWords).size());
}

TEST(ModelFacts, TargetLengthsAreWhatTheModelMakesOfTheSource) {
  graph::ModelSpec spec = tiny_sequence_spec();
  EXPECT_EQ(facts_of(spec, 7).target_length, 7);
  EXPECT_EQ(facts_of(spec, 7, 3).target_length, 3);
  EXPECT_LT(facts_of(spec, 7, 3).total().multiply_adds, facts_of(spec, 7).total().multiply_adds);
  spec = tiny_sequence_spec(Family::kNonAutoregressive);
  EXPECT_EQ(facts_of(spec, 7).target_length, 7);
  spec.decoder.length = graph::LengthKind::kRatio;
  spec.decoder.length_ratio = 2;
  EXPECT_EQ(facts_of(spec, 7).target_length, 14);
}

TEST(ModelFacts, TheBodyLeavesOutTablesAndOutput) {
  const graph::ModelSpec spec = tiny_sequence_spec();
  const ModelFacts facts = facts_of(spec, 7, 5);
  const graph::Cost body = facts.body();
  EXPECT_EQ(body.parameters(), facts.total().other_parameters);
  EXPECT_EQ(facts.total().parameters() - body.parameters(), (12 + 2 * 32) * 16) << "one table and two of positions";
  EXPECT_EQ(facts.total().multiply_adds - body.multiply_adds, 5 * 12 * 16);
}

}  // namespace
}  // namespace litenat::cli
