// The tables that this build has. Each comes from one translation unit, compiled for its instruction set, that holds
// nothing but that set's kernels.
#pragma once

#include "kernels/kernels.h"

namespace litenat::kernels {

extern const Kernels kScalarKernels;
#if defined(__x86_64__)
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512VnniKernels;
#elif defined(__aarch64__)
extern const Kernels kNeonKernels;
extern const Kernels kNeonDotprodKernels;
#endif

}  // namespace litenat::kernels
