#include "runtime/executor.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "runtime/attention.h"
#include "runtime/plan.h"
#include "runtime/positions.h"
#include "runtime/thread_pool.h"
#include "runtime/weights.h"

namespace litenat::runtime {
namespace {

using graph::Node;
using graph::Op;

constexpr double kParallelProduct = 4e6;  // multiply-adds below which waking threads costs more than it saves
constexpr int64_t kMaxRows = 1 << 24;     // keeps rows * columns of any checked graph inside 63 bits

bool is_finite(const float* x, int64_t size) {
  uint32_t bad = 0;
  for (int64_t i = 0; i < size; ++i) {
    uint32_t bits;
    std::memcpy(&bits, x + i, sizeof(bits));
    bad |= (bits & 0x7f800000u) == 0x7f800000u ? 1u : 0u;
  }
  return bad == 0;
}

void copy_rows(Rows x, int64_t rows, int64_t columns, float* y, int64_t y_stride) {
  for (int64_t row = 0; row < rows; ++row) std::copy_n(x.data + row * x.stride, columns, y + row * y_stride);
}

}  // namespace

class Executor::Impl {
 public:
  Impl(std::shared_ptr<const Model> model, const kernels::Kernels* kernels, std::unique_ptr<ThreadPool> threads)
      : model_(std::move(model)),
        graph_(model_->graph()),
        kernels_(*kernels),
        plan_(make_plan(graph_)),
        threads_(std::move(threads)) {
    for (const Model::LinearWeights& linear : model_->weights().linear)
      if (linear.is_int8) quantized_stride_ = std::max(quantized_stride_, numerics::padded_depth(linear.k));
    slot_offsets_.resize(plan_.slot_columns.size());
  }

  Result<Output> run(Span<const int32_t> ids, Span<const int32_t> lengths) {
    LITENAT_RETURN_IF_ERROR(check_input(ids, lengths));
    LITENAT_RETURN_IF_ERROR(reserve());
    quantized_node_ = -1;
    for (size_t i = 0; i < graph_.nodes.size() && rows_ > 0; ++i) {
      LITENAT_RETURN_IF_ERROR(run_node(static_cast<int>(i)));
      if (observer_) observe(static_cast<int>(i));
    }
    Output output;
    LITENAT_RETURN_IF_ERROR(find_output(graph::kEmissions, &output.emissions));
    LITENAT_RETURN_IF_ERROR(find_output(graph::kBoundary, &output.boundary));
    return output;
  }

  const Model& model() const { return *model_; }
  void set_observer(Observer observer) { observer_ = std::move(observer); }

 private:
  // ---- before a run

  Status check_input(Span<const int32_t> ids, Span<const int32_t> lengths) {
    if (ids.size() > static_cast<size_t>(kMaxRows))
      return invalid_argument("expected at most " + std::to_string(kMaxRows) + " ids, found " +
                              std::to_string(ids.size()));
    const int64_t vocabulary = model_->spec().source_vocabulary;
    for (size_t i = 0; i < ids.size(); ++i)
      if (ids[i] < 0 || ids[i] >= vocabulary)
        return invalid_argument("id " + std::to_string(ids[i]) + " at position " + std::to_string(i) +
                                ": expected 0 to " + std::to_string(vocabulary - 1));
    LITENAT_RETURN_IF_ERROR(set_sentences(lengths));
    if (rows_ != static_cast<int64_t>(ids.size()))
      return invalid_argument("the lengths add up to " + std::to_string(rows_) + ", but there are " +
                              std::to_string(ids.size()) + " ids");
    ids_ = ids;
    return {};
  }

  Status set_sentences(Span<const int32_t> lengths) {
    begins_.assign(1, 0);
    longest_ = 0;
    for (const int32_t length : lengths) {
      if (length <= 0) return invalid_argument("a sentence of " + std::to_string(length) + " ids");
      longest_ = std::max<int64_t>(longest_, length);
      begins_.push_back(begins_.back() + length);
    }
    rows_ = begins_.back();
    return {};
  }

  Status reserve() {
    int64_t size = 0;
    if (__builtin_mul_overflow(rows_, plan_.total_columns(), &size))
      return {StatusCode::kOutOfMemory, std::to_string(rows_) + " rows are too many for this model"};
    LITENAT_RETURN_IF_ERROR(arena_.reserve(size));
    int64_t offset = 0;
    for (size_t slot = 0; slot < slot_offsets_.size(); ++slot) {
      slot_offsets_[slot] = offset;
      offset += rows_ * plan_.slot_columns[slot];
    }
    LITENAT_RETURN_IF_ERROR(quantized_.reserve(rows_ * quantized_stride_));
    return row_quantization_.reserve(quantized_stride_ == 0 ? 0 : rows_);
  }

  // ---- values

  float* data(const View& view) const {
    return arena_.data() + slot_offsets_[static_cast<size_t>(view.slot)] + view.offset;
  }
  const View& view(int node) const { return plan_.values[static_cast<size_t>(node)]; }
  Rows value(int node) const { return {data(view(node)), view(node).stride}; }
  const Node& node(int i) const { return graph_.nodes[static_cast<size_t>(i)]; }
  int64_t columns(int i) const { return node(i).type.columns; }
  int input(int i, size_t which = 0) const { return node(i).inputs[which]; }

  /// An output's rows, which must be finite: what follows sorts them.
  Status find_output(const char* name, Span<const float>* out) const {
    const int i = graph_.find_output(name);
    if (i < 0 || rows_ == 0) return {};
    *out = {value(i).data, static_cast<size_t>(rows_ * columns(i))};
    if (is_finite(out->data(), rows_ * columns(i))) return {};
    return not_finite(i);
  }

  Status not_finite(int i) const {
    return corrupt(model_->container().name() + ": '" + node(i).name +
                   "' has values that are not finite; the model's weights are too large");
  }

  // ---- nodes

  Status run_node(int i) {
    const View& out = view(i);
    switch (node(i).op) {
      case Op::kInput:
      case Op::kSlice:
        return {};
      case Op::kEmbedding:
        return embed(i, data(out), out.stride);
      case Op::kPositions:
        return add_positions(i, data(out), out.stride);
      case Op::kWindow:
        return window(i, data(out), out.stride);
      case Op::kLinear:
        return linear(i, data(out), out.stride);
      case Op::kLightConv:
      case Op::kDynamicConv:
        return convolve(i, data(out), out.stride);
      case Op::kSelfAttention:
        return attend(i, data(out), out.stride);
      case Op::kConcat:
        return concat(i);
      case Op::kOutput:
        if (!(view(input(i)) == out)) copy_rows(value(input(i)), rows_, columns(i), data(out), out.stride);
        return {};
      default:
        return elementwise(i, data(out), out.stride);
    }
  }

  Status elementwise(int i, float* y, int64_t y_stride) {
    const Rows x = value(input(i));
    const int64_t width = columns(i);
    const Model::Weights& weights = model_->weights();
    switch (node(i).op) {
      case Op::kLayerNorm:
        kernels_.layer_norm(x.data, x.stride, rows_, width, weights.first[static_cast<size_t>(i)],
                            weights.second[static_cast<size_t>(i)], node(i).attributes.epsilon, y, y_stride);
        return {};
      case Op::kRelu:
        kernels_.relu(x.data, x.stride, rows_, width, y, y_stride);
        return {};
      case Op::kGelu:
        kernels_.gelu(x.data, x.stride, rows_, width, y, y_stride);
        return {};
      case Op::kGlu:
        kernels_.glu(x.data, x.stride, rows_, width, y, y_stride);
        return {};
      case Op::kAdd: {
        const Rows z = value(input(i, 1));
        kernels_.add(x.data, x.stride, z.data, z.stride, rows_, width, y, y_stride);
        return {};
      }
      default:
        return internal_error("no way to run '" + node(i).name + "'");
    }
  }

  Status embed(int i, float* y, int64_t y_stride) {
    const Model::EmbeddingWeights& table = model_->weights().tables[static_cast<size_t>(i)];
    for (int64_t row = 0; row < rows_; ++row)
      copy_table_row(table, ids_[static_cast<size_t>(row)], node(i).attributes.scale, y + row * y_stride);
    return {};
  }

  static void copy_table_row(const Model::EmbeddingWeights& table, int64_t row, float scale, float* y) {
    const int64_t first = row * table.columns;
    if (table.int8 == nullptr) {
      for (int64_t c = 0; c < table.columns; ++c) y[c] = table.f32[first + c] * scale;
      return;
    }
    const float row_scale = table.scale[row];
    for (int64_t c = 0; c < table.columns; ++c) y[c] = static_cast<float>(table.int8[first + c]) * row_scale * scale;
  }

  Status add_positions(int i, float* y, int64_t y_stride) {
    const int64_t first_row = node(i).attributes.first_row;
    const Model::EmbeddingWeights& table = model_->weights().tables[static_cast<size_t>(i)];
    const bool learned = !node(i).weights.empty();
    if (learned && longest_ > table.rows - first_row)
      return invalid_argument("a sentence of " + std::to_string(longest_) + " ids; the model has positions for " +
                              std::to_string(table.rows - first_row));
    if (!learned) positions_.reserve(first_row + longest_, columns(i));
    for (size_t s = 0; s + 1 < begins_.size(); ++s)
      for (int64_t row = begins_[s]; row < begins_[s + 1]; ++row) {
        const int64_t position = first_row + row - begins_[s];
        if (learned)
          copy_table_row(table, position, 1.0f, y + row * y_stride);
        else
          std::copy_n(positions_.row(position, columns(i)), columns(i), y + row * y_stride);
      }
    return {};
  }

  Status window(int i, float* y, int64_t y_stride) {
    const Rows x = value(input(i));
    const int64_t width = columns(input(i));
    const int64_t left = node(i).attributes.left;
    const int64_t right = node(i).attributes.right;
    for (size_t s = 0; s + 1 < begins_.size(); ++s)
      for (int64_t row = begins_[s]; row < begins_[s + 1]; ++row) {
        float* out = y + row * y_stride;
        for (int64_t source = row - left; source <= row + right; ++source, out += width) {
          if (source < begins_[s] || source >= begins_[s + 1])
            std::fill_n(out, width, 0.0f);
          else
            std::copy_n(x.data + source * x.stride, width, out);
        }
      }
    return {};
  }

  Status linear(int i, float* y, int64_t y_stride) {
    const Model::LinearWeights& w = model_->weights().linear[static_cast<size_t>(i)];
    if (w.is_int8) LITENAT_RETURN_IF_ERROR(quantize(input(i), w));
    const Rows x = value(input(i));
    const int64_t panels = numerics::padded_columns(w.n) / numerics::kPanelColumns;
    const bool worth_it = static_cast<double>(rows_) * static_cast<double>(w.n * w.k) >= kParallelProduct;
    const int64_t parts = worth_it ? std::min<int64_t>(threads_->num_threads(), panels) : 1;
    threads_->run(static_cast<int>(parts), [&](int part) {
      const int64_t first = panels * part / parts * numerics::kPanelColumns;
      const int64_t end = std::min(w.n, panels * (part + 1) / parts * numerics::kPanelColumns);
      multiply(x, w, first, end - first, y + first, y_stride);
    });
    return {};
  }

  /// Columns [first, first + count) of a product; `first` is the beginning of a panel.
  void multiply(Rows x, const Model::LinearWeights& w, int64_t first, int64_t count, float* y, int64_t y_stride) const {
    if (!w.is_int8) {
      const float* bias = w.bias == nullptr ? nullptr : w.bias + first;
      kernels_.gemm_f32(x.data, x.stride, rows_, w.k, w.packed.data() + first * w.k, count, bias, y, y_stride);
      return;
    }
    kernels::PackedWeights part = w.int8;
    part.packed += first * numerics::padded_depth(w.k);
    part.scale += first;
    part.column_sum += first;
    if (part.bias != nullptr) part.bias += first;
    part.n = count;
    kernels_.gemm_u8s8_f32(quantized_.data(), numerics::padded_depth(w.k), row_quantization_.data(), rows_, part, y,
                           y_stride);
  }

  /// Quantises the value of node x as the product with w wants it, unless the last product has done just that.
  Status quantize(int x, const Model::LinearWeights& w) {
    const numerics::ActivationQuantization pair = w.is_static ? w.input : numerics::ActivationQuantization{};
    if (quantized_node_ == x && quantized_static_ == w.is_static && quantized_input_.scale == pair.scale &&
        quantized_input_.zero == pair.zero)
      return {};
    const Rows value = this->value(x);
    for (int64_t row = 0; row < rows_; ++row)
      if (!is_finite(value.data + row * value.stride, w.k)) return not_finite(x);
    const int64_t stride = numerics::padded_depth(w.k);
    if (w.is_static)
      kernels_.quantize_rows_static(value.data, value.stride, rows_, w.k, pair, quantized_.data(), stride,
                                    row_quantization_.data());
    else
      kernels_.quantize_rows_dynamic(value.data, value.stride, rows_, w.k, quantized_.data(), stride,
                                     row_quantization_.data());
    quantized_node_ = x;
    quantized_static_ = w.is_static;
    quantized_input_ = pair;
    return {};
  }

  Status convolve(int i, float* y, int64_t y_stride) {
    const graph::Attributes& a = node(i).attributes;
    const Rows x = value(input(i));
    const float* taps = model_->weights().first[static_cast<size_t>(i)];
    int64_t taps_stride = 0;
    if (node(i).op == Op::kDynamicConv) {
      const Rows logits = value(input(i, 1));
      const View& normalised = plan_.temporaries[static_cast<size_t>(i)];
      kernels_.softmax_groups(logits.data, logits.stride, rows_, a.heads, a.kernel, data(normalised),
                              normalised.stride);
      taps = data(normalised);
      taps_stride = normalised.stride;
    }
    for (size_t s = 0; s + 1 < begins_.size(); ++s) {
      const int64_t begin = begins_[s];
      kernels_.conv(x.data + begin * x.stride, x.stride, begins_[s + 1] - begin, columns(i), taps + begin * taps_stride,
                    taps_stride, a.heads, a.kernel, a.pad_left, y + begin * y_stride, y_stride);
    }
    return {};
  }

  Status attend(int i, float* y, int64_t y_stride) {
    const graph::Attributes& a = node(i).attributes;
    for (size_t s = 0; s + 1 < begins_.size(); ++s) {
      const int64_t begin = begins_[s];
      Rows operands[3];
      for (size_t which = 0; which < 3; ++which) {
        operands[which] = value(input(i, which));
        operands[which].data += begin * operands[which].stride;
      }
      LITENAT_RETURN_IF_ERROR(attention_.run(kernels_, operands[0], operands[1], operands[2], begins_[s + 1] - begin,
                                             columns(i), a.heads, a.causal, y + begin * y_stride, y_stride));
    }
    return {};
  }

  Status concat(int i) {
    View part = view(i);
    for (const int source : node(i).inputs) {
      if (!(view(source) == part)) copy_rows(value(source), rows_, columns(source), data(part), part.stride);
      part.offset += columns(source);
    }
    return {};
  }

  void observe(int i) {
    if (node(i).op == Op::kInput) return;
    observed_.resize(static_cast<size_t>(rows_ * columns(i)));
    copy_rows(value(i), rows_, columns(i), observed_.data(), columns(i));
    observer_(node(i), {observed_.data(), observed_.size()}, rows_);
  }

  std::shared_ptr<const Model> model_;
  const graph::Graph& graph_;
  const kernels::Kernels& kernels_;
  const Plan plan_;
  std::unique_ptr<ThreadPool> threads_;

  Span<const int32_t> ids_;      // of the run
  std::vector<int64_t> begins_;  // first row of every sentence, and the end
  int64_t rows_ = 0;
  int64_t longest_ = 0;

  AlignedBuffer<float> arena_;
  std::vector<int64_t> slot_offsets_;
  AlignedBuffer<uint8_t> quantized_;
  AlignedBuffer<kernels::RowQuantization> row_quantization_;
  int64_t quantized_stride_ = 0;
  int quantized_node_ = -1;  // whose value quantized_ holds
  bool quantized_static_ = false;
  numerics::ActivationQuantization quantized_input_;
  SinusoidalPositions positions_;
  SelfAttention attention_;
  Observer observer_;
  std::vector<float> observed_;
};

Executor::Executor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Executor::~Executor() = default;

Result<std::unique_ptr<Executor>> Executor::create(std::shared_ptr<const Model> model, int num_threads,
                                                   const kernels::Kernels* kernels) {
  if (model == nullptr) return invalid_argument("no model");
  if (num_threads < 1) return invalid_argument("expected 1 thread or more, found " + std::to_string(num_threads));
  if (kernels == nullptr) {
    LITENAT_ASSIGN_OR_RETURN(kernels, kernels::kernels());
  }
  LITENAT_ASSIGN_OR_RETURN(std::unique_ptr<ThreadPool> threads, ThreadPool::create(num_threads));
  return std::unique_ptr<Executor>(new Executor(std::make_unique<Impl>(std::move(model), kernels, std::move(threads))));
}

Result<decode::TaggerEngine::Output> Executor::run(Span<const int32_t> ids, Span<const int32_t> lengths) {
  return impl_->run(ids, lengths);
}

float Executor::transition(int32_t previous, int32_t next) const { return impl_->model().transition(previous, next); }
bool Executor::has_transitions() const { return impl_->model().has_transitions(); }
void Executor::set_observer(Observer observer) { impl_->set_observer(std::move(observer)); }

}  // namespace litenat::runtime
