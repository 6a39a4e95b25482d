// What the CPU can do. Compiled without instruction-set flags, so that it runs on every CPU of the architecture.
#pragma once

namespace litenat::kernels {

bool cpu_has_avx2_fma();
bool cpu_has_avx512_vnni();  // AVX-512 F, BW, VL, DQ and VNNI
bool cpu_has_neon();
bool cpu_has_neon_dotprod();

}  // namespace litenat::kernels
