#include "data/batch_sampler.h"

#include <gtest/gtest.h>

#include <fstream>
#include <numeric>
#include <sstream>

#include "base/error.h"

namespace litenat::data {
namespace {

using Lengths = std::vector<int32_t>;

/// The sentences of tests/compat/make_golden_batches.py.
struct Golden : testing::Test {
  Lengths source, target;

  Golden() {
    for (int64_t i = 0; i < 150; ++i) {
      source.push_back(static_cast<int32_t>(3 + i * i * 7919 % 23));
      target.push_back(static_cast<int32_t>(2 + i * 104729 % 31));
    }
  }
  static std::vector<Batch> read(const std::string& name) {
    std::ifstream in(LITENAT_SOURCE_DIR "/tests/compat/data/batches/" + name);
    EXPECT_TRUE(in.good()) << name;
    std::vector<Batch> batches;
    for (std::string line; std::getline(in, line);) {
      std::istringstream numbers(line);
      batches.emplace_back();
      for (int64_t i; numbers >> i;) batches.back().push_back(i);
    }
    return batches;
  }
  static BatchSpec spec(int64_t max_tokens, int64_t max_sentences, int multiple, int max_positions) {
    BatchSpec result;
    result.max_tokens = max_tokens;
    result.max_sentences = max_sentences;
    result.multiple = multiple;
    result.max_positions = max_positions;
    return result;
  }
};

TEST_F(Golden, BatchesAreFairseqs) {
  int64_t skipped = -1;
  EXPECT_EQ(make_batches(source, target, spec(256, 0, 8, 1024), true, 1, &skipped), read("shuffled.txt"));
  EXPECT_EQ(skipped, 0);
  EXPECT_EQ(make_batches(source, target, spec(4096, 5, 1, 1024), false, 1, nullptr), read("sentences.txt"));
  const auto expected = read("skipped.txt");
  EXPECT_EQ(make_batches(source, target, spec(100, 7, 4, 25), true, 7, &skipped), expected);
  const size_t used = std::accumulate(expected.begin(), expected.end(), size_t{0},
                                      [](size_t sum, const Batch& batch) { return sum + batch.size(); });
  EXPECT_EQ(skipped, 150 - static_cast<int64_t>(used));
  EXPECT_GT(skipped, 0);
}

TEST_F(Golden, ShardsAreFairseqs) {
  const auto batches = read("shuffled.txt");
  std::vector<Batch> all;
  for (int rank = 0; rank < 3; ++rank)
    for (const Batch& batch : shard_epoch(batches, 1, 3, rank, 3)) all.push_back(batch);
  EXPECT_EQ(all, read("shards.txt"));
}

TEST_F(Golden, EveryRankHasTheSameCount) {
  const std::vector<Batch> batches = {{1}, {2}, {3}, {4}, {5}};
  size_t empty = 0, sentences = 0;
  for (int rank = 0; rank < 3; ++rank) {
    const auto shard = shard_epoch(batches, 9, 1, rank, 3);
    ASSERT_EQ(shard.size(), 2u);
    for (const Batch& batch : shard) batch.empty() ? ++empty : sentences += batch.size();
  }
  EXPECT_EQ(empty, 1u);
  EXPECT_EQ(sentences, 5u);
  EXPECT_TRUE(shard_epoch({}, 1, 1, 0, 2).empty());
}

TEST(MakeBatches, KeepsItsPromises) {
  Lengths lengths;
  for (int i = 0; i < 1000; ++i) lengths.push_back(1 + i * 37 % 60);
  BatchSpec spec;
  spec.max_tokens = 500;
  spec.multiple = 8;
  const auto batches = make_batches(lengths, {}, spec, true, 3, nullptr);
  std::vector<int> seen(lengths.size());
  for (size_t b = 0; b < batches.size(); ++b) {
    int32_t longest = 0;
    for (const int64_t i : batches[b]) {
      ++seen[static_cast<size_t>(i)];
      longest = std::max(longest, lengths[static_cast<size_t>(i)]);
    }
    EXPECT_LE(longest * static_cast<int64_t>(batches[b].size()), spec.max_tokens);
    const bool whole = batches[b].size() <= 8 || batches[b].size() % 8 == 0;
    EXPECT_TRUE(whole || b + 1 == batches.size()) << b;
  }
  EXPECT_EQ(seen, std::vector<int>(lengths.size(), 1));
}

TEST(MakeBatches, RefusesWhatCannotBe) {
  const Lengths three = {1, 2, 3}, two = {1, 2};
  BatchSpec spec;
  EXPECT_THROW(make_batches(three, two, spec, false, 1, nullptr), Error);
  spec.max_tokens = 2;
  EXPECT_THROW(make_batches(three, three, spec, false, 1, nullptr), Error);
  spec.max_positions = 2;
  EXPECT_EQ(make_batches(three, three, spec, false, 1, nullptr), (std::vector<Batch>{{0}, {1}}));
  EXPECT_TRUE(make_batches(Lengths{}, Lengths{}, spec, true, 1, nullptr).empty());
}

}  // namespace
}  // namespace litenat::data
