// Fills a table with the kernels of a vector type, and of a dot product.
#pragma once

#include "kernels/conv/conv_inl.h"
#include "kernels/gemm_f32/gemm_f32_inl.h"
#include "kernels/gemm_s8/gemm_s8_inl.h"
#include "kernels/heads/heads_inl.h"
#include "kernels/isa/tables.h"
#include "kernels/rowwise/quantize_inl.h"
#include "kernels/rowwise/rowwise_inl.h"

namespace litenat::kernels {

/// The table of `isa` without its matrix products.
template <class V>
constexpr Kernels rowwise_table(Isa isa) {
  Kernels table{};
  table.isa = isa;
  table.quantize_rows_dynamic = quantize_rows_dynamic<V>;
  table.quantize_rows_static = quantize_rows_static<V>;
  table.layer_norm = layer_norm<V>;
  table.add = add<V>;
  table.relu = relu<V>;
  table.gelu = gelu<V>;
  table.glu = glu<V>;
  table.softmax_groups = softmax_groups<V>;
  table.conv = conv<V>;
  table.log_sum_exp_gather = log_sum_exp_gather<V>;
  table.log_sum_exp = log_sum_exp<V>;
  table.max_groups = max_groups<V>;
  table.dot_rows = dot_rows<V>;
  table.dot_heads = dot_heads<V>;
  table.sum_heads = sum_heads<V>;
  return table;
}

/// The table of an instruction set with 16 lanes V and the dot product D.
template <class V, class D>
constexpr Kernels simd_table(Isa isa) {
  Kernels table = rowwise_table<V>(isa);
  table.gemm_u8s8_s32 = gemm_u8s8_s32<D>;
  table.gemm_u8s8_f32 = gemm_u8s8_f32<D>;
  table.gemm_f32 = gemm_f32<V>;
  return table;
}

}  // namespace litenat::kernels
