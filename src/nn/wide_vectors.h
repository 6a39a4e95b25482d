// The build targets the oldest CPU of its architecture; the few functions that carry LITENAT_WIDE_VECTORS get a variant
// each for wider vectors, picked when the program loads (by feature: "arch=" would match one CPU family exactly).
// Sanitizers start before the loader picks, so not with them.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define LITENAT_WIDE_VECTORS __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define LITENAT_WIDE_VECTORS
#endif
#define LITENAT_INLINE inline __attribute__((always_inline))
