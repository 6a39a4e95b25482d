#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/json.h"
#include "export/checkpoint_export.h"
#include "export/resolve_model.h"
#include "export/testing/tiny_run.h"
#include "runtime/executor.h"

namespace litenat::export_model {
namespace {

using format::Container;
using format::TensorType;
using ::testing::HasSubstr;
using namespace testing;  // NOLINT: the helpers of tiny_run.h

std::shared_ptr<const Container> exported(const ScopedFolder& run, const ExportOptions& options) {
  export_checkpoint(run / "checkpoints/last.safetensors", run / "model.litenat", options);
  return value_or_throw(Container::open(run / "model.litenat"));
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Export, CopiesWeightsBitForBitAndNormalisesLightweightTapsOnly) {
  ScopedFolder run;
  write_tiny_run(run.path());
  const auto model = exported(run, {});
  const graph::Graph graph = value_or_throw(graph::build_graph(tiny_spec()));
  int normalised = 0;
  for (const graph::Weight& weight : graph.weights) {
    const format::Tensor tensor = value_or_throw(model->get(weight.name, TensorType::kF32, weight.shape));
    const std::vector<float> expected = tiny_values(weight, kModelSeed);
    if (weight.name != "encoder.layers.0.conv.weight") {
      EXPECT_EQ(std::vector<float>(tensor.data<float>(), tensor.data<float>() + expected.size()), expected)
          << weight.name;
      continue;
    }
    ++normalised;
    const size_t kernel = static_cast<size_t>(weight.shape[1]);
    for (size_t row = 0; row < expected.size(); row += kernel) {
      double sum = 0;
      for (size_t k = row; k < row + kernel; ++k) sum += std::exp(static_cast<double>(expected[k]));
      for (size_t k = row; k < row + kernel; ++k)
        EXPECT_NEAR(tensor.data<float>()[k], std::exp(static_cast<double>(expected[k])) / sum, 1e-7);
    }
  }
  EXPECT_EQ(normalised, 1);
  EXPECT_EQ(model->find("head.syllable.weight"), nullptr);
}

TEST(Export, DepthwiseTapsStayAsTheyAre) {
  ScopedFolder run;
  graph::ModelSpec spec = tiny_spec();
  spec.encoder.blocks[0].conv.kind = graph::ConvKind::kDepthwise;
  write_tiny_run(run.path(), spec);
  const auto model = exported(run, {});
  const format::Tensor taps =
      value_or_throw(model->get("encoder.layers.0.conv.weight", TensorType::kF32, {spec.dim, 3}));
  const std::vector<float> expected = tiny_values({"encoder.layers.0.conv.weight", {spec.dim, 3}}, kModelSeed);
  EXPECT_EQ(taps.data<float>()[0], expected[0]);
  EXPECT_EQ(taps.data<float>()[47], expected[47]);
}

TEST(Export, TakesTheAverageUnlessToldOtherwise) {
  ScopedFolder run;
  write_tiny_run(run.path(), tiny_spec(), true);
  const graph::Weight weight{"head.output.bias", {tiny_spec().target_vocabulary}};
  EXPECT_EQ(exported(run, {})->find(weight.name)->data<float>()[3], tiny_values(weight, kAverageSeed)[3]);
  ExportOptions options;
  options.use_average = false;
  EXPECT_EQ(exported(run, options)->find(weight.name)->data<float>()[3], tiny_values(weight, kModelSeed)[3]);
}

TEST(Export, CrfTablesAreInTheFile) {
  ScopedFolder run;
  graph::ModelSpec spec = tiny_spec();
  spec.head.kind = graph::HeadKind::kCrf;
  spec.head.crf_rank = 5;
  write_tiny_run(run.path(), spec);
  exported(run, {});
  const ResolvedModel resolved = resolve_model(run / "model.litenat");
  ASSERT_TRUE(resolved.model->has_transitions());
  const std::vector<float> from = tiny_values({"crf_layer.E1.weight", {spec.target_vocabulary, 5}}, kModelSeed);
  const std::vector<float> to = tiny_values({"crf_layer.E2.weight", {spec.target_vocabulary, 5}}, kModelSeed);
  double expected = 0;
  for (size_t i = 0; i < 5; ++i) expected += static_cast<double>(from[4 * 5 + i]) * to[6 * 5 + i];
  EXPECT_NEAR(resolved.model->transition(4, 6), expected, 1e-5);
}

TEST(Export, CarriesResourcesDecoderAndProvenance) {
  ScopedFolder run;
  write_tiny_run(run.path());
  ExportOptions options;
  options.decode = Json::object();
  options.decode.set("beam", Json(3));
  const auto file = exported(run, options);
  const Json training = value_or_throw(Json::parse(*file->metadata(runtime::kMetaTraining)));
  EXPECT_EQ(training.find("update")->integer(), 120);
  EXPECT_EQ(training.find("weights")->string(), "model");
  EXPECT_EQ(training.find("checkpoint")->string(), "last.safetensors");
  EXPECT_EQ(training.find("random"), nullptr);
  const ResolvedModel resolved = resolve_model(run / "model.litenat");
  EXPECT_EQ(resolved.model->ime_options().beam, 3);
  ASSERT_NE(resolved.model->ime(), nullptr);
  EXPECT_EQ(resolved.model->ime()->targets.token(4), "你");
  EXPECT_FALSE(resolved.model->is_quantized());
}

TEST(Export, RefusesBadCheckpoints) {
  ScopedFolder run;
  write_tiny_run(run.path());
  const std::string checkpoint = run / "checkpoints/last.safetensors";
  const auto attempt = [&] { export_checkpoint(checkpoint, run / "model.litenat", {}); };

  graph::ModelSpec other = tiny_spec();
  other.target_vocabulary += 2;
  write_tiny_checkpoint(checkpoint, other, false);
  EXPECT_THAT(error_of(attempt), HasSubstr("has 12 tokens, expected target_vocabulary = 14"));

  write_tiny_checkpoint(checkpoint, tiny_spec(), false);
  fs::remove(run / "resources.litenat");
  EXPECT_THAT(error_of(attempt), HasSubstr("no resources.litenat"));

  format::ContainerWriter writer;
  writer.set_metadata("litenat.spec", graph::to_json(tiny_spec()));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  writer.add_copy("model/x", TensorType::kF32, {1}, &nan, sizeof(nan));
  ASSERT_TRUE(writer.write(checkpoint).ok());
  EXPECT_THAT(error_of(attempt), HasSubstr("model/encoder.embed_tokens.weight"));

  EXPECT_FALSE(fs::exists(run / "model.litenat"));
  EXPECT_THAT(error_of([&] { export_checkpoint(run / "nothing", run / "model.litenat", {}); }), HasSubstr("nothing"));
}

TEST(Export, RefusesWeightsThatAreNotFinite) {
  ScopedFolder run;
  write_tiny_run(run.path());
  const graph::Weight weight{"encoder.layers.1.fc2.bias", {16}};
  format::ContainerWriter writer;
  for (const graph::Weight& other : value_or_throw(graph::build_graph(tiny_spec())).weights) {
    std::vector<float> values = tiny_values(other, kModelSeed);
    if (other.name == weight.name) values[5] = std::numeric_limits<float>::infinity();
    writer.add_copy("model/" + other.name, TensorType::kF32, other.shape, values.data(), values.size() * 4);
  }
  writer.set_metadata("litenat.spec", graph::to_json(tiny_spec()));
  ASSERT_TRUE(writer.write(run / "checkpoints/last.safetensors").ok());
  EXPECT_THAT(error_of([&] { export_checkpoint(run / "checkpoints/last.safetensors", run / "m.litenat", {}); }),
              HasSubstr("model/encoder.layers.1.fc2.bias: element 5 is not finite"));
}

TEST(ResolveModel, OpensRunFoldersCheckpointsAndFilesAlike) {
  ScopedFolder run;
  write_tiny_run(run.path());
  exported(run, {});
  const std::vector<int32_t> ids = {10, 20, 30};
  const std::vector<int32_t> lengths = {3};
  std::vector<float> first;
  for (const std::string& path : {run.path(), run / "checkpoints/last.safetensors", run / "model.litenat"}) {
    const ResolvedModel resolved = resolve_model(path);
    EXPECT_EQ(resolved.checkpoint_path.empty(), path == run / "model.litenat");
    EXPECT_GT(resolved.size_bytes, 1000u);
    const auto executor = value_or_throw(runtime::Executor::create(resolved.model));
    const auto output = value_or_throw(executor->run(ids, lengths));
    const std::vector<float> values(output.emissions.begin(), output.emissions.end());
    ASSERT_EQ(values.size(), 36u);
    if (first.empty()) first = values;
    EXPECT_EQ(values, first) << path;
  }
}

TEST(ResolveModel, PrefersTheBestCheckpointAndSaysWhatItLookedFor) {
  ScopedFolder run;
  write_tiny_run(run.path());
  EXPECT_EQ(find_checkpoint(run.path()), run / "checkpoints/last.safetensors");
  fs::copy(run / "checkpoints/last.safetensors", run / "checkpoints/best.safetensors");
  EXPECT_EQ(find_checkpoint(run.path()), run / "checkpoints/best.safetensors");
  ScopedFolder empty;
  EXPECT_THAT(error_of([&] { resolve_model(empty.path()); }), HasSubstr("checkpoints/best.safetensors"));
}

}  // namespace
}  // namespace litenat::export_model
