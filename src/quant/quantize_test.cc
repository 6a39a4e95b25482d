// Post-training quantisation of a whole (tiny, random) model.
#include "quant/quantize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "base/error.h"
#include "base/json_fields.h"
#include "base/random.h"
#include "quant/weight_quantization.h"
#include "runtime/executor.h"
#include "runtime/testing/random_model.h"
#include "runtime/testing/specs.h"

namespace litenat::quant {
namespace {

using runtime::Model;
using runtime::testing::Precision;
using runtime::testing::ScopedFile;
using ::testing::HasSubstr;

graph::ModelSpec crf_spec() {
  graph::ModelSpec spec = runtime::testing::base_spec();
  spec.head.kind = graph::HeadKind::kCrf;
  spec.head.crf_rank = 6;
  spec.encoder.blocks[0].conv.kind = graph::ConvKind::kLightweight;
  return spec;
}

CalibrationSample random_sample(const graph::ModelSpec& spec) {
  SplitMix64 random(11);
  CalibrationSample sample;
  for (int batch = 0; batch < 12; ++batch) {
    CalibrationBatch next;
    for (int i = 0; i < 9; ++i)
      next.ids.push_back(static_cast<int32_t>(4 + random.below(static_cast<uint64_t>(spec.source_vocabulary) - 4)));
    next.lengths = {4, 5};
    sample.batches.push_back(next);
    sample.num_lines += 2;
    sample.num_rows += 9;
  }
  return sample;
}

/// A model, its sample and its int8 file.
class QuantizeTest : public ::testing::Test {
 protected:
  std::shared_ptr<const Model> quantized(const QuantizationSpec& spec) {
    write_quantized(model_, sample_, spec, file_.path());
    return value_or_throw(Model::open(file_.path()));
  }
  std::string error_of(const QuantizationSpec& spec) {
    try {
      quantized(spec);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  const graph::ModelSpec spec_ = crf_spec();
  runtime::testing::RandomWeights weights_ = runtime::testing::random_weights(spec_, 5);
  const std::shared_ptr<const Model> model_ = runtime::testing::make_model(spec_, Precision::kF32, &weights_);
  const CalibrationSample sample_ = random_sample(spec_);
  const ScopedFile file_{"int8.litenat"};
};

TEST_F(QuantizeTest, EveryMatrixBecomesIntegersAndNothingElse) {
  const auto int8 = quantized({});
  EXPECT_TRUE(int8->is_quantized());
  int packed = 0;
  int tables = 0;
  int floats = 0;
  for (const auto& [name, tensor] : weights_) {
    const format::Tensor* found = int8->container().find(name);
    ASSERT_NE(found, nullptr) << name;
    if (found->type == format::TensorType::kF32) {
      ++floats;
      EXPECT_TRUE(tensor.shape.size() == 1 || runtime::testing::is_taps(name)) << name;
      continue;
    }
    const bool is_table = runtime::testing::is_table(name);
    (is_table ? tables : packed) += 1;
    const QuantizedMatrix matrix = quantize_matrix(tensor.values, tensor.shape[0], tensor.shape[1]);
    const std::vector<int8_t> expected = is_table ? matrix.values : packed_k4n16(matrix);
    EXPECT_EQ(std::vector<int8_t>(found->data<int8_t>(), found->data<int8_t>() + expected.size()), expected) << name;
  }
  EXPECT_EQ(packed, 10);  // linear1, linear2, fc1, fc2 of two blocks, weight_linear of one, head.output
  EXPECT_EQ(tables, 3);   // embedding and two CRF tables
  EXPECT_GT(floats, 10);
}

TEST_F(QuantizeTest, ProductsAreTheNaiveIntegerOnes) {
  const auto int8 = quantized({});
  const auto executor = value_or_throw(runtime::Executor::create(int8));
  std::vector<float> x;
  std::vector<float> y;
  executor->set_observer([&](const graph::Node& node, Span<const float> value, int64_t /*rows*/) {
    if (node.name == "encoder.layers.1.layer_norms.1") x.assign(value.begin(), value.end());
    if (node.name == "head.output") y.assign(value.begin(), value.end());
  });
  ASSERT_TRUE(executor->run(sample_.batches[0].ids, sample_.batches[0].lengths).ok());
  const auto& head = weights_.at("head.output.weight");
  const int64_t n = head.shape[0];
  const int64_t k = head.shape[1];
  ASSERT_EQ(x.size(), static_cast<size_t>(9 * k));
  const QuantizedMatrix matrix = quantize_matrix(head.values, n, k);
  for (int64_t row = 0; row < 9; ++row) {
    const float* values = x.data() + row * k;
    const auto params =
        numerics::activation_quantization(*std::min_element(values, values + k), *std::max_element(values, values + k));
    for (int64_t column = 0; column < n; ++column) {
      int64_t sum = 0;
      for (int64_t i = 0; i < k; ++i)
        sum += (numerics::quantize_activation(values[i], 1.0f / params.scale, params.zero) - params.zero) *
               matrix.values[static_cast<size_t>(column * k + i)];
      const float scale = params.scale * matrix.scale[static_cast<size_t>(column)];
      const float expected =
          scale * static_cast<float>(sum) + weights_.at("head.output.bias").values[static_cast<size_t>(column)];
      ASSERT_EQ(y[static_cast<size_t>(row * n + column)], expected) << row << ", " << column;
    }
  }
}

TEST_F(QuantizeTest, ReportSaysHowCloseEveryLayerStays) {
  for (const ActivationMode mode : {ActivationMode::kDynamic, ActivationMode::kStatic}) {
    QuantizationSpec spec;
    spec.activations = mode;
    const auto int8 = quantized(spec);
    EXPECT_EQ(int8->container().find("head.output.weight.input") != nullptr, mode == ActivationMode::kStatic);
    const std::vector<LayerError> errors = compare_layers(model_, int8, sample_);
    ASSERT_EQ(errors.size(), 12u);  // the ten products, the embedding and the output
    for (const LayerError& error : errors) {
      EXPECT_EQ(error.rows, 108) << error.name;
      EXPECT_GT(error.sqnr_db, 20) << error.name;
      EXPECT_LT(error.sqnr_db, 60) << error.name;
      EXPECT_GT(error.cosine, 0.995) << error.name;
      EXPECT_GT(error.max_abs_error, 0) << error.name;
    }
  }
}

TEST_F(QuantizeTest, AModelEqualsItself) {
  for (const LayerError& error : compare_layers(model_, model_, sample_)) {
    EXPECT_TRUE(std::isinf(error.sqnr_db)) << error.name;
    EXPECT_EQ(error.max_abs_error, 0);
    EXPECT_NEAR(error.cosine, 1, 1e-12);
    EXPECT_FALSE(error.quantized);
  }
}

TEST_F(QuantizeTest, KeepsTheLayersThatItIsToldTo) {
  QuantizationSpec spec;
  spec.keep = {"head.output", "encoder.layers.0"};
  const auto int8 = quantized(spec);
  const auto type_of = [&](const char* name) { return int8->container().find(name)->type; };
  EXPECT_EQ(type_of("head.output.weight"), format::TensorType::kF32);
  EXPECT_EQ(type_of("encoder.layers.0.fc1.weight"), format::TensorType::kF32);
  EXPECT_EQ(type_of("encoder.layers.1.fc1.weight"), format::TensorType::kI8);
  for (const LayerError& error : compare_layers(model_, int8, sample_))
    EXPECT_EQ(error.quantized, error.name != "head.output" && error.operation != "output" &&
                                   error.name.find("encoder.layers.0") == std::string::npos)
        << error.name;
  QuantizationSpec stored;
  const Json json = value_or_throw(Json::parse(*int8->container().metadata(runtime::kMetaQuantization)));
  ASSERT_TRUE(fields_from_json(json, &stored).ok());
  EXPECT_EQ(stored.keep, spec.keep);
  EXPECT_EQ(stored.calibration_rows, 108);
  spec.keep = {"head.outptu.weight"};
  EXPECT_THAT(error_of(spec), HasSubstr("did you mean head.output.weight?"));
}

TEST_F(QuantizeTest, RefusesAQuantisedModel) {
  const auto int8 = quantized({});
  EXPECT_THROW(write_quantized(int8, sample_, {}, file_.path() + ".again"), Error);
}

TEST(CalibrationLines, ComeFromTextPairsAndFoldersEvenlySpread) {
  const ScopedFile file("lines.tsv");
  {
    std::ofstream out(file.path());
    for (int i = 0; i < 100; ++i) out << "key" << i << "\thanzi\n";
    out << "\n";
  }
  const std::vector<std::string> lines = read_calibration_lines(file.path(), 4);
  EXPECT_EQ(lines, (std::vector<std::string>{"key0", "key25", "key50", "key75"}));
  EXPECT_EQ(read_calibration_lines(file.path(), 1000).size(), 100u);
  EXPECT_THROW(read_calibration_lines(file.path() + ".missing", 10), Error);
  EXPECT_THROW(read_calibration_lines("/dev/null", 10), Error);
}

}  // namespace
}  // namespace litenat::quant
