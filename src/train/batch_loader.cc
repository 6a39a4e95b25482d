#include "train/batch_loader.h"

#include "base/error.h"

namespace litenat::train {

BatchLoader::BatchLoader(const BatchMaker* maker, DataPosition start, int num_workers, int prefetch, bool pin, int rank,
                         int num_ranks)
    : maker_(maker), prefetch_(prefetch), pin_(pin), rank_(rank), num_ranks_(num_ranks), position_(start) {
  current_plan_ = plan_of(start.epoch);
  next_ = {current_plan_, start.batch};
  for (int i = 0; i < num_workers; ++i) threads_.emplace_back([this] { work(); });
}

BatchLoader::~BatchLoader() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  room_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

std::shared_ptr<const BatchLoader::Plan> BatchLoader::plan_of(int64_t epoch) {
  if (newest_ != nullptr && newest_->epoch == epoch) return newest_;
  auto plan = std::make_shared<Plan>(Plan{epoch, {}, 0});
  plan->batches = maker_->plan(epoch, /*shuffle=*/true, &plan->num_too_long);
  if (plan->batches.empty())
    throw Error("training data: expected at least one sentence that fits data.batch, found none");
  newest_ = plan;
  return plan;
}

/// Moves a place that lies beyond its epoch's end into the epoch that it belongs to.
void BatchLoader::settle(Cursor* cursor) {
  for (;;) {
    const auto size = static_cast<int64_t>(cursor->plan->batches.size());
    if (cursor->batch < size) return;
    *cursor = {plan_of(cursor->plan->epoch + 1), cursor->batch - size};
  }
}

/// Waits until there is room, then takes this rank's next batch to make. False: the loader is stopping.
bool BatchLoader::take_ticket(Ticket* ticket) {
  const std::lock_guard<std::mutex> ticket_lock(ticket_mutex_);
  {
    std::unique_lock<std::mutex> lock(mutex_);
    room_.wait(lock, [this] { return stopping_ || next_ticket_ < delivered_ + prefetch_; });
    if (stopping_) return false;
  }
  ticket->number = next_ticket_++;
  settle(&next_);
  ticket->place = {next_.plan, next_.batch + rank_};
  settle(&ticket->place);
  next_.batch += num_ranks_;
  // The plan of the next epoch is made only when it is needed.
  const auto size = static_cast<int64_t>(next_.plan->batches.size());
  ticket->after = next_.batch < size ? DataPosition{next_.plan->epoch, next_.batch}
                                     : DataPosition{next_.plan->epoch + 1, next_.batch - size};
  return true;
}

void BatchLoader::deliver(int64_t number, Slot slot) {
  const std::lock_guard<std::mutex> lock(mutex_);
  slots_[number] = std::move(slot);
  ready_.notify_all();
}

void BatchLoader::work() {
  for (;;) {
    Ticket ticket;
    Slot slot;
    try {
      if (!take_ticket(&ticket)) return;
      const auto& [plan, number] = ticket.place;
      slot.plan = plan;
      slot.after = ticket.after;
      slot.batch = maker_->make(plan->batches[static_cast<size_t>(number)], plan->epoch);
      slot.batch.index = number;
      if (pin_) slot.batch = slot.batch.pinned();
    } catch (...) {
      slot.error = std::current_exception();
      deliver(ticket.number, std::move(slot));
      return;
    }
    deliver(ticket.number, std::move(slot));
  }
}

Batch BatchLoader::next() {
  Slot slot;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    ready_.wait(lock, [this] { return slots_.count(delivered_) != 0; });
    auto it = slots_.find(delivered_);
    // An error stays in its slot: whoever asks again gets it again.
    if (it->second.error) std::rethrow_exception(it->second.error);
    slot = std::move(it->second);
    slots_.erase(it);
    ++delivered_;
  }
  room_.notify_all();
  current_plan_ = slot.plan;
  position_ = slot.after;
  return std::move(slot.batch);
}

}  // namespace litenat::train
