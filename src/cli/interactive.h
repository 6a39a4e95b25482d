// Typing into a model on a terminal.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "decode/ime_decoder.h"

namespace litenat::cli {

/// What stands on the screen.
struct InteractiveTexts {
  const char* greeting;
  const char* prompt;
};

using LineConverter = std::function<Result<std::vector<decode::Candidate>>(const std::string& line)>;

/// Reads lines with editing and history, shows numbered candidates and the time they took. Ends at end of input.
void run_interactive(const InteractiveTexts& texts, const LineConverter& convert);

}  // namespace litenat::cli
