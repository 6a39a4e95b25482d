#include "runtime/thread_pool.h"

#include <string>
#include <system_error>

namespace litenat::runtime {

Result<std::unique_ptr<ThreadPool>> ThreadPool::create(int num_threads) {
  std::unique_ptr<ThreadPool> pool(new ThreadPool());
  try {
    for (int i = 1; i < num_threads; ++i) pool->threads_.emplace_back([p = pool.get()] { p->serve(); });
  } catch (const std::system_error& e) {
    return Status(StatusCode::kOutOfMemory, "cannot start " + std::to_string(num_threads) + " threads: " + e.what());
  }
  return pool;
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  begin_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

/// Takes one part and works on it without the lock; false when none is left.
bool ThreadPool::work_on_part(std::unique_lock<std::mutex>* lock) {
  if (next_part_ >= job_.parts) return false;
  const int part = next_part_++;
  const Job job = job_;
  lock->unlock();
  job.call(job.work, part);
  lock->lock();
  if (++done_parts_ == job.parts) end_.notify_one();
  return true;
}

void ThreadPool::serve() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    begin_.wait(lock, [this] { return stop_ || next_part_ < job_.parts; });
    if (stop_) return;
    while (work_on_part(&lock)) {
    }
  }
}

void ThreadPool::run_job(const Job& job) {
  if (threads_.empty() || job.parts == 1) {
    for (int part = 0; part < job.parts; ++part) job.call(job.work, part);
    return;
  }
  std::unique_lock<std::mutex> lock(mutex_);
  job_ = job;
  next_part_ = 0;
  done_parts_ = 0;
  begin_.notify_all();
  while (work_on_part(&lock)) {
  }
  end_.wait(lock, [this] { return done_parts_ == job_.parts; });
}

}  // namespace litenat::runtime
