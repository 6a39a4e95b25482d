// Blocks of text through worker threads, results in the order of the input.
#pragma once

#include <cstddef>
#include <functional>

#include "data/corpus_input.h"

namespace litenat::data {

/// Reads blocks one at a time, calls work(block, thread) on `threads` threads (thread = 0 .. threads - 1) and the
/// function that it returns one at a time in the order of the blocks. At most `threads` blocks are in memory. The first
/// exception is thrown once all threads have stopped.
void ordered_blocks(CorpusInput* input, int threads,
                    const std::function<std::function<void()>(const CorpusBlock& block, size_t thread)>& work);

}  // namespace litenat::data
