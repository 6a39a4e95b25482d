#include "cli/version.h"

#include "cli/torch_library.h"
#include "kernels/kernels.h"

namespace litenat::cli {
namespace {

std::string compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#else
  return "g++ " __VERSION__;
#endif
}

/// The table that products run with, or why there is none; and the others that this build has for this CPU.
std::string instruction_set() {
  const Result<const kernels::Kernels*> chosen = kernels::kernels();
  if (!chosen.ok()) return "none: " + chosen.status().message();
  std::string text = kernels::name_of(chosen.value()->isa);
  int count = 0;
  const kernels::Kernels* const* tables = kernels::available_kernels(&count);
  std::string others;
  for (int i = 0; i < count; ++i)
    if (tables[i]->isa != chosen.value()->isa)
      others += (others.empty() ? "" : ", ") + std::string(kernels::name_of(tables[i]->isa));
  return others.empty() ? text : text + " (LITENAT_FORCE_ISA can choose " + others + ")";
}

}  // namespace

std::string version_text() {
  std::string text = "litenat " LITENAT_VERSION "\n";
  text += "build: " LITENAT_BUILD_TYPE ", " + compiler() + "\n";
  text += "cpu: " + std::string(kernels::cpu_features()) + "\n";
  text += "kernels: " + instruction_set() + "\n";
  text += "engines: cpu, " + torch_library_summary();
  return text;
}

}  // namespace litenat::cli
