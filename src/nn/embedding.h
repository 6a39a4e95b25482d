// Token ids to the rows that the first block reads, on either side of a model.
#pragma once

#include <memory>
#include <string>

#include "graph/model_spec.h"
#include "nn/layers.h"

namespace litenat::nn {

/// Table, window, projection, positions, dropout.
class InputEmbedding {
 public:
  struct Place {
    std::string path;  // of the spec, for messages: "embedding", "decoder.embedding"
    int64_t vocabulary = 0;
    int64_t width = 0;                 // D
    std::shared_ptr<Embedding> table;  // shared with another part of the model; null: a table of its own
  };

  /// Registers its layers with `parent`.
  InputEmbedding(torch::nn::Module& parent, const graph::EmbeddingSpec& spec, const Place& place, double dropout);

  /// The tokens alone: [B, T] -> [B, T, D].
  torch::Tensor tokens(const torch::Tensor& ids, const Pass& pass) const;
  /// Rows `first` .. `first` + `count` - 1 of the positions, [count, D]; undefined without positions. Throws Error
  /// beyond a learned table; sinusoids have no end.
  torch::Tensor positions(int64_t first, int64_t count) const;
  /// x [B, T, D] with the positions from `first` on added, if there are any, and dropout.
  torch::Tensor place(const torch::Tensor& x, int64_t first, const Pass& pass) const;

  const std::shared_ptr<Embedding>& table() const { return table_; }

 private:
  void add_positions(torch::nn::Module& parent, int64_t width, double deviation);
  /// Makes sure of rows for positions below `count`. Changes the table: one thread at a time uses a model.
  void reserve_positions(int64_t count) const;
  torch::Tensor window(const torch::Tensor& x) const;  // [B, T, e] -> [B, T, (left + 1 + right) e]

  graph::EmbeddingSpec spec_;
  std::string path_;
  double scale_, dropout_;
  std::shared_ptr<Embedding> table_;
  std::shared_ptr<Linear> project_;  // null where the table already has the width D
  torch::Tensor positions_;          // [P, D], undefined without positions; sinusoids grow when they are needed
};

}  // namespace litenat::nn
