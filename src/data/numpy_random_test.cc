#include "data/numpy_random.h"

#include <gtest/gtest.h>

#include <set>

namespace litenat::data {
namespace {

using Permutation = std::vector<int64_t>;

// numpy.random.RandomState(5489).bytes(4): also the first output of the authors' reference implementation.
TEST(NumpyRandom, GivesTheBitsOfTheReference) {
  NumpyRandom random(5489);
  EXPECT_EQ(random.next(), 3499211612u);
  EXPECT_EQ(random.next(), 581869302u);
  EXPECT_EQ(random.next(), 3890346734u);
  // The C++ standard fixes the 10000th output of the default-seeded mt19937.
  for (int i = 3; i < 9999; ++i) random.next();
  EXPECT_EQ(random.next(), 4123659995u);
}

// numpy.random.RandomState(seed).permutation(12).
TEST(NumpyRandom, PermutesAsNumpyDoes) {
  EXPECT_EQ(NumpyRandom(0).permutation(12), (Permutation{6, 11, 4, 10, 2, 8, 1, 7, 9, 3, 0, 5}));
  EXPECT_EQ(NumpyRandom(1).permutation(12), (Permutation{2, 3, 4, 10, 1, 6, 0, 7, 11, 9, 8, 5}));
  EXPECT_EQ(NumpyRandom(4294967295u).permutation(12), (Permutation{11, 8, 5, 9, 1, 10, 6, 0, 4, 7, 2, 3}));
}

// numpy.random.RandomState([1, 2, 3]).permutation(12).
TEST(NumpyRandom, TakesAListAsSeed) {
  const std::vector<uint32_t> key = {1, 2, 3};
  EXPECT_EQ(NumpyRandom(key).permutation(12), (Permutation{2, 0, 7, 6, 8, 4, 10, 1, 11, 5, 3, 9}));
}

// numpy.random.RandomState(42).permutation(100000).
TEST(NumpyRandom, PermutesManyAsNumpyDoes) {
  const Permutation p = NumpyRandom(42).permutation(100000);
  EXPECT_EQ(Permutation(p.begin(), p.begin() + 5), (Permutation{75721, 80184, 19864, 76699, 92991}));
  EXPECT_EQ(Permutation(p.end() - 5, p.end()), (Permutation{6265, 54886, 76820, 860, 15795}));
  int64_t sum = 0;
  for (size_t i = 0; i < p.size(); ++i) sum += p[i] * static_cast<int64_t>(i);
  EXPECT_EQ(sum % 1000003, 776186);
  EXPECT_EQ(std::set<int64_t>(p.begin(), p.end()).size(), p.size());
}

TEST(NumpyRandom, HandlesFewItems) {
  EXPECT_EQ(NumpyRandom(1).permutation(0), Permutation{});
  EXPECT_EQ(NumpyRandom(1).permutation(1), Permutation{0});
}

TEST(NumpyRandom, IntervalReachesItsEnds) {
  NumpyRandom random(7);
  std::set<uint64_t> seen;
  for (int i = 0; i < 200; ++i) seen.insert(random.interval(4));
  EXPECT_EQ(seen, (std::set<uint64_t>{0, 1, 2, 3, 4}));
  uint64_t largest = 0;
  for (int i = 0; i < 100; ++i) largest = std::max(largest, random.interval(uint64_t{3} << 40));
  EXPECT_GT(largest, uint64_t{1} << 40);
  EXPECT_LE(largest, uint64_t{3} << 40);
}

}  // namespace
}  // namespace litenat::data
