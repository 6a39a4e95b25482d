#include "base/interrupt.h"

namespace litenat {
namespace {

static_assert(std::atomic<int>::is_always_lock_free, "signal handlers need a lock-free flag");
std::atomic<int> own_flag{0};
std::atomic<std::atomic<int>*> current_flag{&own_flag};

}  // namespace

std::atomic<int>& interrupt_flag() { return *current_flag.load(std::memory_order_relaxed); }

void share_interrupt_flag(std::atomic<int>* flag) { current_flag.store(flag, std::memory_order_relaxed); }

}  // namespace litenat
