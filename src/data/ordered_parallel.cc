#include "data/ordered_parallel.h"

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

namespace litenat::data {
namespace {

using Next = std::function<bool(size_t)>;
using Work = std::function<std::function<void()>(size_t)>;

std::function<void()> rethrowing(const std::exception_ptr& error) {
  return [error] { std::rethrow_exception(error); };
}

/// The shared state of one call.
class OrderedQueue {
 public:
  OrderedQueue(const Next& next, const Work& work) : next_(next), work_(work) {}

  void run(size_t thread) {
    uint64_t number = 0;
    std::exception_ptr failure;
    while (take(thread, &number, &failure)) {
      std::function<void()> finish;
      try {
        finish = failure ? rethrowing(failure) : work_(thread);
      } catch (...) {
        finish = rethrowing(std::current_exception());
      }
      finish_in_turn(number, finish);
    }
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  /// Takes an item and its number; failing to take one is an item too, the last.
  bool take(size_t thread, uint64_t* number, std::exception_ptr* failure) {
    const std::lock_guard<std::mutex> taking(take_mutex_);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (error_) return false;
    }
    if (at_end_) return false;
    try {
      at_end_ = !next_(thread);
      if (at_end_) return false;
    } catch (...) {
      *failure = std::current_exception();
      at_end_ = true;
    }
    *number = taken_++;
    return true;
  }

  void finish_in_turn(uint64_t number, const std::function<void()>& finish) {
    std::unique_lock<std::mutex> lock(mutex_);
    turn_.wait(lock, [&] { return finished_ == number; });
    const bool skip = error_ != nullptr;
    lock.unlock();  // only the thread whose turn it is gets here
    std::exception_ptr error;
    try {
      if (!skip) finish();
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    if (error) error_ = error;
    ++finished_;
    turn_.notify_all();
  }

  const Next& next_;
  const Work& work_;
  std::mutex take_mutex_;  // guards these two; locked before mutex_
  bool at_end_ = false;
  uint64_t taken_ = 0;
  std::mutex mutex_;  // guards what follows
  std::condition_variable turn_;
  uint64_t finished_ = 0;
  std::exception_ptr error_;
};

}  // namespace

void run_ordered(int threads, const Next& next, const Work& work) {
  OrderedQueue queue(next, work);
  std::vector<std::thread> others;
  try {
    for (int thread = 1; thread < threads; ++thread)
      others.emplace_back([&queue, thread] { queue.run(static_cast<size_t>(thread)); });
  } catch (const std::system_error&) {
    // The system allows no more threads: those that run do all of the work.
  }
  queue.run(0);
  for (std::thread& other : others) other.join();
  queue.rethrow();
}

void ordered_parallel(size_t count, int threads,
                      const std::function<std::function<void()>(size_t i, size_t thread)>& work) {
  size_t i = 0;
  const auto next = [&i, count](size_t* item) {
    if (i == count) return false;
    *item = i++;
    return true;
  };
  const size_t wanted = std::min<size_t>(count, static_cast<size_t>(std::max(1, threads)));
  ordered_stream<size_t>(static_cast<int>(wanted), next,
                         [&](size_t& item, size_t thread) { return work(item, thread); });
}

}  // namespace litenat::data
