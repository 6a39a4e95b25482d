// SIGINT and SIGTERM ask to stop; a second one ends at once.
#pragma once

namespace litenat::cli {

/// From now on the first SIGINT or SIGTERM sets interrupt_flag(); the second one kills the process.
void catch_signals();

}  // namespace litenat::cli
