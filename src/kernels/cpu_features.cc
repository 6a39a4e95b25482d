#include "kernels/cpu_features.h"

#include <cstdint>
#include <string>

#include "kernels/kernels.h"

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace litenat::kernels {
namespace {

struct Feature {
  const char* name;
  bool present;
};

#if defined(__x86_64__)

// __builtin_cpu_supports also asks whether the operating system saves the registers (XGETBV).
#define LITENAT_X86_FEATURE(name) \
  { name, __builtin_cpu_supports(name) != 0 }

std::string feature_list() {
  __builtin_cpu_init();
  const Feature features[] = {
      LITENAT_X86_FEATURE("avx2"),
      LITENAT_X86_FEATURE("fma"),
      LITENAT_X86_FEATURE("avx512f"),
      LITENAT_X86_FEATURE("avx512bw"),
      LITENAT_X86_FEATURE("avx512vl"),
      LITENAT_X86_FEATURE("avx512dq"),
      {"avx512_vnni", __builtin_cpu_supports("avx512vnni") != 0},
  };
  std::string list;
  for (const Feature& f : features) {
    if (f.present) list += (list.empty() ? "" : " ") + std::string(f.name);
  }
  return list;
}

#elif defined(__aarch64__)

#if defined(__linux__)
// Bits of the kernel's ABI (asm/hwcap.h), written out because older headers lack the later ones.
bool hwcap_bit(unsigned long type, int bit) { return (getauxval(type) >> bit & 1) != 0; }
bool has_asimd() { return hwcap_bit(AT_HWCAP, 1); }
bool has_asimddp() { return hwcap_bit(AT_HWCAP, 20); }
bool has_i8mm() { return hwcap_bit(AT_HWCAP2, 13); }
#else
bool has_asimd() { return true; }  // part of the architecture
bool has_asimddp() { return false; }
bool has_i8mm() { return false; }
#endif

std::string feature_list() {
  const Feature features[] = {{"asimd", has_asimd()}, {"asimddp", has_asimddp()}, {"i8mm", has_i8mm()}};
  std::string list;
  for (const Feature& f : features) {
    if (f.present) list += (list.empty() ? "" : " ") + std::string(f.name);
  }
  return list;
}

#else

std::string feature_list() { return ""; }

#endif

}  // namespace

#if defined(__x86_64__)
bool cpu_has_avx2_fma() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
bool cpu_has_avx512_vnni() {
  return cpu_has_avx2_fma() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vnni");
}
#else
bool cpu_has_avx2_fma() { return false; }
bool cpu_has_avx512_vnni() { return false; }
#endif

#if defined(__aarch64__)
bool cpu_has_neon() { return has_asimd(); }
bool cpu_has_neon_dotprod() { return has_asimd() && has_asimddp(); }
#else
bool cpu_has_neon() { return false; }
bool cpu_has_neon_dotprod() { return false; }
#endif

const char* cpu_features() {
  static const std::string list = feature_list();
  return list.c_str();
}

}  // namespace litenat::kernels
