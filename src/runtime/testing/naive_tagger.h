// A tagger written straight from its description: double precision, plain loops, one sentence, no graph and no
// kernel. The executor is tested against it.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "graph/model_spec.h"
#include "runtime/testing/random_model.h"

namespace litenat::runtime::testing {

using Row = std::vector<double>;
using Matrix = std::vector<Row>;

class NaiveTagger {
 public:
  /// `spec` is resolved.
  NaiveTagger(graph::ModelSpec spec, const RandomWeights& weights) : spec_(std::move(spec)), weights_(weights) {}

  Matrix emissions(const std::vector<int32_t>& ids) const {
    Matrix x = encode(ids);
    if (spec_.head.dim != spec_.dim) x = linear("head.project", x);
    return linear("head.output", x);
  }
  Matrix boundary(const std::vector<int32_t>& ids) const { return linear("head.boundary", encode(ids)); }

 private:
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

  Matrix attention(const std::string& prefix, int heads, const Matrix& x) const {
    const Matrix q = linear(prefix + ".q_proj", x);
    const Matrix k = linear(prefix + ".k_proj", x);
    const Matrix v = linear(prefix + ".v_proj", x);
    const size_t width = x[0].size() / static_cast<size_t>(heads);
    Matrix y(x.size(), Row(x[0].size()));
    for (size_t first = 0; first < x[0].size(); first += width)
      for (size_t t = 0; t < x.size(); ++t) {
        Row scores(x.size());
        for (size_t s = 0; s < x.size(); ++s)
          for (size_t c = first; c < first + width; ++c)
            scores[s] += q[t][c] * k[s][c] / std::sqrt(static_cast<double>(width));
        scores = softmax(scores);
        for (size_t s = 0; s < x.size(); ++s)
          for (size_t c = first; c < first + width; ++c) y[t][c] += scores[s] * v[s][c];
      }
    return linear(prefix + ".out_proj", y);
  }

  static Matrix columns(const Matrix& x, size_t begin, size_t end) {
    Matrix y;
    for (const Row& row : x)
      y.emplace_back(row.begin() + static_cast<int64_t>(begin), row.begin() + static_cast<int64_t>(end));
    return y;
  }

  Matrix lsra(const std::string& prefix, const graph::BlockSpec& block, const Matrix& x) const {
    const size_t split = static_cast<size_t>(block.attention.dim);
    const std::string second = prefix + ".branches.1";
    Matrix y = attention(prefix + ".branches.0", block.attention.heads, columns(x, 0, split));
    Matrix h = linear(second + ".linear1", columns(x, split, x[0].size()));
    if (block.conv.gated_input) h = glu(h);
    h = linear(second + ".linear2", mix(second, block.conv, h));
    for (size_t t = 0; t < y.size(); ++t) y[t].insert(y[t].end(), h[t].begin(), h[t].end());
    return y;
  }

  Matrix mixing(const std::string& layer, const graph::BlockSpec& block, const Matrix& x) const {
    if (block.kind == graph::BlockKind::kConv) return convolution(layer, block.conv, x);
    if (block.kind == graph::BlockKind::kLsra) return lsra(layer + ".self_attn", block, x);
    return attention(layer + ".self_attn", block.attention.heads, x);
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

  Matrix block(size_t i, Matrix x) const {
    const graph::BlockSpec& block = spec_.encoder.blocks[i];
    const std::string layer = "encoder.layers." + std::to_string(i);
    const std::string norm0 = layer + ".layer_norms.0";
    const std::string norm1 = layer + ".layer_norms.1";
    if (spec_.encoder.pre_norm) {
      x = sum(x, mixing(layer, block, layer_norm(norm0, x)));
      return block.ffn_dim == 0 ? x : sum(x, feed_forward(layer, block, layer_norm(norm1, x)));
    }
    x = layer_norm(norm0, sum(x, mixing(layer, block, x)));
    return block.ffn_dim == 0 ? x : layer_norm(norm1, sum(x, feed_forward(layer, block, x)));
  }

  Matrix embed(const std::vector<int32_t>& ids) const {
    const size_t width = static_cast<size_t>(spec_.embedding.dim);
    Matrix x(ids.size(), Row(width));
    for (size_t t = 0; t < ids.size(); ++t)
      for (size_t c = 0; c < width; ++c)
        x[t][c] = at("encoder.embed_tokens.weight", static_cast<size_t>(ids[t]), c) *
                  (spec_.embedding.scale ? std::sqrt(static_cast<double>(spec_.dim)) : 1.0);
    if (!has("encoder.embed_project.weight")) return x;
    Matrix wide(ids.size());
    for (int t = 0; t < static_cast<int>(ids.size()); ++t)
      for (int s = t - spec_.embedding.window_left; s <= t + spec_.embedding.window_right; ++s) {
        const bool inside = s >= 0 && s < static_cast<int>(ids.size());
        const Row part = inside ? x[static_cast<size_t>(s)] : Row(width);
        wide[static_cast<size_t>(t)].insert(wide[static_cast<size_t>(t)].end(), part.begin(), part.end());
      }
    return linear("encoder.embed_project", wide);
  }

  double position(size_t t, size_t c) const {
    if (spec_.embedding.positions == graph::Positions::kLearned) return at("encoder.embed_positions.weight", t + 2, c);
    const size_t half = static_cast<size_t>(spec_.dim) / 2;
    if (c >= 2 * half) return 0;
    const double frequency =
        std::exp(-static_cast<double>(c % half) * std::log(10000.0) / (static_cast<double>(half) - 1));
    const double angle = static_cast<double>(t + 2) * frequency;
    return c < half ? std::sin(angle) : std::cos(angle);
  }

  Matrix encode(const std::vector<int32_t>& ids) const {
    Matrix x = embed(ids);
    if (spec_.embedding.positions != graph::Positions::kNone)
      for (size_t t = 0; t < x.size(); ++t)
        for (size_t c = 0; c < x[t].size(); ++c) x[t][c] += position(t, c);
    for (size_t i = 0; i < spec_.encoder.blocks.size(); ++i) x = block(i, x);
    return spec_.encoder.pre_norm ? layer_norm("encoder.layer_norm", x) : x;
  }

  graph::ModelSpec spec_;
  const RandomWeights& weights_;
};

}  // namespace litenat::runtime::testing
