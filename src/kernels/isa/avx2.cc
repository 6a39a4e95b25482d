// Compiled with the flags of its instruction set: nothing here may define a function that another translation unit
// could share (see docs/adding-a-kernel.md).
#include "kernels/gemm_f32/gemm_f32_inl.h"
#include "kernels/gemm_s8/dot_avx2.h"
#include "kernels/gemm_s8/gemm_s8_inl.h"
#include "kernels/isa/table_inl.h"
#include "kernels/vec/vec16_avx2.h"

namespace litenat::kernels {

constexpr Kernels kAvx2Kernels = simd_table<Vec16Avx2, DotAvx2>(Isa::kAvx2);

}  // namespace litenat::kernels
