// The layers of a model written straight from their descriptions: double precision, plain loops, one sentence, no
// graph and no kernel. The executors are tested against models made of them.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "graph/model_spec.h"
#include "runtime/testing/random_model.h"

namespace litenat::runtime::testing {

using Row = std::vector<double>;
using Matrix = std::vector<Row>;

class NaiveLayers {
 protected:
  explicit NaiveLayers(const RandomWeights& weights) : weights_(weights) {}

  double at(const std::string& name, size_t row, size_t column) const {
    const RandomTensor& tensor = weights_.at(name);
    return static_cast<double>(tensor.values.at(row * static_cast<size_t>(tensor.shape.back()) + column));
  }
  bool has(const std::string& name) const { return weights_.count(name) != 0; }

  Matrix linear(const std::string& name, const Matrix& x) const {
    const size_t n = static_cast<size_t>(weights_.at(name + ".weight").shape[0]);
    Matrix y(x.size(), Row(n));
    for (size_t t = 0; t < x.size(); ++t)
      for (size_t i = 0; i < n; ++i) {
        y[t][i] = has(name + ".bias") ? at(name + ".bias", 0, i) : 0.0;
        for (size_t k = 0; k < x[t].size(); ++k) y[t][i] += at(name + ".weight", i, k) * x[t][k];
      }
    return y;
  }

  Matrix layer_norm(const std::string& name, Matrix x) const {
    for (Row& row : x) {
      double mean = 0;
      double variance = 0;
      for (const double value : row) mean += value / static_cast<double>(row.size());
      for (const double value : row) variance += (value - mean) * (value - mean) / static_cast<double>(row.size());
      for (size_t c = 0; c < row.size(); ++c)
        row[c] = (row[c] - mean) / std::sqrt(variance + 1e-5) * at(name + ".weight", 0, c) + at(name + ".bias", 0, c);
    }
    return x;
  }

  static Matrix glu(const Matrix& x) {
    Matrix y;
    for (const Row& row : x) {
      Row out(row.size() / 2);
      for (size_t c = 0; c < out.size(); ++c) out[c] = row[c] / (1 + std::exp(-row[c + out.size()]));
      y.push_back(out);
    }
    return y;
  }

  static Row softmax(Row x) {
    double largest = -INFINITY;
    double sum = 0;
    for (const double value : x) largest = std::max(largest, value);
    for (double& value : x) sum += value = std::exp(value - largest);
    for (double& value : x) value /= sum;
    return x;
  }

  /// The taps of row t for head h.
  Row taps(const std::string& prefix, const graph::ConvSpec& conv, const Matrix& logits, size_t t, size_t h) const {
    const size_t kernel = static_cast<size_t>(conv.kernel);
    Row result(kernel);
    for (size_t k = 0; k < kernel; ++k)
      result[k] = logits.empty() ? at(prefix + ".weight", h, k) : logits[t][h * kernel + k];
    return logits.empty() ? result : softmax(result);
  }

  Matrix mix(const std::string& prefix, const graph::ConvSpec& conv, const Matrix& x) const {
    const Matrix logits = conv.kind == graph::ConvKind::kDynamic ? linear(prefix + ".weight_linear", x) : Matrix();
    const size_t channels = x[0].size();
    Matrix y(x.size(), Row(channels));
    for (size_t t = 0; t < x.size(); ++t)
      for (size_t c = 0; c < channels; ++c) {
        const Row w = taps(prefix, conv, logits, t, c / (channels / static_cast<size_t>(conv.heads)));
        for (int k = 0; k < conv.kernel; ++k) {
          const int source = static_cast<int>(t) + k - conv.pad_left();
          if (source >= 0 && source < static_cast<int>(x.size()))
            y[t][c] += w[static_cast<size_t>(k)] * x[static_cast<size_t>(source)][c];
        }
      }
    return y;
  }

  Matrix convolution(const std::string& layer, const graph::ConvSpec& conv, const Matrix& x) const {
    Matrix h = linear(layer + ".linear1", x);
    if (conv.gated_input) h = glu(h);
    if (conv.inner_linear) h = linear(layer + ".conv.linear1", h);
    if (conv.inner_linear && conv.inner_glu) h = glu(h);
    h = mix(layer + ".conv", conv, h);
    if (conv.inner_linear) h = linear(layer + ".conv.linear2", h);
    return linear(layer + ".linear2", h);
  }

  /// softmax(scale q k^T) v head by head; causal: row t sees rows 0 .. t.
  static Matrix attend(const Matrix& q, const Matrix& k, const Matrix& v, int heads, double scale, bool causal) {
    const size_t width = q[0].size() / static_cast<size_t>(heads);
    Matrix y(q.size(), Row(q[0].size()));
    for (size_t first = 0; first < q[0].size(); first += width)
      for (size_t t = 0; t < q.size(); ++t) {
        Row scores(causal ? t + 1 : k.size());
        for (size_t s = 0; s < scores.size(); ++s)
          for (size_t c = first; c < first + width; ++c) scores[s] += q[t][c] * k[s][c] * scale;
        scores = softmax(scores);
        for (size_t s = 0; s < scores.size(); ++s)
          for (size_t c = first; c < first + width; ++c) y[t][c] += scores[s] * v[s][c];
      }
    return y;
  }

  /// Attention of x over `memory` (x itself: self-attention).
  Matrix attention(const std::string& prefix, int heads, const Matrix& x, const Matrix& memory, bool causal) const {
    const double scale = 1 / std::sqrt(static_cast<double>(x[0].size()) / heads);
    return linear(prefix + ".out_proj", attend(linear(prefix + ".q_proj", x), linear(prefix + ".k_proj", memory),
                                               linear(prefix + ".v_proj", memory), heads, scale, causal));
  }

  static Matrix columns(const Matrix& x, size_t begin, size_t end) {
    Matrix y;
    for (const Row& row : x)
      y.emplace_back(row.begin() + static_cast<int64_t>(begin), row.begin() + static_cast<int64_t>(end));
    return y;
  }

  Matrix lsra(const std::string& prefix, const graph::BlockSpec& block, const Matrix& x, bool causal) const {
    const size_t split = static_cast<size_t>(block.attention.dim);
    const std::string second = prefix + ".branches.1";
    const Matrix left = columns(x, 0, split);
    Matrix y = attention(prefix + ".branches.0", block.attention.heads, left, left, causal);
    Matrix h = linear(second + ".linear1", columns(x, split, x[0].size()));
    if (block.conv.gated_input) h = glu(h);
    h = linear(second + ".linear2", mix(second, block.conv, h));
    for (size_t t = 0; t < y.size(); ++t) y[t].insert(y[t].end(), h[t].begin(), h[t].end());
    return y;
  }

  Matrix mixing(const std::string& layer, const graph::BlockSpec& block, const Matrix& x, bool causal) const {
    if (block.kind == graph::BlockKind::kConv) return convolution(layer, block.conv, x);
    if (block.kind == graph::BlockKind::kLsra) return lsra(layer + ".self_attn", block, x, causal);
    return attention(layer + ".self_attn", block.attention.heads, x, x, causal);
  }

  Matrix feed_forward(const std::string& layer, const graph::BlockSpec& block, const Matrix& x) const {
    Matrix h = linear(layer + ".fc1", x);
    for (Row& row : h)
      for (double& value : row)
        value = block.activation == graph::Activation::kRelu ? std::max(value, 0.0)
                                                             : value * 0.5 * std::erfc(-value / std::sqrt(2.0));
    return linear(layer + ".fc2", h);
  }

  static Matrix sum(Matrix x, const Matrix& y) {
    for (size_t t = 0; t < x.size(); ++t)
      for (size_t c = 0; c < x[t].size(); ++c) x[t][c] += y[t][c];
    return x;
  }

  /// x + f(LN(x)) or LN(x + f(x)).
  template <typename SubLayer>
  Matrix residual(const std::string& norm, bool pre_norm, const Matrix& x, const SubLayer& f) const {
    if (pre_norm) return sum(x, f(layer_norm(norm, x)));
    return layer_norm(norm, sum(x, f(x)));
  }

  /// The rows of `table` that stand for ids, projected where `prefix` has a projection.
  Matrix embed(const graph::EmbeddingSpec& spec, const std::string& prefix, const std::string& table, int dim,
               const std::vector<int32_t>& ids) const {
    const size_t width = static_cast<size_t>(spec.dim);
    Matrix x(ids.size(), Row(width));
    for (size_t t = 0; t < ids.size(); ++t)
      for (size_t c = 0; c < width; ++c)
        x[t][c] = at(table, static_cast<size_t>(ids[t]), c) * (spec.scale ? std::sqrt(static_cast<double>(dim)) : 1.0);
    if (!has(prefix + ".embed_project.weight")) return x;
    Matrix wide(ids.size());
    for (int t = 0; t < static_cast<int>(ids.size()); ++t)
      for (int s = t - spec.window_left; s <= t + spec.window_right; ++s) {
        const bool inside = s >= 0 && s < static_cast<int>(ids.size());
        const Row part = inside ? x[static_cast<size_t>(s)] : Row(width);
        wide[static_cast<size_t>(t)].insert(wide[static_cast<size_t>(t)].end(), part.begin(), part.end());
      }
    return linear(prefix + ".embed_project", wide);
  }

  /// Positions of `rows` rows.
  Matrix positions(const graph::EmbeddingSpec& spec, const std::string& prefix, int dim, size_t rows) const {
    Matrix p(rows, Row(static_cast<size_t>(dim)));
    const size_t half = static_cast<size_t>(dim) / 2;
    for (size_t t = 0; t < rows; ++t)
      for (size_t c = 0; c < p[t].size(); ++c) {
        if (spec.positions == graph::Positions::kLearned) p[t][c] = at(prefix + ".embed_positions.weight", t + 2, c);
        if (spec.positions != graph::Positions::kSinusoidal || c >= 2 * half) continue;
        const double frequency =
            std::exp(-static_cast<double>(c % half) * std::log(10000.0) / (static_cast<double>(half) - 1));
        const double angle = static_cast<double>(t + 2) * frequency;
        p[t][c] = c < half ? std::sin(angle) : std::cos(angle);
      }
    return p;
  }

  Matrix encode(const graph::ModelSpec& spec, Matrix x) const {
    for (size_t i = 0; i < spec.encoder.blocks.size(); ++i) {
      const graph::BlockSpec& block = spec.encoder.blocks[i];
      const std::string layer = "encoder.layers." + std::to_string(i);
      x = residual(layer + ".layer_norms.0", spec.encoder.pre_norm, x,
                   [&](const Matrix& h) { return mixing(layer, block, h, false); });
      if (block.ffn_dim > 0)
        x = residual(layer + ".layer_norms.1", spec.encoder.pre_norm, x,
                     [&](const Matrix& h) { return feed_forward(layer, block, h); });
    }
    return spec.encoder.pre_norm ? layer_norm("encoder.layer_norm", x) : x;
  }

  const RandomWeights& weights_;
};

}  // namespace litenat::runtime::testing
