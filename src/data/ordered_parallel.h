// Pieces of work on several threads, their results taken in order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <vector>

namespace litenat::data {

/// Takes items one at a time with next(thread) until it returns false, calls work(thread) on `threads` threads (thread
/// = 0 .. threads - 1; with one thread, the caller's) for the item just taken there, and the function that it returns
/// in the order of the items, one at a time. At most `threads` items are in work or wait. The first exception in that
/// order is thrown once all threads have stopped.
void run_ordered(int threads, const std::function<bool(size_t thread)>& next,
                 const std::function<std::function<void()>(size_t thread)>& work);

/// The same for items of a type: next(&item) fills a thread's item, whose storage is used again.
template <typename Item>
void ordered_stream(int threads, const std::function<bool(Item*)>& next,
                    const std::function<std::function<void()>(Item& item, size_t thread)>& work) {
  std::vector<Item> items(static_cast<size_t>(std::max(1, threads)));
  run_ordered(
      threads, [&](size_t thread) { return next(&items[thread]); },
      [&](size_t thread) { return work(items[thread], thread); });
}

/// The same for the numbers i = 0 .. count - 1.
void ordered_parallel(size_t count, int threads,
                      const std::function<std::function<void()>(size_t i, size_t thread)>& work);

}  // namespace litenat::data
