// The nodes of a graph, one function an operation.
#include <algorithm>

#include "runtime/graph_runner.h"

namespace litenat::runtime {

using graph::Op;

namespace {

void copy_rows(Rows x, int64_t rows, int64_t columns, float* y, int64_t y_stride) {
  for (int64_t row = 0; row < rows; ++row) std::copy_n(x.row(row), columns, y + row * y_stride);
}

void copy_int8(const int8_t* x, int64_t columns, float row_scale, float scale, float* y) {
  for (int64_t c = 0; c < columns; ++c) y[c] = static_cast<float>(x[c]) * row_scale * scale;
}

void copy_table_row(const Model::EmbeddingWeights& table, int64_t row, float scale, float* y) {
  const int64_t columns = table.columns;
  if (table.int8 == nullptr) {
    for (int64_t c = 0; c < columns; ++c) y[c] = table.f32[row * columns + c] * scale;
    return;
  }
  if (!table.is_packed) return copy_int8(table.int8 + row * columns, columns, table.scale[row], scale, y);
  for (int64_t c = 0; c < columns; c += numerics::kGroupDepth)
    copy_int8(table.int8 + numerics::packed_index(row, c, columns),
              std::min<int64_t>(numerics::kGroupDepth, columns - c), table.scale[row], scale, y + c);
}

}  // namespace

Status GraphRunner::run_node(int i) {
  const View& out = view(i);
  switch (node(i).op) {
    case Op::kInput:
    case Op::kSlice:
      return {};
    case Op::kConcat:
      return concat(i);
    case Op::kOutput:
      if (!(view(input(i)) == out)) copy_rows(value(input(i)), rows(i), columns(i), data(out), out.stride);
      return {};
    default:
      return run_rows_node(i, data(out), out.stride);
  }
}

Status GraphRunner::run_rows_node(int i, float* y, int64_t y_stride) {
  switch (node(i).op) {
    case Op::kEmbedding:
      return embed(i, y, y_stride);
    case Op::kPositions:
      return add_positions(i, y, y_stride);
    case Op::kWindow:
      return window(i, y, y_stride);
    case Op::kLinear:
      return linear(i, y, y_stride);
    case Op::kLightConv:
    case Op::kDynamicConv:
      return convolve(i, y, y_stride);
    case Op::kSelfAttention:
      return is_step(i) ? attend_step(i, y, y_stride) : attend(i, y, y_stride);
    case Op::kCrossAttention:
      return attend_source(i, y, y_stride);
    case Op::kMeanPool:
      return mean_pool(i, y, y_stride);
    case Op::kChoose:
      return choose(i, y, y_stride);
    default:
      return elementwise(i, y, y_stride);
  }
}

Status GraphRunner::elementwise(int i, float* y, int64_t y_stride) const {
  const Rows x = value(input(i));
  const int64_t width = columns(i);
  switch (node(i).op) {
    case Op::kLayerNorm:
      kernels_.layer_norm(x.data, x.stride, rows(i), width, network_.weights.first[static_cast<size_t>(i)],
                          network_.weights.second[static_cast<size_t>(i)], node(i).attributes.epsilon, y, y_stride);
      return {};
    case Op::kRelu:
      kernels_.relu(x.data, x.stride, rows(i), width, y, y_stride);
      return {};
    case Op::kGelu:
      kernels_.gelu(x.data, x.stride, rows(i), width, y, y_stride);
      return {};
    case Op::kGlu:
      kernels_.glu(x.data, x.stride, rows(i), width, y, y_stride);
      return {};
    case Op::kAdd: {
      const Rows z = value(input(i, 1));
      kernels_.add(x.data, x.stride, z.data, z.stride, rows(i), width, y, y_stride);
      return {};
    }
    default:
      return internal_error("no way to run '" + node(i).name + "'");
  }
}

Status GraphRunner::embed(int i, float* y, int64_t y_stride) const {
  const Model::EmbeddingWeights& table = network_.weights.tables[static_cast<size_t>(i)];
  const Span<const int32_t> ids = ranges(i).ids;
  for (int64_t row = 0; row < rows(i); ++row)
    copy_table_row(table, ids[static_cast<size_t>(row)], node(i).attributes.scale, y + row * y_stride);
  return {};
}

Status GraphRunner::add_positions(int i, float* y, int64_t y_stride) {
  const RowRanges& ranges = this->ranges(i);
  const int64_t first_position = is_step(i) ? history_->position() : 0;
  const int64_t first_row = node(i).attributes.first_row + first_position;
  const Model::EmbeddingWeights& table = network_.weights.tables[static_cast<size_t>(i)];
  const bool learned = !node(i).weights.empty();
  if (learned && ranges.longest > table.rows - first_row)
    return invalid_argument("a sentence of " + std::to_string(first_position + ranges.longest) +
                            " ids; the model has positions for " +
                            std::to_string(table.rows - node(i).attributes.first_row));
  SinusoidalPositions& sinusoidal = positions_[columns(i)];
  if (!learned) sinusoidal.reserve(first_row + ranges.longest, columns(i));
  for (size_t s = 0; s < ranges.size(); ++s)
    for (int64_t row = ranges.begins[s]; row < ranges.begins[s + 1]; ++row) {
      const int64_t position = first_row + row - ranges.begins[s];
      if (learned)
        copy_table_row(table, position, 1.0f, y + row * y_stride);
      else
        std::copy_n(sinusoidal.row(position, columns(i)), columns(i), y + row * y_stride);
    }
  return {};
}

Status GraphRunner::window(int i, float* y, int64_t y_stride) const {
  const std::vector<int64_t>& begins = ranges(i).begins;
  const Rows x = value(input(i));
  const int64_t width = columns(input(i));
  const int64_t left = node(i).attributes.left;
  const int64_t right = node(i).attributes.right;
  for (size_t s = 0; s + 1 < begins.size(); ++s)
    for (int64_t row = begins[s]; row < begins[s + 1]; ++row) {
      float* out = y + row * y_stride;
      for (int64_t source = row - left; source <= row + right; ++source, out += width) {
        if (source < begins[s] || source >= begins[s + 1])
          std::fill_n(out, width, 0.0f);
        else
          std::copy_n(x.row(source), width, out);
      }
    }
  return {};
}

Status GraphRunner::linear(int i, float* y, int64_t y_stride) {
  const Model::LinearWeights& w = network_.weights.linear[static_cast<size_t>(i)];
  if (products_.run(value(input(i)), rows(i), input(i), w, y, y_stride)) return {};
  return not_finite(input(i));
}

Status GraphRunner::convolve(int i, float* y, int64_t y_stride) {
  const graph::Attributes& a = node(i).attributes;
  const Rows x = value(input(i));
  const float* taps = network_.weights.first[static_cast<size_t>(i)];
  int64_t taps_stride = 0;
  if (node(i).op == Op::kDynamicConv) {
    const Rows logits = value(input(i, 1));
    const View& normalised = plan_.temporaries[static_cast<size_t>(i)];
    kernels_.softmax_groups(logits.data, logits.stride, rows(i), a.heads, a.kernel, data(normalised),
                            normalised.stride);
    taps = data(normalised);
    taps_stride = normalised.stride;
  }
  if (is_step(i)) {
    convolve_step(i, taps, taps_stride, y, y_stride);
    return {};
  }
  const std::vector<int64_t>& begins = ranges(i).begins;
  for (size_t s = 0; s + 1 < begins.size(); ++s)
    kernels_.conv(x.row(begins[s]), x.stride, begins[s + 1] - begins[s], columns(i), taps + begins[s] * taps_stride,
                  taps_stride, a.heads, a.kernel, a.pad_left, y + begins[s] * y_stride, y_stride);
  return {};
}

/// The last taps meet the last inputs, as many as there are; the others would meet zeros.
void GraphRunner::convolve_step(int i, const float* taps, int64_t taps_stride, float* y, int64_t y_stride) {
  const graph::Attributes& a = node(i).attributes;
  const Rows x = value(input(i));
  const int64_t offset = history_offsets_[static_cast<size_t>(i)];
  const int64_t known = history_->position() + 1;
  const int64_t count = std::min<int64_t>(a.kernel, known);
  for (int64_t row = 0; row < rows(i); ++row) {
    std::copy_n(x.row(row), columns(i), history_->record(row) + offset);
    kernels_.sum_heads(history_->records(row) + known - count, offset, count,
                       taps + row * taps_stride + a.kernel - count, a.kernel, a.heads, columns(i) / a.heads,
                       y + row * y_stride);
  }
}

Status GraphRunner::attend(int i, float* y, int64_t y_stride) {
  const graph::Attributes& a = node(i).attributes;
  const std::vector<int64_t>& begins = ranges(i).begins;
  for (size_t s = 0; s + 1 < begins.size(); ++s) {
    Rows operands[3];
    for (size_t which = 0; which < 3; ++which) {
      const Rows all = value(input(i, which));
      operands[which] = {all.row(begins[s]), all.stride};
    }
    LITENAT_RETURN_IF_ERROR(attention_.attend_sentence(kernels_, operands[0], operands[1], operands[2],
                                                       begins[s + 1] - begins[s], columns(i), a.heads, a.causal,
                                                       y + begins[s] * y_stride, y_stride));
  }
  return {};
}

Status GraphRunner::attend_step(int i, float* y, int64_t y_stride) {
  const Rows q = value(input(i));
  const Rows k = value(input(i, 1));
  const Rows v = value(input(i, 2));
  const int64_t key_offset = history_offsets_[static_cast<size_t>(i)];
  const int64_t value_offset = key_offset + columns(i);
  for (int64_t row = 0; row < rows(i); ++row) {
    std::copy_n(k.row(row), columns(i), history_->record(row) + key_offset);
    std::copy_n(v.row(row), columns(i), history_->record(row) + value_offset);
    LITENAT_RETURN_IF_ERROR(attention_.attend_row(
        kernels_, q.row(row), {history_->records(row), key_offset, value_offset, history_->position() + 1}, columns(i),
        node(i).attributes.heads, y + row * y_stride));
  }
  return {};
}

/// Neighbouring items of one sentence share a product.
Status GraphRunner::attend_source(int i, float* y, int64_t y_stride) {
  const graph::Attributes& a = node(i).attributes;
  const Rows q = value(input(i));
  const RowRanges& target = ranges(i);
  for (size_t first = 0, end = 0; first < target.size(); first = end) {
    const int32_t sentence = target.sentences[first];
    while (end < target.size() && target.sentences[end] == sentence) ++end;
    const int64_t begin = target.begins[first];
    const PackedMemory& memory = memories_[static_cast<size_t>(i)].sentences[static_cast<size_t>(sentence)];
    LITENAT_RETURN_IF_ERROR(attention_.attend(kernels_, {q.row(begin), q.stride}, target.begins[end] - begin, memory,
                                              a.heads, a.scale, y + begin * y_stride, y_stride));
  }
  return {};
}

Status GraphRunner::mean_pool(int i, float* y, int64_t y_stride) const {
  const Rows x = value(input(i));
  const std::vector<int64_t>& begins = ranges(input(i)).begins;
  for (size_t s = 0; s + 1 < begins.size(); ++s, y += y_stride) {
    std::copy_n(x.row(begins[s]), columns(i), y);
    for (int64_t row = begins[s] + 1; row < begins[s + 1]; ++row)
      kernels_.add(y, y_stride, x.row(row), x.stride, 1, columns(i), y, y_stride);
    const float length = static_cast<float>(begins[s + 1] - begins[s]);
    for (int64_t c = 0; c < columns(i); ++c) y[c] /= length;
  }
  return {};
}

Status GraphRunner::choose(int i, float* y, int64_t y_stride) const {
  const Span<const int32_t> ids = ranges(i).ids;
  const Rows x = value(input(i, 1));
  const Rows other = value(input(i, 2));
  for (int64_t row = 0; row < rows(i); ++row) {
    const bool chosen = ids[static_cast<size_t>(row)] == node(i).attributes.token;
    std::copy_n((chosen ? x : other).row(row), columns(i), y + row * y_stride);
  }
  return {};
}

Status GraphRunner::concat(int i) const {
  View part = view(i);
  for (const int source : node(i).inputs) {
    if (!(view(source) == part)) copy_rows(value(source), rows(i), columns(source), data(part), part.stride);
    part.offset += columns(source);
  }
  return {};
}

}  // namespace litenat::runtime
