// Sizes of packed weights, as numerics/quantization.h defines them, for the files under instruction-set flags: those
// must not call inline functions that other translation units share.
#pragma once

#include <cstdint>

#include "kernels/vec/force_inline.h"
#include "numerics/quantization.h"

namespace litenat::kernels {

/// Panels of 16 columns that hold n columns.
LITENAT_INLINE int64_t num_panels(int64_t n) { return (n + numerics::kPanelColumns - 1) / numerics::kPanelColumns; }

/// Groups of 4 that hold a depth of k.
LITENAT_INLINE int64_t num_groups(int64_t k) { return (k + numerics::kGroupDepth - 1) / numerics::kGroupDepth; }

}  // namespace litenat::kernels
