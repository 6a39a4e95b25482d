// Decoding of non-autoregressive models: predicted length (or several candidate lengths), one pass, then the best
// token of each row, the best path of the CRF, or the collapsed CTC path.
#pragma once

#include <cstdint>
#include <vector>

#include "base/fields.h"
#include "decode/beam_search.h"
#include "decode/sequence_engine.h"

namespace litenat::decode {

struct ParallelOptions {
  int length_beam = 1;  // candidate lengths: predicted + j - length_beam / 2, at least 2 (<s> and </s>)
  int num_best = 1;

  template <class V>
  void visit(V& v) {
    v("length_beam", length_beam, "candidate lengths that are tried", between(1, 64));
    v("num_best", num_best, "outputs returned", between(1, 64));
  }
};

/// Decoder rows of a model with a ratio of lengths: ratio * source_length (specials included) rounded down, at least 2.
int32_t rows_by_ratio(double ratio, int32_t source_length);

/// For each sentence its outputs, best first (one for each candidate length, equal ones once). score = mean ln p of
/// the rows, <s> and </s> included; with a CRF the mean of emission ln p plus transitions on the best path. A
/// `rescorer` (an autoregressive model of the same dictionaries; null = none) ranks the candidates instead; its source
/// sentences are `rescorer_batch` (its family may want other specials).
Result<std::vector<std::vector<Hypothesis>>> decode_parallel(SequenceEngine* engine, const SourceBatch& batch,
                                                             const ParallelOptions& options,
                                                             SequenceEngine* rescorer = nullptr,
                                                             const SourceBatch* rescorer_batch = nullptr);

/// Decoder rows of the candidate lengths of a sentence, <s> and </s> included: the first is the predicted length, then
/// the other candidates without repetitions. `length_logits`: [length_classes] of the sentence; unused when the model
/// has a ratio of lengths, which gives one candidate. All are in [2, max_target].
std::vector<int32_t> candidate_lengths(const SequenceTraits& traits, int32_t source_length,
                                       Span<const float> length_logits, int length_beam);

/// Tokens of a CTC path: repeated tokens once, blanks (<unk>) and specials dropped (Graves et al. 2006).
std::vector<int32_t> collapse_ctc(Span<const int32_t> path);

}  // namespace litenat::decode
