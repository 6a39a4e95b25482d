#include "data/corpus_pipeline.h"

#include "data/ordered_parallel.h"

namespace litenat::data {

void ordered_blocks(CorpusInput* input, int threads,
                    const std::function<std::function<void()>(const CorpusBlock&, size_t)>& work) {
  ordered_stream<CorpusBlock>(
      threads, [input](CorpusBlock* block) { return input->next(block); },
      [&work](CorpusBlock& block, size_t thread) { return work(block, thread); });
}

}  // namespace litenat::data
