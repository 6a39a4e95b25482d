// The tokenizers of a corpus of translations: made, or read.
#pragma once

#include <memory>
#include <string>

#include "data/corpus_mt.h"
#include "data/text_tokenizer.h"

namespace litenat::data {

struct CorpusTokenizers {
  std::shared_ptr<const TextTokenizer> source, target;  // one object when joined
};

/// True when the side is to get a new SentencePiece model.
bool trains_pieces(const SideTokenizer& side);

/// Throws UsageError for choices that contradict each other or want something that is not given.
void check_tokenizer_choices(const CorpusMtOptions& options);

/// Makes the tokenizers. Models are trained on `num_lines` lines of the files at source_path and target_path (or on a
/// seeded sample of them). Fills summary->source and ->target.
CorpusTokenizers make_corpus_tokenizers(const CorpusMtOptions& options, const std::string& source_path,
                                        const std::string& target_path, int64_t num_lines, CorpusMtSummary* summary);

}  // namespace litenat::data
