// The allocator's settings for training.
#pragma once

namespace litenat::nn {

/// Keeps freed memory in the process. A training step frees and takes the same hundreds of MB again; by default the C
/// library hands large blocks back to the system each time, and the system clears every page anew. Call it once, early.
void keep_freed_memory();

}  // namespace litenat::nn
