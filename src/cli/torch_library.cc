#include "cli/torch_library.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/log.h"

namespace litenat::cli {
namespace {

namespace fs = std::filesystem;
constexpr const char* kLibraryName = "liblitenat_torch.so";

fs::path program_folder() {
  std::error_code error;
  const fs::path path = fs::read_symlink("/proc/self/exe", error);
  return error ? fs::path(".") : path.parent_path();
}

/// Where the library is, or an empty path.
fs::path find_library() {
  const fs::path folder = program_folder();
  std::error_code error;
  for (const fs::path& candidate : {folder / kLibraryName, folder / ".." / "lib" / kLibraryName})
    if (fs::exists(candidate, error)) return candidate.lexically_normal();
  return {};
}

TorchApi* load(const Context& context) {
  const fs::path path = find_library();
  if (path.empty())
    throw Error(std::string(kLibraryName) + " is neither in " + program_folder().string() +
                " nor in ../lib beside it: build with -DLITENAT_BUILD_TRAIN=ON to train or to use --engine torch");
  // libtorch's threads wait for each other some hundred times in an update. Sleeping at once is slow on a quiet
  // machine, and waiting busily for a thread that is not running is slow on one that does other work as well: spin for
  // some microseconds, then sleep. Read when OpenMP is loaded; OMP_WAIT_POLICY, where the user set it, wins.
  if (getenv("OMP_WAIT_POLICY") == nullptr) setenv("GOMP_SPINCOUNT", "20000", /*overwrite=*/0);
  // Local: the library brings its own copies of our static libraries.
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) throw Error("cannot load " + path.string() + ": " + dlerror() + ": run scripts/setup");
  const auto open = reinterpret_cast<TorchOpenFunction>(dlsym(handle, kTorchOpenSymbol));
  if (open == nullptr) throw Error(path.string() + " has no symbol " + kTorchOpenSymbol + ": build it again");
  static TorchHost host;
  host.log = [](LogLevel level, const std::string& message) { log(level, message); };
  host.interrupt = &interrupt_flag();
  host.progress = [style = context.progress_style](const std::string& label, int64_t total, const std::string& unit) {
    return make_progress(style, label, total, unit);
  };
  TorchApi* api = open(kTorchApiVersion, &host);
  if (api == nullptr) throw Error(path.string() + " belongs to another version of litenat: build both again");
  return api;
}

}  // namespace

TorchApi& torch_api(const Context& context) {
  static TorchApi* api = load(context);
  return *api;
}

std::string torch_library_summary() {
  const fs::path path = find_library();
  if (path.empty()) return std::string("torch not available (no ") + kLibraryName + " beside the program)";
  return "torch (" + path.string() + ")";
}

}  // namespace litenat::cli
