#include "train/batch_loader.h"

#include "base/error.h"

namespace litenat::train {

BatchLoader::BatchLoader(const BatchMaker* maker, DataPosition start, int num_workers, int prefetch, bool pin)
    : maker_(maker), prefetch_(prefetch), pin_(pin), position_(start), next_batch_(start.batch) {
  plan_ = current_plan_ = make_plan(start.epoch);
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

std::shared_ptr<const BatchLoader::Plan> BatchLoader::make_plan(int64_t epoch) const {
  auto plan = std::make_shared<Plan>(Plan{epoch, {}, 0});
  plan->batches = maker_->plan(epoch, /*shuffle=*/true, &plan->num_too_long);
  if (plan->batches.empty())
    throw Error("training data: expected at least one sentence that fits data.batch, found none");
  return plan;
}

/// Waits until there is room, then takes the next batch to make. False: the loader is stopping.
bool BatchLoader::take_ticket(Ticket* ticket) {
  const std::lock_guard<std::mutex> ticket_lock(ticket_mutex_);
  {
    std::unique_lock<std::mutex> lock(mutex_);
    room_.wait(lock, [this] { return stopping_ || next_ticket_ < delivered_ + prefetch_; });
    if (stopping_) return false;
  }
  ticket->number = next_ticket_++;
  if (next_batch_ >= static_cast<int64_t>(plan_->batches.size())) {
    plan_ = make_plan(plan_->epoch + 1);
    next_batch_ = 0;
  }
  ticket->plan = plan_;
  ticket->batch = next_batch_++;
  return true;
}

void BatchLoader::deliver(int64_t number, Slot slot) {
  const std::lock_guard<std::mutex> lock(mutex_);
  slots_[number] = std::move(slot);
  ready_.notify_all();
}

void BatchLoader::work() {
  for (;;) {
    Ticket ticket{-1, nullptr, 0};
    Slot slot;
    try {
      if (!take_ticket(&ticket)) return;
      slot.plan = ticket.plan;
      slot.batch = maker_->make(ticket.plan->batches[static_cast<size_t>(ticket.batch)], ticket.plan->epoch);
      slot.batch.index = ticket.batch;
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
  position_ = {slot.plan->epoch, slot.batch.index + 1};
  if (position_.batch >= static_cast<int64_t>(slot.plan->batches.size())) position_ = {slot.plan->epoch + 1, 0};
  return std::move(slot.batch);
}

}  // namespace litenat::train
