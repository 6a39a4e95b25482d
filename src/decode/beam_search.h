// Beam search of an autoregressive model, with the semantics of fairseq's SequenceGenerator.
#pragma once

#include <cstdint>
#include <vector>

#include "base/fields.h"
#include "decode/sequence_engine.h"

namespace litenat::decode {

struct BeamOptions {
  int beam = 5;
  int num_best = 1;           // at most beam
  double length_penalty = 1;  // score = ln p / length ^ length_penalty, </s> counted
  double max_length_a = 0;    // longest output: a * source length + b tokens, </s> not counted
  double max_length_b = 200;
  int min_length = 1;          // tokens, </s> not counted
  double unknown_penalty = 0;  // subtracted from ln p of <unk>

  template <class V>
  void visit(V& v) {
    v("beam", beam, "hypotheses kept", between(1, 256));
    v("num_best", num_best, "outputs returned", between(1, 256));
    v("length_penalty", length_penalty, "exponent of the length by which scores are divided", between(-10, 10));
    v("max_length_a", max_length_a, "longest output: a * source length + b", between(0, 100));
    v("max_length_b", max_length_b, "longest output: a * source length + b", between(0, 1e6));
    v("min_length", min_length, "shortest output", between(0, 1e6));
    v("unknown_penalty", unknown_penalty, "subtracted from the score of <unk>", between(-1000, 1000));
  }
};

struct Hypothesis {
  std::vector<int32_t> tokens;  // without specials at the ends
  std::vector<float> scores;    // ln p of each token, and of </s> where it has one
  float score = 0;              // what hypotheses are ranked by
};

/// Sentences of a batch: source ids with the specials of the family, packed.
struct SourceBatch {
  std::vector<int32_t> ids;
  std::vector<int32_t> lengths;
};

/// For each sentence its best hypotheses, best first; every sentence gets at least one. `prefixes` (empty, or one for
/// each sentence): tokens that its outputs begin with. What a sentence gets does not depend on the batch.
Result<std::vector<std::vector<Hypothesis>>> beam_search(SequenceEngine* engine, const SourceBatch& batch,
                                                         const BeamOptions& options,
                                                         const std::vector<std::vector<int32_t>>& prefixes = {});

/// Mean ln p of each target (</s> included) of its sentence: the autoregressive rescoring of other models' outputs.
/// targets[i] belongs to the sentence sentences[i] of the batch.
Result<std::vector<float>> score_targets(SequenceEngine* engine, const SourceBatch& batch,
                                         const std::vector<std::vector<int32_t>>& targets,
                                         const std::vector<int32_t>& sentences);

}  // namespace litenat::decode
