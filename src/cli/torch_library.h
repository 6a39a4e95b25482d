// Finding and loading liblitenat_torch.so.
#pragma once

#include <string>

#include "cli/program.h"
#include "cli/torch_api.h"

namespace litenat::cli {

/// Loads the library at the first call (from the folder of the program, else ../lib beside it) and returns its API.
/// Throws Error saying what was looked for where and what to do.
TorchApi& torch_api(const Context& context);

/// "torch (/path/liblitenat_torch.so)" or why there is none; loads nothing.
std::string torch_library_summary();

}  // namespace litenat::cli
