#include "nn/memory.h"

#include <cstdlib>  // defines __GLIBC__ where it applies

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace litenat::nn {

void keep_freed_memory() {
#if defined(__GLIBC__)
  constexpr int kLargestMappedBlock = 32 << 20;  // the most that glibc accepts
  mallopt(M_MMAP_THRESHOLD, kLargestMappedBlock);
  mallopt(M_TRIM_THRESHOLD, 2000 << 20);
  mallopt(M_TOP_PAD, 64 << 20);
#endif
}

}  // namespace litenat::nn
