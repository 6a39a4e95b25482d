// Glancing: showing the decoder some of the targets that it would get wrong.
#pragma once

#include "nn/torch.h"

namespace litenat::train {

/// Which targets are shown: floor((length - right) * share) of each sentence's, those whose noise is lowest, which is a
/// uniform draw without replacement. predicted, golds [B, L] int64, mask [B, L] bool, noise [B, L] -> [B, L] bool.
/// (Qian et al. 2021, with the Hamming distance.)
torch::Tensor choose_shown(const torch::Tensor& predicted, const torch::Tensor& golds, const torch::Tensor& mask,
                           const torch::Tensor& noise, double share);

/// The same along an alignment of a CTC model: each row on its own, with probability (rows - right) / rows * share.
torch::Tensor choose_shown_rows(const torch::Tensor& predicted, const torch::Tensor& alignment,
                                const torch::Tensor& mask, const torch::Tensor& noise, double share);

}  // namespace litenat::train
