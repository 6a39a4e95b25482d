// A toy translation task and tiny models of every family for the tests of training.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "train/train_testing.h"

namespace litenat::train::testing {

/// Writes `count` pairs: the source is a random word sequence, the target the same words in the other case and, with
/// `reverse`, in reverse order. Lengths 3 to 7.
inline void write_pair_split(const std::string& folder, const std::string& split, int count, uint64_t seed,
                             const text::Dictionary& dictionary, bool reverse) {
  data::IndexedDatasetWriter source(folder + "/" + split + ".x-y.x", dictionary.size());
  data::IndexedDatasetWriter target(folder + "/" + split + ".x-y.y", dictionary.size());
  throw_if_error(source.open());
  throw_if_error(target.open());
  SplitMix64 random(seed);
  for (int i = 0; i < count; ++i) {
    std::vector<int32_t> x, y;
    for (uint64_t t = 0, length = 3 + random.below(5); t < length; ++t) {
      const int word = static_cast<int>(random.below(12));
      x.push_back(dictionary.find(std::string(1, static_cast<char>('a' + word))));
      y.push_back(dictionary.find(std::string(1, static_cast<char>('A' + word))));
    }
    if (reverse) std::reverse(y.begin(), y.end());
    x.push_back(text::kEos);
    y.push_back(text::kEos);
    throw_if_error(source.add(x));
    throw_if_error(target.add(y));
  }
  throw_if_error(source.commit());
  throw_if_error(target.commit());
}

/// A data folder with a joined dictionary, and train and valid splits.
inline void write_pair_data(const std::string& folder, int train_pairs, int valid_pairs, bool reverse = false) {
  text::Dictionary dictionary;
  for (int i = 0; i < 12; ++i) {
    dictionary.add(std::string(1, static_cast<char>('a' + i)), 100);
    dictionary.add(std::string(1, static_cast<char>('A' + i)), 100);
  }
  dictionary.finalize(0, 0, 1);
  write_lines(folder + "/dict.x.txt", dictionary);
  write_lines(folder + "/dict.y.txt", dictionary);
  write_pair_split(folder, "train", train_pairs, 1, dictionary, reverse);
  write_pair_split(folder, "valid", valid_pairs, 2, dictionary, reverse);
}

inline graph::BlockSpec pair_block(graph::BlockKind kind, int look_ahead) {
  graph::BlockSpec block;
  block.kind = kind;
  block.attention.heads = 2;
  block.conv.kernel = 3;
  block.conv.heads = 4;
  block.conv.look_ahead = look_ahead;
  block.ffn_dim = 64;
  return block;
}

/// A tiny model and a short run for `objective`, of attention or (conv) of convolutions.
inline TrainConfig pair_config(const std::string& data_folder, ObjectiveKind objective, bool conv = false) {
  using graph::Family;
  TrainConfig config = toy_config(data_folder);
  config.data.source = "x";
  config.data.target = "y";
  config.data.batch.max_tokens = 512;
  const bool autoregressive = objective == ObjectiveKind::kLabelSmoothed;
  config.model.family = autoregressive ? Family::kSequence : Family::kNonAutoregressive;
  config.model.input = graph::InputKind::kTokens;
  config.model.dim = 32;
  const graph::BlockKind kind = conv ? graph::BlockKind::kConv : graph::BlockKind::kAttention;
  config.model.encoder.blocks = {pair_block(kind, -1)};
  config.model.decoder.stack.blocks = {pair_block(kind, autoregressive ? 0 : -1)};
  config.model.decoder.cross_heads = 2;
  config.model.decoder.length_classes = 32;
  for (graph::EmbeddingSpec* embedding : {&config.model.embedding, &config.model.decoder.embedding}) {
    embedding->positions = graph::Positions::kLearned;
    embedding->max_positions = 24;
    embedding->scale = autoregressive;
  }
  if (objective == ObjectiveKind::kCrfNat) {
    config.model.head.kind = graph::HeadKind::kCrf;
    config.model.head.crf_rank = 8;
    config.model.head.crf_beam = 8;
  }
  if (objective == ObjectiveKind::kCtc) config.model.decoder.length = graph::LengthKind::kRatio;
  config.objective.kind = objective;
  config.objective.glancing.updates = 100;
  config.dropout.dropout = 0;
  return config;
}

}  // namespace litenat::train::testing
