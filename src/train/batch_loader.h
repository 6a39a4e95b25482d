// Makes batches ahead of training, on threads, and hands them out in order.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "train/batch_maker.h"

namespace litenat::train {

/// The next batch to be trained on.
struct DataPosition {
  int64_t epoch = 1;
  int64_t batch = 0;  // in the epoch
};

/// An endless stream of batches, epoch after epoch: the same whatever the number of threads. next() is called by one
/// thread.
class BatchLoader {
 public:
  /// `maker` must outlive the loader. `pin`: batches in page-locked memory.
  BatchLoader(const BatchMaker* maker, DataPosition start, int num_workers, int prefetch, bool pin);
  ~BatchLoader();
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;

  /// Waits for the next batch. Throws what making it threw; Error when the data have no batch at all.
  Batch next();
  /// Of the batch that next() will return.
  DataPosition position() const { return position_; }
  /// Batches of the epoch of the last next() (before the first: of the starting epoch).
  int64_t batches_in_epoch() const { return static_cast<int64_t>(current_plan_->batches.size()); }
  /// Sentences that this epoch leaves out because they are longer than data.batch.max_positions.
  int64_t num_too_long() const { return current_plan_->num_too_long; }

 private:
  struct Plan {
    int64_t epoch;
    std::vector<data::Batch> batches;
    int64_t num_too_long;
  };
  struct Ticket {
    int64_t number;
    std::shared_ptr<const Plan> plan;
    int64_t batch;
  };
  struct Slot {
    Batch batch;
    std::shared_ptr<const Plan> plan;
    std::exception_ptr error;
  };
  void work();
  bool take_ticket(Ticket* ticket);
  std::shared_ptr<const Plan> make_plan(int64_t epoch) const;
  void deliver(int64_t number, Slot slot);

  const BatchMaker* maker_;
  int prefetch_;
  bool pin_;
  DataPosition position_;                     // of the consumer
  std::shared_ptr<const Plan> current_plan_;  // of the consumer

  std::mutex ticket_mutex_;  // held while a plan is made: the other workers wait for it
  std::shared_ptr<const Plan> plan_;
  int64_t next_batch_ = 0;
  int64_t next_ticket_ = 0;

  std::mutex mutex_;
  std::condition_variable room_, ready_;
  std::map<int64_t, Slot> slots_;
  int64_t delivered_ = 0;  // tickets that the consumer has taken
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace litenat::train
