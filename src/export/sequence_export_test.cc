// Checkpoints of models with a decoder become deployable models.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/json.h"
#include "export/checkpoint_export.h"
#include "export/resolve_model.h"
#include "export/testing/tiny_sequence_run.h"

namespace litenat::export_model {
namespace {

using format::Container;
using format::TensorType;
using graph::Family;
using ::testing::HasSubstr;
using namespace testing;  // NOLINT: the helpers of tiny_run.h

std::shared_ptr<const Container> exported(const ScopedFolder& run, const ExportOptions& options = {}) {
  export_checkpoint(run / "checkpoints/last.safetensors", run / "model.litenat", options);
  return value_or_throw(Container::open(run / "model.litenat"));
}

std::string error_of(const ScopedFolder& run, const ExportOptions& options = {}) {
  try {
    exported(run, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::vector<float> values_of(const Container& model, const graph::Weight& weight) {
  const format::Tensor tensor = value_or_throw(model.get(weight.name, TensorType::kF32, weight.shape));
  return {tensor.data<float>(), tensor.data<float>() + tensor.num_elements()};
}

TEST(ExportSequence, NormalisesTheTapsOfBothSidesAndCopiesTheRest) {
  for (const Family family : {Family::kSequence, Family::kNonAutoregressive}) {
    ScopedFolder run;
    const graph::ModelSpec spec = tiny_sequence_spec(family);
    write_tiny_sequence_run(run.path(), spec);
    const auto model = exported(run);
    std::set<std::string> changed;
    for (const graph::Weight& weight : value_or_throw(graph::build_graph(spec)).weights) {
      const std::vector<float> found = values_of(*model, weight);
      if (found == tiny_values(weight, kModelSeed)) continue;
      changed.insert(weight.name);
      for (size_t row = 0; row < found.size(); row += 3)
        EXPECT_NEAR(found[row] + found[row + 1] + found[row + 2], 1, 1e-6) << weight.name;
    }
    EXPECT_EQ(changed,
              (std::set<std::string>{"encoder.layers.0.conv.weight", "decoder.layers.0.self_attn.branches.1.weight"}));
  }
}

TEST(ExportSequence, SharedTablesAreStoredOnce) {
  ScopedFolder run;
  graph::ModelSpec spec = tiny_sequence_spec();
  write_tiny_sequence_run(run.path(), spec);
  auto model = exported(run);
  EXPECT_NE(model->find("encoder.embed_tokens.weight"), nullptr);
  EXPECT_EQ(model->find("decoder.embed_tokens.weight"), nullptr);
  EXPECT_EQ(model->find("head.output.weight"), nullptr);
  spec.decoder.share = graph::Sharing::kOutput;
  write_tiny_sequence_run(run.path(), spec);
  model = exported(run);
  EXPECT_NE(model->find("decoder.embed_tokens.weight"), nullptr);
  EXPECT_EQ(model->find("head.output.weight"), nullptr);
}

TEST(ExportSequence, CarriesDictionariesTokenizerAndMetadata) {
  ScopedFolder run;
  write_tiny_sequence_run(run.path(), tiny_sequence_spec(), kTinyWords);
  const auto file = exported(run);
  ASSERT_NE(file->metadata("text.languages"), nullptr);
  EXPECT_EQ(*file->metadata("text.languages"), "en-de");
  const ResolvedModel resolved = resolve_model(run.path());
  ASSERT_NE(resolved.model->source_dictionary(), nullptr);
  EXPECT_EQ(resolved.model->source_dictionary()->token(4), "a");
  EXPECT_EQ(resolved.model->target_dictionary()->token(11), "h");
  const Span<const uint8_t> tokenizer = resolved.model->tokenizer();
  EXPECT_EQ(std::string(tokenizer.begin(), tokenizer.end()), kTinyWords);
  EXPECT_EQ(resolved.model->ime(), nullptr);
}

TEST(ExportSequence, StoresTheSettingsOfTheFamilysDecoder) {
  ScopedFolder run;
  write_tiny_sequence_run(run.path());
  ExportOptions options;
  options.decode = Json::object();
  options.decode.set("beam", Json(3));
  options.decode.set("length_penalty", Json(0.6));
  exported(run, options);
  ResolvedModel resolved = resolve_model(run / "model.litenat");
  EXPECT_EQ(resolved.model->beam_options().beam, 3);
  EXPECT_EQ(resolved.model->beam_options().length_penalty, 0.6);
  write_tiny_sequence_run(run.path(), tiny_sequence_spec(Family::kNonAutoregressive));
  EXPECT_THAT(error_of(run, options), HasSubstr("decode.beam: unknown key"));
  options.decode = Json::object();
  options.decode.set("length_beam", Json(5));
  exported(run, options);
  resolved = resolve_model(run / "model.litenat");
  EXPECT_EQ(resolved.model->parallel_options().length_beam, 5);
}

TEST(ExportSequence, CrfTablesAreInTheFile) {
  ScopedFolder run;
  graph::ModelSpec spec = tiny_sequence_spec(Family::kNonAutoregressive);
  spec.head.kind = graph::HeadKind::kCrf;
  spec.head.crf_rank = 5;
  write_tiny_sequence_run(run.path(), spec);
  const auto model = exported(run);
  for (const char* name : {"crf_layer.E1.weight", "crf_layer.E2.weight"}) {
    const graph::Weight weight{name, {spec.target_vocabulary, 5}};
    EXPECT_EQ(values_of(*model, weight), tiny_values(weight, kModelSeed));
  }
}

TEST(ExportSequence, RefusesWhatDoesNotFit) {
  ScopedFolder run;
  write_tiny_sequence_run(run.path());
  fs::remove(run / "resources.litenat");
  EXPECT_THAT(error_of(run), HasSubstr("no resources.litenat"));

  graph::ModelSpec spec = tiny_sequence_spec();
  spec.decoder.share = graph::Sharing::kOutput;
  spec.source_vocabulary += 3;
  write_tiny_sequence_run(run.path(), spec);
  EXPECT_THAT(error_of(run), HasSubstr("text.source_dictionary: has 12 tokens, expected source_vocabulary = 15"));

  write_tiny_sequence_run(run.path(), tiny_sequence_spec(), "no tokenizer");
  EXPECT_THAT(error_of(run), HasSubstr("resources.litenat, tensor text.tokenizer: expected a SentencePiece model"));

  write_tiny_sequence_run(run.path(), spec);
  const std::string dictionary = tiny_letters().to_text();
  format::ContainerWriter writer;
  writer.add_copy(runtime::kTargetDictionary, TensorType::kU8, {static_cast<int64_t>(dictionary.size())},
                  dictionary.data(), dictionary.size());
  ASSERT_TRUE(writer.write(run / "resources.litenat").ok());
  EXPECT_THAT(error_of(run), HasSubstr("has no tensor text.source_dictionary"));
  EXPECT_FALSE(fs::exists(run / "model.litenat"));
}

}  // namespace
}  // namespace litenat::export_model
