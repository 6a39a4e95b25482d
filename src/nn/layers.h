// The parametrised layers that all blocks are made of, with the initialisation of the published models (fairseq's):
// Xavier-uniform weights and zero biases, embeddings N(0, 1 / width).
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "nn/torch.h"

namespace litenat::nn {

/// x W^T + b. `weight` [out, in], `bias` [out].
class Linear : public torch::nn::Module {
 public:
  Linear(int64_t in, int64_t out, bool with_bias = true, double gain = 1.0);
  torch::Tensor forward(const torch::Tensor& x) const;

  torch::Tensor weight;
  torch::Tensor bias;  // undefined without one
};

/// Layer normalisation over the last dimension, epsilon 1e-5; `weight` and `bias` [width].
class LayerNorm : public torch::nn::Module {
 public:
  explicit LayerNorm(int64_t width);
  torch::Tensor forward(const torch::Tensor& x) const;

  torch::Tensor weight;
  torch::Tensor bias;
};

/// A table [rows, width], N(0, deviation). With pad_row >= 0 that row is zero and gets no gradient.
class Embedding : public torch::nn::Module {
 public:
  Embedding(int64_t rows, int64_t width, int64_t pad_row, double deviation);
  torch::Tensor forward(const torch::Tensor& ids) const;
  /// Draws the table anew.
  void reset(double deviation);

  torch::Tensor weight;

 private:
  int64_t pad_row_;
};

/// The sinusoidal table of tensor2tensor [rows, width]: the sines of p f_j, then the cosines (not interleaved), f_j
/// from 1 down to 1 / 10000; row `pad_row` is zero, and so is the last column of an odd width.
torch::Tensor sinusoidal_table(int64_t rows, int64_t width, int64_t pad_row);

/// What a forward pass knows of its batch.
struct Pass {
  /// Evaluation of rows that are all true.
  Pass() = default;
  /// Reads a right-padded mask [B, T]. On the CPU mask and lengths stay undefined when nothing is padded: then no layer
  /// spends time on padding (asking another device would wait for it).
  Pass(const torch::Tensor& mask, bool training);

  torch::Tensor mask;     // [B, T] bool or undefined
  torch::Tensor lengths;  // [B] int64 or undefined
  torch::Tensor keys;     // [B, 1, 1, T] bool or undefined: the rows that attention may look at, which are those of the
                          // mask, but the first one of a sentence without any, so that no softmax is over nothing
  bool training = false;  // dropout is on

  /// x [B, T, C] with zeros at padding.
  torch::Tensor keep(const torch::Tensor& x) const;
  /// Dropout in training, x otherwise.
  torch::Tensor drop(const torch::Tensor& x, double rate) const;
  /// residual + drop(x, rate).
  torch::Tensor add_dropped(const torch::Tensor& residual, const torch::Tensor& x, double rate) const;
};

/// Makes the sub-module `name` of `parent` and returns it.
template <class M, class... Arguments>
std::shared_ptr<M> add_module(torch::nn::Module& parent, const std::string& name, Arguments&&... arguments) {
  return parent.register_module(name, std::make_shared<M>(std::forward<Arguments>(arguments)...));
}

}  // namespace litenat::nn
