// What a decoder needs of a network with an encoder and a decoder. Implemented by the CPU runtime and by libtorch; the
// searches (beam_search.h, parallel_decoder.h) know nothing else of it.
#pragma once

#include <cstdint>

#include "base/span.h"
#include "base/status.h"

namespace litenat::decode {

/// The specials of every dictionary.
constexpr int32_t kBeginToken = 0;    // <s>
constexpr int32_t kPadToken = 1;      // <pad>
constexpr int32_t kEndToken = 2;      // </s>
constexpr int32_t kUnknownToken = 3;  // <unk>: also the mask and the blank of non-autoregressive models

/// Facts of the model that the searches ask for.
struct SequenceTraits {
  bool autoregressive = true;
  int32_t target_vocabulary = 0;
  int32_t max_source = 0;  // longest source it takes, specials included; 0 = any
  int32_t max_target = 0;  // longest target
  // not autoregressive:
  bool predicts_length = true;  // else length_ratio positions a source position (CTC)
  int32_t length_classes = 0;
  bool length_offset = false;  // class = target length - source length + length_classes / 2
  double length_ratio = 2;
  bool has_transitions = false;  // CRF head
  int32_t crf_beam = 0;
};

/// The best tokens of each row of a pass. Spans stay valid until the engine's next call.
struct RowCandidates {
  int32_t per_row = 0;         // k
  Span<const int32_t> tokens;  // [rows, k] by descending logit; ties: the lower id first
  Span<const float> logits;    // [rows, k]
  Span<const float> log_sum;   // [rows] ln sum over the vocabulary of exp(logit): ln p = logit - log_sum
  Span<const float> wanted;    // [rows] logit of the token asked for; empty when none was
};

/// One thread at a time. Rows of a sentence never depend on the other sentences of the batch.
class SequenceEngine {
 public:
  virtual ~SequenceEngine() = default;
  virtual const SequenceTraits& traits() const = 0;

  /// Begins a batch: runs the encoder on its sentences (`lengths` sums to ids.size(), each > 0, <s> and </s> as the
  /// family's training data have them) and forgets all earlier decoding.
  virtual Status encode(Span<const int32_t> ids, Span<const int32_t> lengths) = 0;
  /// [sentences, length_classes] logits of the batch.
  virtual Result<Span<const float>> length_logits() = 0;

  /// One step of autoregressive decoding: row i appends tokens[i] to what row parents[i] of the step before had read
  /// (at the first step after encode(): to nothing, for the sentence parents[i]). Rows may be dropped, repeated and
  /// reordered from step to step; all rows of a step have read equally many tokens. `k`: candidates of each row, at
  /// most the vocabulary; `wanted` empty or one token a row.
  virtual Result<RowCandidates> step(Span<const int32_t> tokens, Span<const int32_t> parents, int32_t k,
                                     Span<const int32_t> wanted) = 0;

  /// Whole decoder inputs at once: item i has lengths[i] rows and belongs to the sentence sentences[i] of the batch.
  /// Rows are packed, ids [sum of lengths]. Autoregressive models: teacher forcing; others: their only pass.
  virtual Result<RowCandidates> decode(Span<const int32_t> ids, Span<const int32_t> lengths,
                                       Span<const int32_t> sentences, int32_t k, Span<const int32_t> wanted) = 0;

  /// CRF transition score between neighbouring target tokens; 0 without one.
  virtual float transition(int32_t previous, int32_t next) const = 0;
};

}  // namespace litenat::decode
