// What `litenat --version` prints.
#pragma once

#include <string>

namespace litenat::cli {

/// Version, build, CPU features and the instruction set in use, engines; several lines.
std::string version_text();

}  // namespace litenat::cli
