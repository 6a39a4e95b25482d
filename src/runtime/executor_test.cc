#include "runtime/executor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "runtime/testing/naive_tagger.h"
#include "runtime/testing/random_model.h"
#include "runtime/testing/specs.h"
#include "runtime/weights.h"

namespace litenat::runtime {
namespace {

using testing::Matrix;
using testing::NamedSpec;
using testing::Precision;
using testing::RandomWeights;

const std::vector<int32_t> kLengths = {5, 1, 17, 2};

std::vector<int32_t> random_ids(int64_t vocabulary, size_t count, uint64_t seed) {
  SplitMix64 random(seed);
  std::vector<int32_t> ids(count);
  for (int32_t& id : ids) id = static_cast<int32_t>(random.below(static_cast<uint64_t>(vocabulary)));
  return ids;
}

size_t total(const std::vector<int32_t>& lengths) {
  size_t sum = 0;
  for (const int32_t length : lengths) sum += static_cast<size_t>(length);
  return sum;
}

std::unique_ptr<Executor> make_executor(const std::shared_ptr<const Model>& model,
                                        const kernels::Kernels* kernels = nullptr) {
  Result<std::unique_ptr<Executor>> executor = Executor::create(model, 1, kernels);
  EXPECT_TRUE(executor.ok()) << executor.status().message();
  return std::move(executor).value();
}

std::vector<float> run(Executor* executor, const std::vector<int32_t>& ids, const std::vector<int32_t>& lengths) {
  Result<decode::TaggerEngine::Output> output = executor->run(ids, lengths);
  EXPECT_TRUE(output.ok()) << output.status().message();
  if (!output.ok()) return {};
  std::vector<float> values(output->emissions.begin(), output->emissions.end());
  values.insert(values.end(), output->boundary.begin(), output->boundary.end());
  return values;
}

/// Largest difference relative to the norm of the reference.
double difference(const float* found, const Matrix& expected) {
  double error = 0;
  double norm = 0;
  for (const testing::Row& row : expected)
    for (const double value : row) {
      error = std::max(error, std::abs(static_cast<double>(*found++) - value));
      norm += value * value;
    }
  return error / std::sqrt(norm / static_cast<double>(expected.size() * expected[0].size()));
}

class ExecutorOfSpec : public ::testing::TestWithParam<NamedSpec> {
 protected:
  const graph::ModelSpec& spec() const { return GetParam().spec; }
};

TEST_P(ExecutorOfSpec, EqualsANaiveEvaluation) {
  RandomWeights weights = testing::random_weights(spec(), 1);
  const auto executor = make_executor(testing::make_model(spec(), Precision::kF32, &weights));
  const std::vector<int32_t> ids = random_ids(spec().source_vocabulary, total(kLengths), 2);
  Result<decode::TaggerEngine::Output> output = executor->run(ids, kLengths);
  ASSERT_TRUE(output.ok()) << output.status().message();
  const testing::NaiveTagger naive(graph::resolve(spec()).value(), weights);
  size_t row = 0;
  for (const int32_t length : kLengths) {
    const std::vector<int32_t> sentence(ids.begin() + static_cast<int64_t>(row),
                                        ids.begin() + static_cast<int64_t>(row) + length);
    const float* emissions = output->emissions.data() + row * static_cast<size_t>(spec().target_vocabulary);
    EXPECT_LT(difference(emissions, naive.emissions(sentence)), 1e-5);
    if (spec().head.boundary) {
      const Matrix expected = naive.boundary(sentence);
      for (size_t t = 0; t < expected.size(); ++t) EXPECT_NEAR(output->boundary[row + t], expected[t][0], 1e-5);
    }
    row += static_cast<size_t>(length);
  }
  EXPECT_EQ(output->boundary.size(), spec().head.boundary ? ids.size() : 0);
}

TEST_P(ExecutorOfSpec, ASentenceAloneEqualsItInABatch) {
  for (const Precision precision : {Precision::kF32, Precision::kDynamicInt8, Precision::kStaticInt8}) {
    RandomWeights weights = testing::random_weights(spec(), 3);
    const auto executor = make_executor(testing::make_model(spec(), precision, &weights));
    const std::vector<int32_t> ids = random_ids(spec().source_vocabulary, total(kLengths), 4);
    Result<decode::TaggerEngine::Output> output = executor->run(ids, kLengths);
    ASSERT_TRUE(output.ok()) << output.status().message();
    const std::vector<float> batch(output->emissions.begin(), output->emissions.end());
    auto row = ids.begin();
    const float* expected = batch.data();
    for (const int32_t length : kLengths) {
      Result<decode::TaggerEngine::Output> alone =
          executor->run(std::vector<int32_t>(row, row + length), std::vector<int32_t>{length});
      ASSERT_TRUE(alone.ok()) << alone.status().message();
      EXPECT_EQ(std::memcmp(alone->emissions.data(), expected, alone->emissions.size() * sizeof(float)), 0);
      expected += alone->emissions.size();
      row += length;
    }
  }
}

TEST_P(ExecutorOfSpec, EveryInstructionSetGivesTheSameBits) {
  int count = 0;
  const kernels::Kernels* const* tables = kernels::available_kernels(&count);
  const std::vector<int32_t> ids = random_ids(spec().source_vocabulary, total(kLengths), 5);
  for (const Precision precision : {Precision::kF32, Precision::kDynamicInt8, Precision::kStaticInt8}) {
    RandomWeights weights = testing::random_weights(spec(), 6);
    const auto model = testing::make_model(spec(), precision, &weights);
    const std::vector<float> scalar = run(make_executor(model, tables[0]).get(), ids, kLengths);
    ASSERT_FALSE(scalar.empty());
    for (int i = 1; i < count; ++i) {
      const std::vector<float> other = run(make_executor(model, tables[i]).get(), ids, kLengths);
      ASSERT_EQ(other.size(), scalar.size());
      EXPECT_EQ(std::memcmp(other.data(), scalar.data(), scalar.size() * sizeof(float)), 0)
          << kernels::name_of(tables[i]->isa);
    }
  }
}

/// What an int8 product must give for one row, by the definitions of numerics/quantization.h alone.
std::vector<float> naive_product(const float* x, const Model::LinearWeights& w) {
  numerics::ActivationQuantization pair = w.input;
  if (!w.is_static)
    pair = numerics::activation_quantization(*std::min_element(x, x + w.k), *std::max_element(x, x + w.k));
  std::vector<float> y;
  for (int64_t n = 0; n < w.n; ++n) {
    int32_t sum = 0;
    for (int64_t k = 0; k < w.k; ++k)
      sum += (numerics::quantize_activation(x[k], 1.0f / pair.scale, pair.zero) - pair.zero) *
             w.int8.packed[numerics::packed_index(n, k, w.k)];
    const float product = pair.scale * w.int8.scale[n] * static_cast<float>(sum);
    y.push_back(w.bias == nullptr ? product : product + w.bias[n]);
  }
  return y;
}

TEST_P(ExecutorOfSpec, Int8ProductsEqualANaiveIntegerEvaluation) {
  for (const Precision precision : {Precision::kDynamicInt8, Precision::kStaticInt8}) {
    RandomWeights weights = testing::random_weights(spec(), 7);
    const auto model = testing::make_model(spec(), precision, &weights);
    const auto executor = make_executor(model);
    std::map<const graph::Node*, std::vector<float>> values;
    int products = 0;
    executor->set_observer([&](const graph::Node& node, Span<const float> value, int64_t rows) {
      values[&node].assign(value.begin(), value.end());
      if (node.op != graph::Op::kLinear) return;
      const size_t index = static_cast<size_t>(&node - model->graph().nodes.data());
      const Model::LinearWeights& w = model->weights().linear[index];
      const std::vector<float>& x = values.at(&model->graph().nodes[static_cast<size_t>(node.inputs[0])]);
      for (int64_t row = 0; row < rows; ++row) {
        const std::vector<float> expected = naive_product(x.data() + row * w.k, w);
        ASSERT_EQ(std::memcmp(expected.data(), value.data() + row * w.n, expected.size() * sizeof(float)), 0)
            << node.name << " row " << row;
      }
      ++products;
    });
    run(executor.get(), random_ids(spec().source_vocabulary, total(kLengths), 8), kLengths);
    EXPECT_GT(products, 0);
  }
}

TEST_P(ExecutorOfSpec, Int8StaysNearF32) {
  RandomWeights weights = testing::random_weights(spec(), 9);
  const auto executor = make_executor(testing::make_model(spec(), Precision::kDynamicInt8, &weights));
  const std::vector<int32_t> ids = random_ids(spec().source_vocabulary, 9, 10);
  const std::vector<float> found = run(executor.get(), ids, {9});
  const testing::NaiveTagger naive(graph::resolve(spec()).value(), weights);
  EXPECT_LT(difference(found.data(), naive.emissions(ids)), 0.2);
}

INSTANTIATE_TEST_SUITE_P(Specs, ExecutorOfSpec, ::testing::ValuesIn(testing::all_specs()),
                         [](const auto& parameter) { return parameter.param.name; });

class ExecutorTest : public ::testing::Test {
 protected:
  ExecutorTest() : weights_(testing::random_weights(testing::base_spec(), 1)) {
    model_ = testing::make_model(testing::base_spec(), Precision::kF32, &weights_);
    executor_ = make_executor(model_);
  }
  StatusCode code(const std::vector<int32_t>& ids, const std::vector<int32_t>& lengths) {
    return executor_->run(ids, lengths).status().code();
  }
  RandomWeights weights_;
  std::shared_ptr<const Model> model_;
  std::unique_ptr<Executor> executor_;
};

TEST_F(ExecutorTest, RejectsBadInput) {
  EXPECT_EQ(code({1, 2, 31}, {3}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code({1, -1}, {2}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code({1, 2, 3}, {2}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code({1, 2, 3}, {4}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code({1, 2, 3}, {3, 0}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code({1, 2, 3}, {4, -1}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code({1, 2}, {2147483647, 2147483647, 4}), StatusCode::kInvalidArgument);
  EXPECT_EQ(code({1, 2, 30}, {3}), StatusCode::kOk);
  EXPECT_EQ(Executor::create(nullptr).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Executor::create(model_, 0).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(ExecutorTest, AnEmptyBatchHasNoRows) {
  Result<decode::TaggerEngine::Output> output = executor_->run({}, {});
  ASSERT_TRUE(output.ok());
  EXPECT_EQ(output->emissions.size(), 0u);
}

TEST_F(ExecutorTest, RunsDoNotAffectEachOther) {
  const std::vector<int32_t> small = random_ids(31, 3, 1);
  const std::vector<int32_t> large = random_ids(31, 500, 2);
  const std::vector<float> first = run(executor_.get(), small, {3});
  run(executor_.get(), large, {500});
  EXPECT_EQ(run(executor_.get(), small, {3}), first);
}

TEST_F(ExecutorTest, ObserverSeesEveryNodeButTheIds) {
  size_t nodes = 0;
  executor_->set_observer([&](const graph::Node& node, Span<const float> value, int64_t rows) {
    ++nodes;
    EXPECT_EQ(static_cast<int64_t>(value.size()), rows * node.type.columns);
  });
  run(executor_.get(), {1, 2, 3}, {3});
  EXPECT_EQ(nodes, model_->graph().nodes.size() - 1);
}

TEST(Executor, PositionsEndWhereTheTableEnds) {
  graph::ModelSpec spec = testing::base_spec();
  spec.embedding.positions = graph::Positions::kLearned;
  spec.embedding.max_positions = 4;
  RandomWeights weights = testing::random_weights(spec, 1);
  const auto executor = make_executor(testing::make_model(spec, Precision::kF32, &weights));
  EXPECT_TRUE(executor->run(std::vector<int32_t>(8, 5), std::vector<int32_t>{4, 4}).ok());
  EXPECT_EQ(executor->run(std::vector<int32_t>(5, 5), std::vector<int32_t>{5}).status().code(),
            StatusCode::kInvalidArgument);
}

TEST(Executor, ThreadsChangeNoBit) {
  graph::ModelSpec spec = testing::base_spec();
  spec.target_vocabulary = 3001;
  const std::vector<int32_t> ids = random_ids(spec.source_vocabulary, 200, 1);
  const std::vector<int32_t> lengths = {150, 50};
  for (const Precision precision : {Precision::kF32, Precision::kDynamicInt8}) {
    RandomWeights weights = testing::random_weights(spec, 2);
    const auto model = testing::make_model(spec, precision, &weights);
    const std::vector<float> expected = run(make_executor(model).get(), ids, lengths);
    for (const int threads : {2, 3, 16}) {
      const std::unique_ptr<Executor> executor = std::move(Executor::create(model, threads)).value();
      for (int repeat = 0; repeat < 5; ++repeat) EXPECT_EQ(run(executor.get(), ids, lengths), expected) << threads;
    }
  }
}

TEST(Executor, OverflowingActivationsAreAnError) {
  for (const Precision precision : {Precision::kF32, Precision::kDynamicInt8, Precision::kStaticInt8}) {
    RandomWeights weights = testing::random_weights(testing::base_spec(), 1);
    for (float& gain : weights["encoder.layers.0.layer_norms.0.weight"].values) gain = 3e38f;
    const auto executor = make_executor(testing::make_model(testing::base_spec(), precision, &weights));
    EXPECT_EQ(executor->run(std::vector<int32_t>{1, 2, 3}, std::vector<int32_t>{3}).status().code(),
              StatusCode::kCorrupt);
  }
}

TEST(Executor, TransitionsAreProductsOfTheFactors) {
  graph::ModelSpec spec = testing::base_spec();
  spec.head.kind = graph::HeadKind::kCrf;
  spec.head.crf_rank = 19;
  for (const Precision precision : {Precision::kF32, Precision::kDynamicInt8}) {
    RandomWeights weights = testing::random_weights(spec, 1);
    const auto executor = make_executor(testing::make_model(spec, precision, &weights));
    EXPECT_TRUE(executor->has_transitions());
    for (const auto& [a, b] : {std::pair<int32_t, int32_t>{0, 36}, {36, 0}, {7, 7}, {12, 30}}) {
      double expected = 0;
      for (size_t r = 0; r < 19; ++r)
        expected += static_cast<double>(weights["crf_layer.E1.weight"].values[static_cast<size_t>(a) * 19 + r]) *
                    static_cast<double>(weights["crf_layer.E2.weight"].values[static_cast<size_t>(b) * 19 + r]);
      EXPECT_NEAR(executor->transition(a, b), expected, 1e-5);
    }
    if (precision == Precision::kF32) {  // whatever the machine: the bits of the kernel
      const kernels::Kernels* scalar = kernels::kernels_for(kernels::Isa::kScalar).value();
      const float* next = weights["crf_layer.E2.weight"].values.data();
      for (int32_t a = 0; a < 37; ++a) {
        std::vector<float> expected(37);
        scalar->dot_rows(weights["crf_layer.E1.weight"].values.data() + a * 19, next, 19, 37, 19, expected.data());
        for (int32_t b = 0; b < 37; ++b) EXPECT_EQ(executor->transition(a, b), expected[static_cast<size_t>(b)]);
      }
    }
    EXPECT_EQ(executor->transition(-1, 0), 0.0f);
    EXPECT_EQ(executor->transition(0, 37), 0.0f);
  }
}

}  // namespace
}  // namespace litenat::runtime
