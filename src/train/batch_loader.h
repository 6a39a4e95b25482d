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

/// An endless stream of batches, epoch after epoch: the same whatever the number of threads. Several ranks share one
/// stream: each next() of them all takes num_ranks batches of it, in the order of the ranks. next() is called by one
/// thread.
class BatchLoader {
 public:
  /// `maker` must outlive the loader. `pin`: batches in page-locked memory.
  BatchLoader(const BatchMaker* maker, DataPosition start, int num_workers, int prefetch, bool pin, int rank = 0,
              int num_ranks = 1);
  ~BatchLoader();
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;

  /// Waits for the next batch. Throws what making it threw; Error when the data have no batch at all.
  Batch next();
  /// Where the stream goes on after all ranks have called next() as often as this one.
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
  /// A place in the stream; `batch` may lie beyond the plan's end until it is settled.
  struct Cursor {
    std::shared_ptr<const Plan> plan;
    int64_t batch = 0;
  };
  struct Ticket {
    int64_t number = -1;
    Cursor place;
    DataPosition after;
  };
  struct Slot {
    Batch batch;
    std::shared_ptr<const Plan> plan;
    DataPosition after;
    std::exception_ptr error;
  };
  void work();
  bool take_ticket(Ticket* ticket);
  std::shared_ptr<const Plan> plan_of(int64_t epoch);
  void settle(Cursor* cursor);
  void deliver(int64_t number, Slot slot);

  const BatchMaker* maker_;
  int prefetch_;
  bool pin_;
  int rank_, num_ranks_;
  DataPosition position_;                     // of the consumer
  std::shared_ptr<const Plan> current_plan_;  // of the consumer

  std::mutex ticket_mutex_;             // held while a plan is made: the other workers wait for it
  std::shared_ptr<const Plan> newest_;  // the last plan that was made
  Cursor next_;                         // where the ranks' next batches begin
  int64_t next_ticket_ = 0;

  std::mutex mutex_;
  std::condition_variable room_, ready_;
  std::map<int64_t, Slot> slots_;
  int64_t delivered_ = 0;  // tickets that the consumer has taken
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace litenat::train
