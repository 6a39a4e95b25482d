// The interface of what mixes the positions of a sentence: convolution, attention, and LSRA (both on a split of the
// channels). A mixer registers its layers with the module that it is given, so that parameter names follow
// docs/formats.md whichever mixer a block has.
#pragma once

#include "nn/layers.h"
#include "nn/mixer_state.h"

namespace litenat::nn {

class Mixer {
 public:
  virtual ~Mixer() = default;
  /// [B, T, width] -> [B, T, width].
  virtual torch::Tensor mix(const torch::Tensor& x, const Pass& pass) const = 0;
  /// The newest row of each sentence, [N, 1, width], after those that `state` has read; only of mixers that look at
  /// no later rows. Without dropout.
  virtual torch::Tensor step(const torch::Tensor& x, MixerState* state) const = 0;
};

}  // namespace litenat::nn
