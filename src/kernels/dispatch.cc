#include "kernels/dispatch.h"

#include <cstdlib>
#include <string>

#include "kernels/cpu_features.h"
#include "kernels/isa/tables.h"

namespace litenat::kernels {
namespace {

#if defined(__x86_64__)
constexpr const Kernels* kAvx2 = &kAvx2Kernels;
constexpr const Kernels* kAvx512Vnni = &kAvx512VnniKernels;
constexpr const Kernels* kNeon = nullptr;
constexpr const Kernels* kNeonDotprod = nullptr;
#elif defined(__aarch64__)
constexpr const Kernels* kAvx2 = nullptr;
constexpr const Kernels* kAvx512Vnni = nullptr;
constexpr const Kernels* kNeon = &kNeonKernels;
constexpr const Kernels* kNeonDotprod = &kNeonDotprodKernels;
#else
constexpr const Kernels* kAvx2 = nullptr;
constexpr const Kernels* kAvx512Vnni = nullptr;
constexpr const Kernels* kNeon = nullptr;
constexpr const Kernels* kNeonDotprod = nullptr;
#endif

struct Entry {
  Isa isa;
  const char* name;
  const Kernels* table;  // null: not in this build
  bool (*cpu_has)();
  const char* needs;
};

bool always() { return true; }

// Every instruction set, the preferred ones last.
constexpr Entry kEntries[] = {
    {Isa::kScalar, "scalar", &kScalarKernels, always, "nothing"},
    {Isa::kAvx2, "avx2", kAvx2, cpu_has_avx2_fma, "avx2 fma"},
    {Isa::kAvx512Vnni, "avx512_vnni", kAvx512Vnni, cpu_has_avx512_vnni,
     "avx2 fma avx512f avx512bw avx512vl avx512dq avx512_vnni"},
    {Isa::kNeon, "neon", kNeon, cpu_has_neon, "asimd"},
    {Isa::kNeonDotprod, "neon_dotprod", kNeonDotprod, cpu_has_neon_dotprod, "asimd asimddp"},
};
constexpr int kNumEntries = sizeof kEntries / sizeof kEntries[0];

bool is_available(const Entry& entry) { return entry.table != nullptr && entry.cpu_has(); }

struct Available {
  const Kernels* tables[kNumEntries];
  int count = 0;

  Available() {
    for (const Entry& entry : kEntries) {
      if (is_available(entry)) tables[count++] = entry.table;
    }
  }
};

const Available& available() {
  static const Available tables;
  return tables;
}

Result<const Kernels*> table_of(const Entry& entry) {
  if (entry.table == nullptr) {
    return unsupported(std::string("this build has no kernels for ") + entry.name + " (another architecture)");
  }
  if (!entry.cpu_has()) {
    return unsupported(std::string("the kernels for ") + entry.name + " need the CPU features \"" + entry.needs +
                       "\"; this CPU has \"" + cpu_features() + "\"");
  }
  return entry.table;
}

std::string known_names() {
  std::string names;
  for (const Entry& entry : kEntries) names += (names.empty() ? "" : ", ") + std::string(entry.name);
  return names;
}

}  // namespace

const char* name_of(Isa isa) {
  for (const Entry& entry : kEntries) {
    if (entry.isa == isa) return entry.name;
  }
  return "unknown";
}

Result<const Kernels*> choose_kernels(const char* forced) {
  if (forced == nullptr || *forced == '\0') return available().tables[available().count - 1];
  for (const Entry& entry : kEntries) {
    if (std::string(forced) != entry.name) continue;
    Result<const Kernels*> table = table_of(entry);
    return table.ok() ? table : table.status().with_context("LITENAT_FORCE_ISA");
  }
  return invalid_argument(std::string("LITENAT_FORCE_ISA: \"") + forced + "\" is no instruction set; expected one of " +
                          known_names());
}

Result<const Kernels*> kernels() {
  static const Result<const Kernels*> chosen = choose_kernels(std::getenv("LITENAT_FORCE_ISA"));
  return chosen;
}

Result<const Kernels*> kernels_for(Isa isa) {
  for (const Entry& entry : kEntries) {
    if (entry.isa == isa) return table_of(entry);
  }
  return invalid_argument("no instruction set has the number " + std::to_string(static_cast<int>(isa)));
}

const Kernels* const* available_kernels(int* count) {
  *count = available().count;
  return available().tables;
}

}  // namespace litenat::kernels
