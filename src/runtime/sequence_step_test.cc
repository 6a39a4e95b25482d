// Decoding step by step, and what callers may get wrong.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "runtime/executor.h"
#include "runtime/testing/random_model.h"
#include "runtime/testing/sequence_run.h"
#include "runtime/testing/sequence_specs.h"

namespace litenat::runtime {
namespace {

using testing::Items;
using testing::make_sequence_executor;
using testing::NamedSpec;
using testing::Precision;
using testing::RandomWeights;
using testing::RowResults;

/// What a row of a step has read.
struct ReadRow {
  std::vector<int32_t> tokens;
  int32_t sentence = 0;
};

/// Steps whose rows are dropped, repeated and reordered at random; every row must have the bits of the last row of
/// decode() on all that it has read.
class Steps {
 public:
  Steps(SequenceExecutor* executor, int32_t num_sentences, uint64_t seed) : executor_(executor), random_(seed) {
    for (int32_t s = 0; s < num_sentences; ++s) rows_.push_back({{}, s});
  }

  void run(const std::vector<int32_t>& parents) {
    const std::vector<ReadRow> before = rows_;
    const int32_t vocabulary = executor_->traits().target_vocabulary;
    const std::vector<int32_t> tokens = testing::random_tokens(vocabulary, parents.size(), &random_);
    rows_.clear();
    for (size_t i = 0; i < parents.size(); ++i) {
      rows_.push_back(before[static_cast<size_t>(parents[i])]);
      rows_.back().tokens.push_back(tokens[i]);
    }
    Result<decode::RowCandidates> found = executor_->step(tokens, parents, vocabulary, tokens);
    ASSERT_TRUE(found.ok()) << found.status().message();
    const RowResults step = testing::dense(found.value());
    for (size_t i = 0; i < tokens.size(); ++i)
      EXPECT_EQ(found->wanted[i], step.logits[i * static_cast<size_t>(vocabulary) + static_cast<size_t>(tokens[i])]);
    expect_equal(step);
  }

  /// Each row from a random parent, kept, dropped or repeated.
  void run_reordered() {
    std::vector<int32_t> parents(1 + random_.below(6));
    for (int32_t& parent : parents) parent = static_cast<int32_t>(random_.below(rows_.size()));
    run(parents);
  }
  void run_in_place() {
    std::vector<int32_t> parents(rows_.size());
    for (size_t i = 0; i < parents.size(); ++i) parents[i] = static_cast<int32_t>(i);
    run(parents);
  }

 private:
  void expect_equal(const RowResults& step) {
    Items items;
    for (const ReadRow& row : rows_) {
      items.ids.insert(items.ids.end(), row.tokens.begin(), row.tokens.end());
      items.lengths.push_back(static_cast<int32_t>(row.tokens.size()));
      items.sentences.push_back(row.sentence);
    }
    const RowResults full = testing::decode_all(executor_, items);
    for (size_t i = 0; i < rows_.size(); ++i)
      EXPECT_TRUE(step.rows(i, 1) == full.rows(items.begin(i + 1) - 1, 1))
          << "row " << i << " after " << rows_[i].tokens.size() << " tokens";
  }

  SequenceExecutor* executor_;
  SplitMix64 random_;
  std::vector<ReadRow> rows_;
};

class StepsOfSpec : public ::testing::TestWithParam<NamedSpec> {
 protected:
  const graph::ModelSpec& spec() const { return GetParam().spec; }
};

TEST_P(StepsOfSpec, EqualDecodeBitForBit) {
  for (const Precision precision : {Precision::kF32, Precision::kDynamicInt8, Precision::kStaticInt8}) {
    RandomWeights weights = testing::random_weights(spec(), 1);
    const auto executor = make_sequence_executor(testing::make_model(spec(), precision, &weights));
    for (uint64_t batch = 0; batch < 2; ++batch) {  // the second finds the history of the first
      const Items source = testing::random_items(spec().source_vocabulary, {5, 1, 17}, 2 + batch);
      ASSERT_TRUE(executor->encode(source.ids, source.lengths).ok());
      Steps steps(executor.get(), 3, 3 + batch);
      steps.run({0, 0, 1, 2});
      for (int step = 0; step < 10; ++step) step % 3 == 0 ? steps.run_in_place() : steps.run_reordered();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Specs, StepsOfSpec, ::testing::ValuesIn(testing::autoregressive_specs()),
                         [](const auto& parameter) { return parameter.param.name; });

class SequenceSteps : public ::testing::Test {
 protected:
  /// A model of `spec` with its batch of two sentences encoded.
  void start(const graph::ModelSpec& spec, Precision precision = Precision::kF32) {
    weights_ = testing::random_weights(spec, 1);
    executor_ = make_sequence_executor(testing::make_model(spec, precision, &weights_));
    source_ = testing::random_items(spec.source_vocabulary, {3, 4}, 1);
    ASSERT_TRUE(executor_->encode(source_.ids, source_.lengths).ok());
  }
  StatusCode step(const std::vector<int32_t>& tokens, const std::vector<int32_t>& parents, int32_t k = 2,
                  const std::vector<int32_t>& wanted = {}) {
    return executor_->step(tokens, parents, k, wanted).status().code();
  }
  StatusCode decode(const std::vector<int32_t>& ids, const std::vector<int32_t>& lengths,
                    const std::vector<int32_t>& sentences, int32_t k = 2, const std::vector<int32_t>& wanted = {}) {
    return executor_->decode(ids, lengths, sentences, k, wanted).status().code();
  }
  RandomWeights weights_;
  Items source_;
  std::unique_ptr<SequenceExecutor> executor_;
};

constexpr StatusCode kInvalid = StatusCode::kInvalidArgument;

TEST_F(SequenceSteps, RejectBadInput) {
  start(testing::base_sequence_spec());
  EXPECT_EQ(step({1}, {2}), kInvalid) << "there are two sentences";
  EXPECT_EQ(step({1}, {-1}), kInvalid);
  EXPECT_EQ(step({1, 2}, {0}), kInvalid);
  EXPECT_EQ(step({37}, {0}), kInvalid);
  EXPECT_EQ(step({-1}, {0}), kInvalid);
  EXPECT_EQ(step({1}, {0}, -1), kInvalid);
  EXPECT_EQ(step({1}, {0}, 38), kInvalid);
  EXPECT_EQ(step({1}, {0}, 2, {37}), kInvalid);
  EXPECT_EQ(step({1}, {0}, 2, {1, 2}), kInvalid);
  EXPECT_EQ(step({1, 2, 3}, {0, 1, 1}), StatusCode::kOk);
  EXPECT_EQ(step({1}, {3}), kInvalid) << "there were three rows";
  EXPECT_EQ(step({1}, {2}), StatusCode::kOk);
  EXPECT_EQ(step({1}, {1}), kInvalid) << "there was one row";
}

TEST_F(SequenceSteps, DecodeRejectsBadInput) {
  start(testing::base_sequence_spec());
  EXPECT_EQ(decode({1, 37}, {2}, {0}), kInvalid);
  EXPECT_EQ(decode({1, -1}, {2}, {0}), kInvalid);
  EXPECT_EQ(decode({1, 2}, {3}, {0}), kInvalid);
  EXPECT_EQ(decode({1, 2}, {1}, {0}), kInvalid);
  EXPECT_EQ(decode({1, 2}, {2, 0}, {0, 0}), kInvalid);
  EXPECT_EQ(decode({1, 2}, {3, -1}, {0, 0}), kInvalid);
  EXPECT_EQ(decode({1, 2}, {2}, {2}), kInvalid);
  EXPECT_EQ(decode({1, 2}, {2}, {-1}), kInvalid);
  EXPECT_EQ(decode({1, 2}, {2}, {}), kInvalid);
  EXPECT_EQ(decode({1, 2}, {2}, {0}, 38), kInvalid);
  EXPECT_EQ(decode({1, 2}, {2}, {0}, 2, {1}), kInvalid);
  EXPECT_EQ(decode({1, 2}, {2}, {0}, 2, {1, -1}), kInvalid);
  EXPECT_EQ(decode({1, 2}, {2}, {1}, 2, {1, 36}), StatusCode::kOk);
}

TEST_F(SequenceSteps, EncodeRejectsBadInputAndLeavesNoBatch) {
  start(testing::base_sequence_spec());
  const std::vector<int32_t> ids = {1, 2};
  EXPECT_EQ(executor_->encode(ids, std::vector<int32_t>{3}).code(), kInvalid);
  EXPECT_EQ(step({1}, {0}), kInvalid);
  EXPECT_EQ(decode({1}, {1}, {0}), kInvalid);
  EXPECT_EQ(executor_->encode(std::vector<int32_t>{1, 37}, std::vector<int32_t>{2}).code(), kInvalid);
  EXPECT_EQ(executor_->encode(ids, std::vector<int32_t>{2, 0}).code(), kInvalid);
  EXPECT_EQ(executor_->encode(ids, std::vector<int32_t>{2}).code(), StatusCode::kOk);
  EXPECT_EQ(step({1}, {0}), StatusCode::kOk);
}

TEST_F(SequenceSteps, NothingWorksBeforeEncode) {
  RandomWeights weights = testing::random_weights(testing::base_parallel_spec(), 1);
  executor_ = make_sequence_executor(testing::make_model(testing::base_parallel_spec(), Precision::kF32, &weights));
  EXPECT_EQ(step({1}, {0}), kInvalid);
  EXPECT_EQ(decode({1}, {1}, {0}), kInvalid);
  EXPECT_EQ(executor_->length_logits().status().code(), kInvalid);
}

TEST_F(SequenceSteps, EmptyBatchesAndStepsHaveNoRows) {
  start(testing::base_sequence_spec());
  EXPECT_EQ(step({}, {}), StatusCode::kOk);
  EXPECT_EQ(step({1}, {0}), kInvalid) << "no row to go on from";
  EXPECT_EQ(decode({}, {}, {}), StatusCode::kOk);
  ASSERT_TRUE(executor_->encode({}, {}).ok());
  EXPECT_EQ(step({}, {}), StatusCode::kOk);
  EXPECT_EQ(decode({}, {}, {}), StatusCode::kOk);
  EXPECT_EQ(decode({1}, {1}, {0}), kInvalid);
}

TEST_F(SequenceSteps, AFailedStepChangesNothing) {
  start(testing::base_sequence_spec());
  Steps steps(executor_.get(), 2, 7);
  steps.run({0, 1, 1});
  EXPECT_EQ(step({1, 1}, {0, 9}), kInvalid);
  EXPECT_EQ(step({1, 99}, {0, 0}), kInvalid);
  EXPECT_EQ(step({1}, {0}, 2, {99}), kInvalid);
  steps.run_in_place();
  steps.run({2, 0, 2, 1});
}

TEST_F(SequenceSteps, EndWhereLearnedPositionsEnd) {
  graph::ModelSpec spec = testing::base_sequence_spec();
  for (graph::EmbeddingSpec* embedding : {&spec.embedding, &spec.decoder.embedding}) {
    embedding->positions = graph::Positions::kLearned;
    embedding->max_positions = 4;
  }
  start(spec);
  EXPECT_EQ(executor_->traits().max_source, 4);
  EXPECT_EQ(executor_->traits().max_target, 4);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(step({1}, {0}), StatusCode::kOk);
  EXPECT_EQ(step({1}, {0}), kInvalid);
  EXPECT_EQ(decode({1, 2, 3, 4}, {4}, {1}), StatusCode::kOk);
  EXPECT_EQ(decode({1, 2, 3, 4, 5}, {5}, {1}), kInvalid);
  EXPECT_EQ(executor_->encode(std::vector<int32_t>(5, 1), std::vector<int32_t>{5}).code(), kInvalid);
}

TEST_F(SequenceSteps, ParallelModelsHaveNone) {
  start(testing::base_parallel_spec());
  EXPECT_EQ(step({1}, {0}), StatusCode::kUnsupported);
  EXPECT_EQ(decode({1}, {1}, {0}), StatusCode::kOk);
}

TEST_F(SequenceSteps, OverflowingValuesAreAnError) {
  for (const Precision precision : {Precision::kF32, Precision::kDynamicInt8})
    for (const char* name : {"decoder.layers.0.layer_norms.0.weight", "decoder.layers.1.layer_norms.1.weight"}) {
      weights_ = testing::random_weights(testing::base_sequence_spec(), 1);
      for (float& gain : weights_[name].values) gain = 3e38f;
      executor_ = make_sequence_executor(testing::make_model(testing::base_sequence_spec(), precision, &weights_));
      ASSERT_TRUE(executor_->encode(std::vector<int32_t>{1, 2}, std::vector<int32_t>{2}).ok());
      EXPECT_EQ(step({1}, {0}), StatusCode::kCorrupt) << name;
      EXPECT_EQ(decode({1, 2}, {2}, {0}), StatusCode::kCorrupt) << name;
    }
}

TEST_F(SequenceSteps, TraitsDescribeTheModel) {
  graph::ModelSpec spec = testing::base_parallel_spec();
  spec.head.kind = graph::HeadKind::kCrf;
  spec.head.crf_beam = 5;
  spec.decoder.length_offset = true;
  start(spec);
  const decode::SequenceTraits& traits = executor_->traits();
  EXPECT_FALSE(traits.autoregressive);
  EXPECT_EQ(traits.target_vocabulary, 37);
  EXPECT_EQ(traits.max_source, 30);
  EXPECT_EQ(traits.max_target, 30);
  EXPECT_TRUE(traits.predicts_length);
  EXPECT_EQ(traits.length_classes, 11);
  EXPECT_TRUE(traits.length_offset);
  EXPECT_TRUE(traits.has_transitions);
  EXPECT_EQ(traits.crf_beam, 5);
  EXPECT_NE(executor_->transition(1, 2), 0.0f);
  start(testing::base_sequence_spec());
  EXPECT_TRUE(executor_->traits().autoregressive);
  EXPECT_FALSE(executor_->traits().predicts_length);
  EXPECT_EQ(executor_->traits().max_target, 0);
  EXPECT_EQ(executor_->transition(1, 2), 0.0f);
}

TEST(SequenceExecutors, TakeModelsOfTheirFamilies) {
  RandomWeights weights = testing::random_weights(testing::base_spec(), 1);
  const auto tagger = testing::make_model(testing::base_spec(), Precision::kF32, &weights);
  EXPECT_EQ(SequenceExecutor::create(tagger).status().code(), kInvalid);
  EXPECT_EQ(SequenceExecutor::create(nullptr).status().code(), kInvalid);
  RandomWeights others = testing::random_weights(testing::base_sequence_spec(), 1);
  const auto model = testing::make_model(testing::base_sequence_spec(), Precision::kF32, &others);
  EXPECT_EQ(SequenceExecutor::create(model, 0).status().code(), kInvalid);
  EXPECT_EQ(Executor::create(model).status().code(), kInvalid);
}

}  // namespace
}  // namespace litenat::runtime
