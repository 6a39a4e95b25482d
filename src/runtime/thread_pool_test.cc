#include "runtime/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>

namespace litenat::runtime {
namespace {

TEST(ThreadPool, DoesEveryPartOnce) {
  for (const int num_threads : {1, 2, 5}) {
    Result<std::unique_ptr<ThreadPool>> pool = ThreadPool::create(num_threads);
    ASSERT_TRUE(pool.ok()) << pool.status().message();
    EXPECT_EQ(pool.value()->num_threads(), num_threads);
    for (int parts = 0; parts < 200; ++parts) {
      std::vector<int> done(static_cast<size_t>(parts), 0);  // not atomic: run() orders the writes before its return
      pool.value()->run(parts, [&](int part) { done[static_cast<size_t>(part)] += part + 1; });
      EXPECT_EQ(std::accumulate(done.begin(), done.end(), 0), parts * (parts + 1) / 2);
    }
  }
}

TEST(ThreadPool, UsesItsThreads) {
  auto pool = std::move(ThreadPool::create(2)).value();
  // Each part waits for the other, so one thread alone would never end.
  std::atomic<int> arrived{0};
  pool->run(2, [&](int) {
    ++arrived;
    while (arrived < 2) std::this_thread::yield();
  });
  EXPECT_EQ(arrived, 2);
}

TEST(ThreadPool, EndsWithoutWork) {
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(ThreadPool::create(4).ok());
}

}  // namespace
}  // namespace litenat::runtime
