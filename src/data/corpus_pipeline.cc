#include "data/corpus_pipeline.h"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace litenat::data {
namespace {

using Work = std::function<std::function<void()>(const CorpusBlock&, size_t)>;

/// The shared state of one call.
class BlockQueue {
 public:
  BlockQueue(CorpusInput* input, const Work& work) : input_(*input), work_(work) {}

  void run(size_t thread) {
    CorpusBlock block;
    while (take(&block)) {
      std::function<void()> finish;
      try {
        finish = work_(block, thread);
      } catch (...) {
        finish = [error = std::current_exception()] { std::rethrow_exception(error); };
      }
      finish_in_turn(block.number, finish);
    }
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  bool take(CorpusBlock* block) {
    const std::lock_guard<std::mutex> reading(read_mutex_);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (error_ || at_end_) return false;
    }
    std::exception_ptr error;
    bool found = false;
    try {
      found = input_.next(block);
    } catch (...) {
      error = std::current_exception();
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    if (error && !error_) error_ = error;
    at_end_ = !found;
    return found;
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
    if (error && !error_) error_ = error;
    ++finished_;
    turn_.notify_all();
  }

  CorpusInput& input_;
  const Work& work_;
  std::mutex read_mutex_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable turn_;
  bool at_end_ = false;
  uint64_t finished_ = 0;
  std::exception_ptr error_;
};

}  // namespace

void ordered_blocks(CorpusInput* input, int threads, const Work& work) {
  BlockQueue queue(input, work);
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

}  // namespace litenat::data
