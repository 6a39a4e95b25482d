// `--set decode.key=value`: changing settings of the decoder for one run.
#pragma once

#include <string>
#include <vector>

#include "decode/ime_decoder.h"

namespace litenat::cli {

/// Applies "decode.beam=16" and the like in order. Throws UsageError naming the override: another prefix, an unknown
/// key (with the nearest one), a value of the wrong type or out of bounds.
void apply_decode_overrides(const std::vector<std::string>& overrides, decode::ImeOptions* options);

}  // namespace litenat::cli
