// Compiled with the flags of its instruction set: nothing here may define a function that another translation unit
// could share (see docs/adding-a-kernel.md).
#include "kernels/gemm_f32/gemm_f32_inl.h"
#include "kernels/gemm_s8/dot_avx512_vnni.h"
#include "kernels/gemm_s8/gemm_s8_inl.h"
#include "kernels/isa/table_inl.h"
#include "kernels/vec/vec16_avx512.h"

namespace litenat::kernels {

constexpr Kernels kAvx512VnniKernels = simd_table<Vec16Avx512, DotAvx512Vnni>(Isa::kAvx512Vnni);

}  // namespace litenat::kernels
