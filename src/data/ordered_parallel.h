// Numbered pieces of work on several threads, their results taken in order.
#pragma once

#include <cstddef>
#include <functional>

namespace litenat::data {

/// Calls work(i, thread) for i = 0 .. count - 1 on `threads` threads (thread = 0 .. threads - 1; with one thread, the
/// caller's), and the function that it returns in the order of i, one at a time. At most `threads` results wait.
/// The first exception in the order of i is thrown once all threads have stopped.
void ordered_parallel(size_t count, int threads,
                      const std::function<std::function<void()>(size_t i, size_t thread)>& work);

}  // namespace litenat::data
