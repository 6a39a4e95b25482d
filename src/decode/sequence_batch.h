// Checks of what a sequence search is given.
#pragma once

#include "base/status.h"
#include "decode/beam_search.h"
#include "decode/sequence_engine.h"

namespace litenat::decode {

/// kInvalidArgument unless the lengths are at least 1, sum to the number of ids, and suit the model.
Status check_batch(const SourceBatch& batch, const SequenceTraits& traits);

}  // namespace litenat::decode
