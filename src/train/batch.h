// One batch of sentences as tensors.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/torch.h"

namespace litenat::train {

/// B sentences of at most T rows. N counts the rows that have a target (units, tokens: every row; keys: the first key
/// of each syllable; pairs: every row of the decoder), sentence after sentence.
struct Batch {
  torch::Tensor ids;          // [B, T] int64, <pad> at padding
  torch::Tensor mask;         // [B, T] bool, true at rows of sentences
  torch::Tensor rows;         // [N] int64: b * T + t (pairs: of the decoder's rows)
  torch::Tensor inputs;       // [N] int64: what was typed there (the unit; input = tokens: the token); not for pairs
  torch::Tensor targets;      // [N] int64
  torch::Tensor target_mask;  // [B, L] bool: sentence b has so many targets (L: the most)
  torch::Tensor target_rows;  // [N] int64: b * L + l, the true elements of target_mask (not for ratios of lengths)
  torch::Tensor syllables;    // [N] int64, undefined for input = tokens
  torch::Tensor key_rows;     // [M] int64: every row of a sentence; undefined unless input = keys
  torch::Tensor boundaries;   // [M] float: 1 where a syllable begins

  // Pairs alone:
  torch::Tensor decoder_ids;     // [B, R] int64: what the decoder reads
  torch::Tensor decoder_mask;    // [B, R] bool
  torch::Tensor golds;           // [B, L] int64, the targets, <pad> at padding
  torch::Tensor length_classes;  // [B] int64: targets of the length predictor; undefined without one
  torch::Tensor noise;           // [B, R] float, uniform in [0, 1): the draws of glancing; undefined unless asked for
  torch::Tensor hidden;     // [N] float: 0 at targets that glancing showed to the decoder; undefined: all are hidden
  torch::Tensor alignment;  // [B, R] int64: best CTC alignment; undefined until it is needed
  std::vector<int64_t> row_lengths, target_lengths;  // [B] rows of the decoder and targets, on the host

  int64_t num_sentences = 0;
  int64_t num_targets = 0;
  int64_t num_rows = 0;  // of sentences (pairs: of the decoder)
  int64_t epoch = 0;
  int64_t index = 0;  // in the epoch

  /// Copies to `device`, without waiting where the memory is pinned.
  Batch to(const torch::Device& device) const;
  /// In page-locked memory, from which copies to a GPU run beside computation.
  Batch pinned() const;
};

}  // namespace litenat::train
