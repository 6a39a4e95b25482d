#include "cli/signals.h"

#include <csignal>

#include "base/interrupt.h"

namespace litenat::cli {
namespace {

std::atomic<int>* flag = nullptr;

extern "C" void on_signal(int signal) {
  flag->store(signal);
  // The default action comes back, so that a second signal works whatever the program is stuck in.
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

}  // namespace

void catch_signals() {
  flag = &interrupt_flag();
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  // No SA_RESTART: a read() that waits for input returns, and its loop sees the flag.
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace litenat::cli
