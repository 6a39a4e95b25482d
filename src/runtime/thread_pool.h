// A few threads that share the parts of one job at a time.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/status.h"

namespace litenat::runtime {

/// The calling thread works too, so a pool of 1 starts no thread. One job at a time, from one thread.
class ThreadPool {
 public:
  /// kOutOfMemory when the system gives no more threads.
  static Result<std::unique_ptr<ThreadPool>> create(int num_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int num_threads() const { return static_cast<int>(threads_.size()) + 1; }

  /// Calls work(part) for part = 0 .. parts - 1, on any of the threads and in any order; returns when all are done.
  /// `work` must not throw.
  template <typename Work>
  void run(int parts, const Work& work) {
    run_job({&call<Work>, &work, parts});
  }

 private:
  struct Job {
    void (*call)(const void* work, int part) = nullptr;
    const void* work = nullptr;
    int parts = 0;
  };
  template <typename Work>
  static void call(const void* work, int part) {
    (*static_cast<const Work*>(work))(part);
  }

  ThreadPool() = default;
  void run_job(const Job& job);
  void serve();
  bool work_on_part(std::unique_lock<std::mutex>* lock);

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable begin_;
  std::condition_variable end_;
  Job job_;  // guarded by mutex_, as is all below
  int next_part_ = 0;
  int done_parts_ = 0;
  bool stop_ = false;
};

}  // namespace litenat::runtime
