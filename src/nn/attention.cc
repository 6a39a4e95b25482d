#include "nn/attention.h"

#include <ATen/Context.h>

#include <cmath>
#include <limits>
#include <optional>

namespace litenat::nn {

using torch::Tensor;

namespace {

/// Attention whose dropout is ours: libtorch's draws its random numbers on the CPU in one thread.
Tensor attend_with_dropout(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionMask& mask, double scale,
                           const Pass& pass, double dropout) {
  constexpr float kLowest = std::numeric_limits<float>::lowest();
  Tensor scores = at::matmul(q * scale, k.transpose(-1, -2));  // [B, heads, T, S]
  if (scores.scalar_type() != torch::kDouble) scores = scores.to(torch::kFloat);
  if (mask.keys.defined()) scores = scores.masked_fill(mask.keys.logical_not(), kLowest);
  if (mask.causal) {
    const Tensor later =
        at::ones({q.size(2), k.size(2)}, mask.keys.defined() ? mask.keys.options() : q.options().dtype(torch::kBool));
    scores = scores.masked_fill(later.triu(1), kLowest);
  }
  return at::matmul(pass.drop(at::softmax(scores, -1), dropout).to(v.scalar_type()), v);
}

/// cuDNN's attention compiles a plan for every new shape, and batches of sentences have ever new shapes.
void avoid_plans_per_shape() {
  static const bool done = (at::globalContext().setSDPUseCuDNN(false), true);
  static_cast<void>(done);
}

}  // namespace

Tensor attend(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionMask& mask, double scale,
              const Pass& pass, double dropout) {
  const bool drops = pass.training && dropout > 0;
  if (drops && q.is_cpu()) return attend_with_dropout(q, k, v, mask, scale, pass, dropout);
  if (!q.is_cpu()) avoid_plans_per_shape();
  const auto keys = mask.keys.defined() ? std::optional<Tensor>(mask.keys) : std::nullopt;
  return at::scaled_dot_product_attention(q, k, v, keys, drops ? dropout : 0.0, mask.causal, scale);
}

// ---- MultiHead -------------------------------------------------------------------------------------------------

MultiHead::MultiHead(torch::nn::Module& parent, int64_t width, int64_t source_width, int64_t heads, double dropout)
    : heads_(heads), scale_(1.0 / std::sqrt(static_cast<double>(width / heads))), dropout_(dropout) {
  const double gain = 1.0 / std::sqrt(2.0);
  q_proj_ = add_module<Linear>(parent, "q_proj", width, width, true, gain);
  k_proj_ = add_module<Linear>(parent, "k_proj", source_width, width, true, gain);
  v_proj_ = add_module<Linear>(parent, "v_proj", source_width, width, true, gain);
  out_proj_ = add_module<Linear>(parent, "out_proj", width, width);
}

namespace {

Tensor split_heads(const Tensor& x, int64_t heads) {
  return x.view({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
}

}  // namespace

Tensor MultiHead::queries(const Tensor& x) const { return split_heads(q_proj_->forward(x), heads_); }

Tensor MultiHead::keys(const Tensor& x) const { return split_heads(k_proj_->forward(x), heads_); }

Tensor MultiHead::values(const Tensor& x) const { return split_heads(v_proj_->forward(x), heads_); }

Tensor MultiHead::attend(const Tensor& queries, const Tensor& keys, const Tensor& values, const AttentionMask& mask,
                         const Pass& pass) const {
  const Tensor mixed = nn::attend(queries, keys, values, mask, scale_, pass, dropout_);  // [B, heads, T, d]
  return out_proj_->forward(mixed.transpose(1, 2).flatten(2));
}

// ---- SelfAttention ---------------------------------------------------------------------------------------------

SelfAttention::SelfAttention(torch::nn::Module& parent, int64_t width, int64_t heads, double dropout, bool causal)
    : heads_(parent, width, width, heads, dropout), causal_(causal) {}

Tensor SelfAttention::mix(const Tensor& x, const Pass& pass) const {
  // Padding is on the right: a row that looks at none after itself sees none of it.
  const AttentionMask mask = causal_ ? AttentionMask{Tensor(), true} : AttentionMask{pass.keys, false};
  return heads_.attend(heads_.queries(x), heads_.keys(x), heads_.values(x), mask, pass);
}

Tensor SelfAttention::step(const Tensor& x, MixerState* state) const {
  state->keys.append(heads_.keys(x));
  state->values.append(heads_.values(x));
  return heads_.attend(heads_.queries(x), state->keys.rows(), state->values.rows(), AttentionMask(), Pass());
}

}  // namespace litenat::nn
