#include "cli/version.h"

#include "cli/torch_library.h"

namespace litenat::cli {
namespace {

std::string compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#else
  return "g++ " __VERSION__;
#endif
}

}  // namespace

std::string version_text() {
  std::string text = "litenat " LITENAT_VERSION "\n";
  text += "build: " LITENAT_BUILD_TYPE ", " + compiler() + "\n";
  text += "engines: cpu, " + torch_library_summary();
  return text;
}

}  // namespace litenat::cli
