// The low-rank linear-chain CRF (DynamicCRF of Sun et al. 2019, arXiv:1910.11555). A sentence y scores
//
//   sum_t e[t, y_t] + sum_{t > 0} E1[y_{t-1}] . E2[y_t]
//
// and both the partition sum and the best path run over `beam` candidates a row, so nothing of size V x V is built.
// Sums are in fp32 (fp64 for doubles), autocast or not. Masks are right-padded; padded rows take no part.
#pragma once

#include "nn/torch.h"

namespace litenat::nn {

/// The candidates of each row; the leading dimensions are [B, T], or [N] while rows are packed.
struct CrfBeam {
  torch::Tensor tokens;  // [..., K] int64
  torch::Tensor scores;  // [..., K] emissions; -inf where a row has fewer than K candidates
  torch::Tensor gold;    // [...] int64: slot of the gold token; undefined when none was given
};

/// The K = min(beam, V) best tokens of emissions [..., V].
/// `gold` [...] int64 (may be undefined): tokens that are forced in.
/// `candidates` [..., V] bool (may be undefined): only these tokens (and gold) are allowed.
CrfBeam select_beam(const torch::Tensor& emissions, int64_t beam, const torch::Tensor& gold = {},
                    const torch::Tensor& candidates = {});

/// Spreads packed rows [N, K], the true rows of mask [B, T] in order, over [B, T, K]. Padding holds token 0, score 0.
/// `where` [N] int64 are their places b * T + t, which the mask tells too, but only to those who wait for the device.
CrfBeam unpack_beam(const CrfBeam& rows, const torch::Tensor& where, const torch::Tensor& mask);

/// E1[tokens of row t] . E2[tokens of row t + 1]: [B, T, K] -> [B, T - 1, K, K].
torch::Tensor crf_transitions(const torch::Tensor& tokens, const torch::Tensor& from, const torch::Tensor& to);

/// ln of the sum over all paths: scores [B, T, K], transitions [B, T - 1, K, K], lengths [B] -> [B]; 0 for an empty
/// sentence. Its gradients are the marginals of rows and of neighbouring pairs.
torch::Tensor crf_log_partition(const torch::Tensor& scores, const torch::Tensor& transitions,
                                const torch::Tensor& lengths);

/// ln p(gold) [B] of a beam [B, T, K] into which gold was forced; at most 0.
torch::Tensor crf_log_likelihood(const CrfBeam& beam, const torch::Tensor& mask, const torch::Tensor& from,
                                 const torch::Tensor& to);

/// The same from emissions [B, T, V] and targets [B, T] (anything at padding).
torch::Tensor crf_log_likelihood(const torch::Tensor& emissions, const torch::Tensor& targets,
                                 const torch::Tensor& mask, const torch::Tensor& from, const torch::Tensor& to,
                                 int64_t beam, const torch::Tensor& candidates = {});

struct CrfPath {
  torch::Tensor tokens;  // [B, T] int64; padding holds 1, the <pad> of dictionaries
  torch::Tensor score;   // [B] of the whole path, not normalised
};
/// The best path through a beam [B, T, K].
CrfPath crf_viterbi(const CrfBeam& beam, const torch::Tensor& mask, const torch::Tensor& from, const torch::Tensor& to);

}  // namespace litenat::nn
