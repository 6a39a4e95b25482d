#include "data/ordered_parallel.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace litenat::data {
namespace {

using Work = std::function<std::function<void()>(size_t, size_t)>;

/// The shared state of one call.
class OrderedQueue {
 public:
  OrderedQueue(size_t count, const Work& work) : count_(count), work_(work) {}

  void run(size_t thread) {
    for (size_t i = 0; take(&i);) {
      std::function<void()> finish;
      try {
        finish = work_(i, thread);
      } catch (...) {
        finish = [error = std::current_exception()] { std::rethrow_exception(error); };
      }
      finish_in_turn(i, finish);
    }
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  bool take(size_t* i) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (error_ || next_ == count_) return false;
    *i = next_++;
    return true;
  }

  void finish_in_turn(size_t i, const std::function<void()>& finish) {
    std::unique_lock<std::mutex> lock(mutex_);
    turn_.wait(lock, [&] { return finished_ == i; });
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

  const size_t count_;
  const Work& work_;
  std::mutex mutex_;
  std::condition_variable turn_;
  size_t next_ = 0;
  size_t finished_ = 0;
  std::exception_ptr error_;
};

}  // namespace

void ordered_parallel(size_t count, int threads, const Work& work) {
  OrderedQueue queue(count, work);
  const size_t num_threads = std::min<size_t>(count, static_cast<size_t>(std::max(1, threads)));
  std::vector<std::thread> others;
  try {
    for (size_t thread = 1; thread < num_threads; ++thread)
      others.emplace_back([&queue, thread] { queue.run(thread); });
  } catch (const std::system_error&) {
    // The system allows no more threads: those that run do all of the work.
  }
  queue.run(0);
  for (std::thread& other : others) other.join();
  queue.rethrow();
}

}  // namespace litenat::data
