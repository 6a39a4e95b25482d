// Connectionist temporal classification (Graves et al. 2006): a target of L tokens against T rows of outputs, each of
// which says a token or blank; repetitions count once unless a blank stands between. Batches are right-padded; nothing
// beyond a sentence's rows or its target's tokens is read into its result.
#pragma once

#include "nn/torch.h"

namespace litenat::nn {

/// A batch of outputs and the targets they are to say.
struct CtcBatch {
  torch::Tensor log_probs;       // [B, T, V] of log_softmax, fp32 or fp64
  torch::Tensor lengths;         // [B] int64: rows, at most T
  torch::Tensor targets;         // [B, L] int64, without blanks
  torch::Tensor target_lengths;  // [B] int64, at most L
  int64_t blank = 3;             // <unk> of every dictionary
};

/// -ln p(target | sentence) [B], summed over all ways to say it. A target that does not fit into its rows has loss 0
/// and no gradient. The gradient is right for log_probs that come out of a log_softmax; on CUDA it is summed in an
/// order that may differ from run to run.
torch::Tensor ctc_loss(const CtcBatch& batch);

struct CtcPath {
  torch::Tensor tokens;  // [B, T] int64: what each row says, tokens and blanks; padding holds 1, the <pad>
  torch::Tensor score;   // [B] its ln p; -inf where the target does not fit: tokens are then all blank
};
/// The best way to say each target. No gradients.
CtcPath ctc_best_path(const CtcBatch& batch);

}  // namespace litenat::nn
