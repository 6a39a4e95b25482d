// Compiled with the flags of its instruction set: nothing here may define a function that another translation unit
// could share (see docs/adding-a-kernel.md).
#include "kernels/gemm_s8/dot_neon.h"
#include "kernels/isa/table_inl.h"
#include "kernels/vec/vec16_neon.h"

namespace litenat::kernels {

constexpr Kernels kNeonDotprodKernels = simd_table<Vec16Neon<Isa::kNeonDotprod>, DotNeonDotprod>(Isa::kNeonDotprod);

}  // namespace litenat::kernels
