// The int8 product as its definition reads: what every instruction set must equal.
#pragma once

#include "kernels/kernels.h"

namespace litenat::kernels {

void gemm_u8s8_s32_reference(const uint8_t* q, int64_t q_stride, int64_t rows, const PackedWeights& w, int32_t* acc,
                             int64_t acc_stride);
void gemm_u8s8_f32_reference(const uint8_t* q, int64_t q_stride, const RowQuantization* row, int64_t rows,
                             const PackedWeights& w, float* y, int64_t y_stride);

}  // namespace litenat::kernels
