// The float product as its definition reads: what every instruction set must equal.
#pragma once

#include <cstdint>

namespace litenat::kernels {

void gemm_f32_reference(const float* x, int64_t x_stride, int64_t rows, int64_t k, const float* w_packed, int64_t n,
                        const float* bias, float* y, int64_t y_stride);

}  // namespace litenat::kernels
