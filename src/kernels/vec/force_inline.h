// LITENAT_INLINE: for the small functions of the instruction-set headers, which must vanish into their caller.
#pragma once

#define LITENAT_INLINE inline __attribute__((always_inline))
#define LITENAT_LAMBDA __attribute__((always_inline))
