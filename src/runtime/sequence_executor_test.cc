#include "runtime/sequence_executor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "runtime/testing/naive_sequence.h"
#include "runtime/testing/random_model.h"
#include "runtime/testing/sequence_run.h"
#include "runtime/testing/sequence_specs.h"

namespace litenat::runtime {
namespace {

using testing::Items;
using testing::make_sequence_executor;
using testing::Matrix;
using testing::NaiveSequence;
using testing::NamedSpec;
using testing::Precision;
using testing::random_tokens;
using testing::RandomWeights;
using testing::RowResults;

constexpr Precision kPrecisions[] = {Precision::kF32, Precision::kDynamicInt8, Precision::kStaticInt8};

/// Largest difference relative to the norm of the reference.
double difference(const float* found, const testing::Row& expected) {
  double error = 0;
  double norm = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    error = std::max(error, std::abs(static_cast<double>(found[i]) - expected[i]));
    norm += expected[i] * expected[i];
  }
  return error / std::sqrt(norm / static_cast<double>(expected.size()));
}

class SequenceExecutorOfSpec : public ::testing::TestWithParam<NamedSpec> {
 protected:
  const graph::ModelSpec& spec() const { return GetParam().spec; }
  std::shared_ptr<const Model> make(Precision precision, uint64_t seed) {
    weights_ = testing::random_weights(spec(), seed);
    return testing::make_model(spec(), precision, &weights_);
  }
  Items sources(uint64_t seed) const { return testing::random_items(spec().source_vocabulary, {5, 1, 17, 2}, seed); }
  /// Several inputs of a sentence, none of another, in any order.
  Items targets(uint64_t seed) const {
    Items items = testing::random_items(spec().target_vocabulary, {4, 1, 9, 9, 20, 3}, seed);
    items.sentences = {2, 0, 2, 2, 0, 3};
    return items;
  }
  RandomWeights weights_;
};

TEST_P(SequenceExecutorOfSpec, DecodeEqualsANaiveEvaluation) {
  const auto executor = make_sequence_executor(make(Precision::kF32, 1));
  const Items source = sources(2);
  const Items target = targets(3);
  ASSERT_TRUE(executor->encode(source.ids, source.lengths).ok());
  const RowResults found = testing::decode_all(executor.get(), target);
  const NaiveSequence naive(graph::resolve(spec()).value(), weights_);
  size_t row = 0;
  for (size_t i = 0; i < target.lengths.size(); ++i) {
    const Matrix expected = naive.emissions(source.item(static_cast<size_t>(target.sentences[i])), target.item(i));
    for (const testing::Row& logits : expected) {
      EXPECT_LT(difference(found.logits.data() + row * logits.size(), logits), 2e-5) << "item " << i;
      double sum = 0;
      for (const double logit : logits) sum += std::exp(logit);
      EXPECT_NEAR(found.log_sum[row++], std::log(sum), 1e-4);
    }
  }
  EXPECT_EQ(row, target.ids.size());
}

TEST_P(SequenceExecutorOfSpec, LengthsEqualANaiveEvaluation) {
  const auto executor = make_sequence_executor(make(Precision::kF32, 1));
  const Items source = sources(2);
  ASSERT_TRUE(executor->encode(source.ids, source.lengths).ok());
  Result<Span<const float>> found = executor->length_logits();
  if (!executor->traits().predicts_length) {
    EXPECT_EQ(found.status().code(), StatusCode::kUnsupported);
    return;
  }
  ASSERT_TRUE(found.ok()) << found.status().message();
  const NaiveSequence naive(graph::resolve(spec()).value(), weights_);
  ASSERT_EQ(found->size(), source.lengths.size() * static_cast<size_t>(executor->traits().length_classes));
  for (size_t s = 0; s < source.lengths.size(); ++s) {
    const testing::Row expected = naive.length(source.item(s));
    EXPECT_LT(difference(found->data() + s * expected.size(), expected), 1e-5);
  }
}

TEST_P(SequenceExecutorOfSpec, ASentenceAloneEqualsItInABatch) {
  for (const Precision precision : kPrecisions) {
    const auto executor = make_sequence_executor(make(precision, 3));
    const Items source = sources(4);
    const Items target = targets(5);
    ASSERT_TRUE(executor->encode(source.ids, source.lengths).ok());
    const RowResults batch = testing::decode_all(executor.get(), target);
    size_t row = 0;
    for (size_t i = 0; i < target.lengths.size(); ++i) {
      const std::vector<int32_t> sentence = source.item(static_cast<size_t>(target.sentences[i]));
      ASSERT_TRUE(executor->encode(sentence, std::vector<int32_t>{static_cast<int32_t>(sentence.size())}).ok());
      const std::vector<int32_t> ids = target.item(i);
      const RowResults alone = testing::decode_all(executor.get(), {ids, {target.lengths[i]}, {0}});
      EXPECT_TRUE(alone == batch.rows(row, ids.size())) << "item " << i;
      row += ids.size();
    }
  }
}

TEST_P(SequenceExecutorOfSpec, EveryInstructionSetGivesTheSameBits) {
  int count = 0;
  const kernels::Kernels* const* tables = kernels::available_kernels(&count);
  const Items source = sources(5);
  const Items target = targets(6);
  for (const Precision precision : kPrecisions) {
    const auto model = make(precision, 6);
    RowResults expected;
    std::vector<float> lengths;
    for (int i = 0; i < count; ++i) {
      const auto executor = make_sequence_executor(model, 1, tables[i]);
      ASSERT_TRUE(executor->encode(source.ids, source.lengths).ok());
      const RowResults found = testing::decode_all(executor.get(), target);
      if (i == 0) expected = found;
      EXPECT_TRUE(found == expected) << kernels::name_of(tables[i]->isa);
      if (!executor->traits().predicts_length) continue;
      const Span<const float> logits = executor->length_logits().value();
      if (i == 0) lengths.assign(logits.begin(), logits.end());
      EXPECT_EQ(std::memcmp(logits.data(), lengths.data(), logits.size() * sizeof(float)), 0);
    }
  }
}

TEST_P(SequenceExecutorOfSpec, Int8StaysNearF32) {
  const auto executor = make_sequence_executor(make(Precision::kDynamicInt8, 9));
  const Items source = sources(2);
  const Items target = targets(3);
  ASSERT_TRUE(executor->encode(source.ids, source.lengths).ok());
  const RowResults found = testing::decode_all(executor.get(), target);
  const NaiveSequence naive(graph::resolve(spec()).value(), weights_);
  const Matrix expected = naive.emissions(source.item(2), target.item(0));
  EXPECT_LT(difference(found.logits.data(), expected[0]), 0.3);
}

/// The value of a node computed in double from the values of its inputs.
double naive_value(const graph::Node& node, const std::vector<std::vector<float>>& inputs, const Items& source,
                   const Items& target, size_t row, size_t column) {
  const auto width = static_cast<size_t>(node.type.columns);
  if (node.op == graph::Op::kMeanPool) {
    double sum = 0;
    for (size_t t = source.begin(row); t < source.begin(row + 1); ++t) sum += inputs[0][t * width + column];
    return sum / source.lengths[row];
  }
  if (node.op == graph::Op::kChoose)
    return inputs[target.ids[row] == node.attributes.token ? 1 : 2][row * width + column];
  size_t item = 0;
  while (target.begin(item + 1) <= row) ++item;
  const auto sentence = static_cast<size_t>(target.sentences[item]);
  const size_t head = width / static_cast<size_t>(node.attributes.heads);
  const size_t first = column / head * head;
  double sum = 0;
  double total = 0;
  for (size_t s = source.begin(sentence); s < source.begin(sentence + 1); ++s) {
    double score = 0;
    for (size_t c = first; c < first + head; ++c)
      score += static_cast<double>(inputs[0][row * width + c]) * static_cast<double>(inputs[1][s * width + c]);
    const double weight = std::exp(score * static_cast<double>(node.attributes.scale));
    sum += weight * static_cast<double>(inputs[2][s * width + column]);
    total += weight;
  }
  return sum / total;
}

TEST_P(SequenceExecutorOfSpec, OperationsBetweenDomainsEqualLoops) {
  const auto model = make(Precision::kF32, 11);
  const auto executor = make_sequence_executor(model);
  const Items source = sources(12);
  Items target = targets(13);
  for (size_t i = 0; i < target.ids.size(); i += 3) target.ids[i] = decode::kUnknownToken;
  std::vector<std::vector<float>> values(model->graph().nodes.size());
  int checked = 0;
  executor->set_observer([&](const graph::Node& node, Span<const float> value, int64_t rows) {
    values[static_cast<size_t>(&node - model->graph().nodes.data())].assign(value.begin(), value.end());
    if (node.op != graph::Op::kCrossAttention && node.op != graph::Op::kMeanPool && node.op != graph::Op::kChoose)
      return;
    std::vector<std::vector<float>> inputs;
    for (const int input : node.inputs) inputs.push_back(values[static_cast<size_t>(input)]);
    for (size_t row = 0; row < static_cast<size_t>(rows); ++row)
      for (size_t c = 0; c < static_cast<size_t>(node.type.columns); ++c)
        ASSERT_NEAR(value[row * static_cast<size_t>(node.type.columns) + c],
                    naive_value(node, inputs, source, target, row, c), 1e-5)
            << node.name << " row " << row << " column " << c;
    ++checked;
  });
  ASSERT_TRUE(executor->encode(source.ids, source.lengths).ok());
  testing::decode_all(executor.get(), target);
  EXPECT_GE(checked, 2);
}

TEST_P(SequenceExecutorOfSpec, ObserverSeesEveryNodeOnce) {
  const auto model = make(Precision::kDynamicInt8, 1);
  const auto executor = make_sequence_executor(model);
  std::map<std::string, int> seen;
  executor->set_observer([&](const graph::Node& node, Span<const float> value, int64_t rows) {
    ++seen[node.name];
    EXPECT_EQ(static_cast<int64_t>(value.size()), rows * node.type.columns);
  });
  const Items source = sources(1);
  ASSERT_TRUE(executor->encode(source.ids, source.lengths).ok());
  const RowResults observed = testing::decode_all(executor.get(), targets(2));
  for (const graph::Node& node : model->graph().nodes)
    EXPECT_EQ(seen[node.name], node.op == graph::Op::kInput ? 0 : 1) << node.name;
  executor->set_observer(nullptr);
  EXPECT_TRUE(testing::decode_all(executor.get(), targets(2)) == observed);
}

INSTANTIATE_TEST_SUITE_P(Specs, SequenceExecutorOfSpec, ::testing::ValuesIn(testing::all_sequence_specs()),
                         [](const auto& parameter) { return parameter.param.name; });

/// Embedding rows of an int8 table that the output shares are what its integers stand for, times the scale.
TEST(SequenceExecutor, Int8SharedTablesAreLookedUpInTheOrderOfProducts) {
  graph::ModelSpec spec = testing::base_sequence_spec();
  spec.dim = 21;  // the last group of four is not full
  for (graph::StackSpec* stack : {&spec.encoder, &spec.decoder.stack})
    for (graph::BlockSpec& block : stack->blocks) block.attention.heads = 3;
  spec.decoder.cross_heads = 7;
  RandomWeights weights = testing::random_weights(spec, 1);
  const auto model = testing::make_model(spec, Precision::kDynamicInt8, &weights);  // leaves the dequantised weights
  const std::vector<float>& table = weights.at("encoder.embed_tokens.weight").values;
  const auto executor = make_sequence_executor(model);
  std::vector<int32_t> all(37);
  for (int32_t i = 0; i < 37; ++i) all[static_cast<size_t>(i)] = i;
  int checked = 0;
  executor->set_observer([&](const graph::Node& node, Span<const float> value, int64_t) {
    if (node.op != graph::Op::kEmbedding) return;
    ASSERT_EQ(value.size(), table.size());
    for (size_t i = 0; i < table.size(); ++i) EXPECT_EQ(value[i], table[i] * std::sqrt(21.0f)) << i;
    ++checked;
  });
  ASSERT_TRUE(executor->encode(all, std::vector<int32_t>{37}).ok());
  ASSERT_TRUE(executor->decode(all, std::vector<int32_t>{37}, std::vector<int32_t>{0}, 1, {}).ok());
  EXPECT_EQ(checked, 2);
}

TEST(SequenceExecutor, ThreadsChangeNoBit) {
  graph::ModelSpec spec = testing::base_sequence_spec();
  spec.source_vocabulary = spec.target_vocabulary = 3001;
  const Items source = testing::random_items(3001, {40, 3}, 1);
  Items target = testing::random_items(3001, {50, 60}, 2);
  target.sentences = {1, 0};
  for (const Precision precision : {Precision::kF32, Precision::kDynamicInt8}) {
    RandomWeights weights = testing::random_weights(spec, 2);
    const auto model = testing::make_model(spec, precision, &weights);
    RowResults expected;
    for (const int threads : {1, 2, 3, 16}) {
      const auto executor = make_sequence_executor(model, threads);
      ASSERT_TRUE(executor->encode(source.ids, source.lengths).ok());
      const RowResults found = testing::decode_all(executor.get(), target);
      if (threads == 1) expected = found;
      EXPECT_TRUE(found == expected) << threads;
    }
  }
}

TEST(SequenceExecutor, LargeVocabulariesAreSearchedBlockByBlock) {
  graph::ModelSpec spec = testing::base_sequence_spec();
  spec.source_vocabulary = spec.target_vocabulary = 70001;  // blocks of fewer rows than the input has
  RandomWeights weights = testing::random_weights(spec, 2);
  const auto executor = make_sequence_executor(testing::make_model(spec, Precision::kDynamicInt8, &weights));
  const Items source = testing::random_items(70001, {4}, 1);
  Items target = testing::random_items(70001, {70}, 2);
  target.sentences = {0};
  ASSERT_TRUE(executor->encode(source.ids, source.lengths).ok());
  const auto run = [&] {
    const decode::RowCandidates found =
        executor->decode(target.ids, target.lengths, target.sentences, 3, target.ids).value();
    std::vector<float> all(found.logits.begin(), found.logits.end());
    all.insert(all.end(), found.wanted.begin(), found.wanted.end());
    all.insert(all.end(), found.tokens.begin(), found.tokens.end());
    return all;
  };
  const std::vector<float> in_blocks = run();
  executor->set_observer([](const graph::Node&, Span<const float>, int64_t) {});  // makes it one block
  EXPECT_EQ(run(), in_blocks);
}

}  // namespace
}  // namespace litenat::runtime
