// The Levenshtein distance.
#pragma once

#include <cstdint>

#include "base/span.h"

namespace litenat::eval {

/// Fewest insertions, deletions and substitutions, each of cost 1. Time: product of the lengths / 64, memory: their
/// sum.
int64_t edit_distance(Span<const char32_t> a, Span<const char32_t> b);

}  // namespace litenat::eval
