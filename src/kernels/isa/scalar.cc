// The specification: plain C++ that every CPU runs. No instruction-set flags.
#include "kernels/gemm_f32/gemm_f32_reference.h"
#include "kernels/gemm_s8/gemm_s8_reference.h"
#include "kernels/isa/table_inl.h"
#include "kernels/vec/vec16_scalar.h"

namespace litenat::kernels {
namespace {

constexpr Kernels make_table() {
  Kernels table = rowwise_table<Vec16Scalar>(Isa::kScalar);
  table.gemm_u8s8_s32 = gemm_u8s8_s32_reference;
  table.gemm_u8s8_f32 = gemm_u8s8_f32_reference;
  table.gemm_f32 = gemm_f32_reference;
  return table;
}

}  // namespace

constexpr Kernels kScalarKernels = make_table();

}  // namespace litenat::kernels
