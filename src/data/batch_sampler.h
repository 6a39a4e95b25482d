// Which sentences make up each batch of an epoch.
#pragma once

#include <cstdint>
#include <vector>

#include "base/fields.h"
#include "base/span.h"

namespace litenat::data {

struct BatchSpec {
  int64_t max_tokens = 4096;  // sentences x longest sentence of a batch stays at or below this
  int64_t max_sentences = 0;  // 0 = no limit
  int multiple = 8;           // a batch of more than `multiple` sentences has a multiple of them
  int max_positions = 1024;   // longer sentences are left out

  template <class V>
  void visit(V& v) {
    v("max_tokens", max_tokens, "padded tokens of a batch", between(1, 1e9));
    v("max_sentences", max_sentences, "sentences of a batch; 0 = no limit", between(0, 1e9));
    v("multiple", multiple, "batches have a multiple of so many sentences where they can", between(1, 1024));
    v("max_positions", max_positions, "longest sentence that is used", between(1, 1 << 20));
  }
};

using Batch = std::vector<int64_t>;  // sentence numbers

/// fairseq's order and batches (ordered_indices, batch_by_size): a permutation seeded with `seed` (numpy legacy
/// MT19937) when `shuffle`, stably sorted by target then source length, cut by `spec`. Sentences of which a side is
/// longer than spec.max_positions are left out and counted in *num_skipped (may be null). `target_lengths` may be
/// empty: no targets. Throws Error when the sides differ in number or a sentence alone has more than spec.max_tokens.
std::vector<Batch> make_batches(Span<const int32_t> source_lengths, Span<const int32_t> target_lengths,
                                const BatchSpec& spec, bool shuffle, uint32_t seed, int64_t* num_skipped);
/// The batches of epoch `epoch` (from 1) for rank `rank` of `num_ranks`: shuffled with seed + epoch, dealt in turn,
/// every rank the same count (short ones get empty batches).
std::vector<Batch> shard_epoch(const std::vector<Batch>& batches, uint32_t seed, int64_t epoch, int rank,
                               int num_ranks);

}  // namespace litenat::data
