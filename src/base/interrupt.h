// Asking a long computation to stop. A program sets the flag from its signal handler; library loops poll it.
#pragma once

#include <atomic>

#include "base/error.h"

namespace litenat {

/// The number of the signal that asked to stop, 0 while none did. Lock-free, so signal handlers may store to it.
std::atomic<int>& interrupt_flag();

/// Makes this copy of the library poll `flag` instead of its own: a shared library that links this code statically has
/// a flag of its own, which its host replaces. `flag` must outlive every poll. Call before other threads poll.
void share_interrupt_flag(std::atomic<int>* flag);

/// True once the user asked to stop. Cheap: call it in every iteration that takes a millisecond or more.
inline bool interrupted() { return interrupt_flag().load(std::memory_order_relaxed) != 0; }

/// Throws Interrupted when the user asked to stop; for tools (the runtime returns instead).
inline void throw_if_interrupted() {
  const int signal = interrupt_flag().load(std::memory_order_relaxed);
  if (signal != 0) throw Interrupted(signal);
}

}  // namespace litenat
