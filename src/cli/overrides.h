// `--set decode.key=value`: changing settings of the decoder for one run.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "decode/ime_decoder.h"

namespace litenat::cli {

/// {"beam": 16} of "decode.beam=16"; null when there are none; of equal keys the last counts. Throws UsageError for
/// another prefix.
Json parse_decode_overrides(const std::vector<std::string>& overrides);

/// Applies "decode.beam=16" and the like in order. Throws UsageError naming the override: another prefix, an unknown
/// key (with the nearest one), a value of the wrong type or out of bounds.
void apply_decode_overrides(const std::vector<std::string>& overrides, decode::ImeOptions* options);

}  // namespace litenat::cli
