#include "nn/embedding.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"

namespace litenat::nn {

using torch::Tensor;

namespace {

constexpr int64_t kPadId = 1;
// A learned or sinusoidal position table keeps rows 0 and 1 for padding, as fairseq does.
constexpr int64_t kFirstPositionRow = 2;

}  // namespace

InputEmbedding::InputEmbedding(torch::nn::Module& parent, const graph::EmbeddingSpec& spec, const Place& place,
                               double dropout)
    : spec_(spec),
      path_(place.path),
      scale_(spec.scale ? std::sqrt(static_cast<double>(place.width)) : 1.0),
      dropout_(dropout),
      table_(place.table) {
  const double deviation = 1.0 / std::sqrt(static_cast<double>(place.width));
  if (!table_) table_ = add_module<Embedding>(parent, "embed_tokens", place.vocabulary, spec_.dim, kPadId, deviation);
  const int64_t read = int64_t{spec_.window_left} + 1 + spec_.window_right;
  if (read > 1 || spec_.dim != place.width)
    project_ = add_module<Linear>(parent, "embed_project", read * spec_.dim, place.width);
  if (spec_.positions != graph::Positions::kNone) add_positions(parent, place.width, deviation);
}

void InputEmbedding::add_positions(torch::nn::Module& parent, int64_t width, double deviation) {
  const int64_t rows = spec_.max_positions + kFirstPositionRow;
  if (spec_.positions == graph::Positions::kLearned) {
    positions_ = add_module<Embedding>(parent, "embed_positions", rows, width, kPadId, deviation)->weight;
  } else {
    // A buffer, so that it follows the model to its device; it is no weight: whoever runs the model computes it.
    auto module = add_module<torch::nn::Module>(parent, "embed_positions");
    positions_ = module->register_buffer("weight", sinusoidal_table(rows, width, kPadId));
  }
}

Tensor InputEmbedding::window(const Tensor& x) const {
  const Tensor padded = at::constant_pad_nd(x, {0, 0, spec_.window_left, spec_.window_right});
  std::vector<Tensor> shifted;
  for (int64_t offset = 0; offset <= spec_.window_left + spec_.window_right; ++offset)
    shifted.push_back(padded.narrow(1, offset, x.size(1)));
  return at::cat(shifted, -1);
}

Tensor InputEmbedding::tokens(const Tensor& ids, const Pass& pass) const {
  Tensor x = table_->forward(ids);
  if (scale_ != 1.0) x = x * scale_;
  if (spec_.window_left + spec_.window_right > 0) x = window(pass.keep(x));
  return project_ ? project_->forward(x) : x;
}

void InputEmbedding::reserve_positions(int64_t count) const {
  const int64_t rows = positions_.size(0);
  if (kFirstPositionRow + count <= rows) return;
  if (spec_.positions == graph::Positions::kLearned)
    throw Error(path_ + ".max_positions: a sentence has " + std::to_string(count) + " rows, the table " +
                std::to_string(spec_.max_positions) + "; cut the sentences or raise " + path_ + ".max_positions");
  const Tensor grown = sinusoidal_table(std::max(kFirstPositionRow + count, 2 * rows), positions_.size(1), kPadId);
  // In place: the module's buffer stays the same tensor, and later moves to other devices reach it.
  positions_.set_data(grown.to(positions_.options()));
}

Tensor InputEmbedding::positions(int64_t first, int64_t count) const {
  if (!positions_.defined()) return {};
  reserve_positions(first + count);
  return positions_.narrow(0, kFirstPositionRow + first, count);
}

Tensor InputEmbedding::place(const Tensor& x, int64_t first, const Pass& pass) const {
  const Tensor added = positions(first, x.size(1));
  return pass.drop(added.defined() ? x + added.to(x.scalar_type()) : x, dropout_);
}

}  // namespace litenat::nn
