// Typing into a model on a terminal.
#pragma once

#include "cli/converter.h"

namespace litenat::cli {

/// Reads lines with editing and history until end of input; shows the numbered candidates of each and the time it took.
void run_interactive(Converter* converter);

}  // namespace litenat::cli
