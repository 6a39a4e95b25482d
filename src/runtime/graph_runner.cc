#include "runtime/graph_runner.h"

#include <algorithm>
#include <utility>

#include "runtime/finite.h"

namespace litenat::runtime {

using graph::Domain;
using graph::Op;

namespace {

Status check_ids(Span<const int32_t> ids, int64_t vocabulary) {
  if (ids.size() > static_cast<size_t>(GraphRunner::kMaxRows))
    return invalid_argument("expected at most " + std::to_string(GraphRunner::kMaxRows) + " ids, found " +
                            std::to_string(ids.size()));
  for (size_t i = 0; i < ids.size(); ++i)
    if (ids[i] < 0 || ids[i] >= vocabulary)
      return invalid_argument("id " + std::to_string(ids[i]) + " at position " + std::to_string(i) +
                              ": expected 0 to " + std::to_string(vocabulary - 1));
  return {};
}

Status set_lengths(Span<const int32_t> lengths, size_t num_ids, RowRanges* ranges) {
  ranges->begins.assign(1, 0);
  ranges->longest = 0;
  for (const int32_t length : lengths) {
    if (length <= 0) return invalid_argument("a sentence of " + std::to_string(length) + " ids");
    ranges->longest = std::max<int64_t>(ranges->longest, length);
    ranges->begins.push_back(ranges->begins.back() + length);
  }
  if (ranges->rows() == static_cast<int64_t>(num_ids)) return {};
  return invalid_argument("the lengths add up to " + std::to_string(ranges->rows()) + ", but there are " +
                          std::to_string(num_ids) + " ids");
}

/// Every number in [0, size).
Status check_range(const char* what, Span<const int32_t> numbers, int64_t size) {
  for (const int32_t number : numbers)
    if (number < 0 || number >= size)
      return invalid_argument(std::string(what) + " " + std::to_string(number) + ": there are " + std::to_string(size));
  return {};
}

/// One row an item.
void set_single_rows(int64_t count, RowRanges* ranges) {
  ranges->begins.resize(static_cast<size_t>(count + 1));
  for (int64_t i = 0; i <= count; ++i) ranges->begins[static_cast<size_t>(i)] = i;
  ranges->longest = count > 0 ? 1 : 0;
}

}  // namespace

GraphRunner::GraphRunner(const Network& network, const kernels::Kernels* kernels, std::unique_ptr<ThreadPool> threads,
                         int streamed)
    : network_(network),
      kernels_(*kernels),
      plan_(make_plan(network.graph, streamed)),
      streamed_(streamed),
      threads_(std::move(threads)),
      slot_offsets_(plan_.slot_columns.size()),
      memories_(network.graph.nodes.size()),
      products_(kernels_, network.weights, threads_.get()) {
  plan_history();
}

/// What a step must know of earlier rows, or why one row cannot be computed from those before it alone.
void GraphRunner::plan_history() {
  history_offsets_.assign(network_.graph.nodes.size(), -1);
  for (const int i : plan_.decode) {
    const graph::Node& node = this->node(i);
    const bool convolution = node.op == Op::kLightConv || node.op == Op::kDynamicConv;
    if (node.op != Op::kSelfAttention && node.op != Op::kWindow && !convolution) continue;
    const bool causal = convolution ? node.attributes.pad_left == node.attributes.kernel - 1 : node.attributes.causal;
    if (!causal && step_obstacle_.empty()) step_obstacle_ = "'" + node.name + "' does not work row after row";
    history_offsets_[static_cast<size_t>(i)] = history_columns_;
    history_columns_ += convolution ? columns(i) : 2 * columns(i);
  }
}

// ---- before a run

Status GraphRunner::bind_source(Span<const int32_t> ids, Span<const int32_t> lengths, int64_t vocabulary) {
  RowRanges& source = ranges_[index_of(Domain::kSource)];
  LITENAT_RETURN_IF_ERROR(check_ids(ids, vocabulary));
  LITENAT_RETURN_IF_ERROR(set_lengths(lengths, ids.size(), &source));
  source.ids = ids;
  set_single_rows(static_cast<int64_t>(lengths.size()), &ranges_[index_of(Domain::kSentence)]);
  return {};
}

Status GraphRunner::bind_target(Span<const int32_t> ids, Span<const int32_t> lengths, Span<const int32_t> sentences,
                                int64_t vocabulary) {
  RowRanges& target = ranges_[index_of(Domain::kTarget)];
  if (sentences.size() != lengths.size())
    return invalid_argument("expected a sentence for each of the " + std::to_string(lengths.size()) + " items, found " +
                            std::to_string(sentences.size()));
  LITENAT_RETURN_IF_ERROR(check_range("sentence", sentences, static_cast<int64_t>(source().size())));
  LITENAT_RETURN_IF_ERROR(check_ids(ids, vocabulary));
  LITENAT_RETURN_IF_ERROR(set_lengths(lengths, ids.size(), &target));
  target.ids = ids;
  target.sentences.assign(sentences.begin(), sentences.end());
  history_ = nullptr;
  return {};
}

Status GraphRunner::bind_step(Span<const int32_t> tokens, Span<const int32_t> parents, int64_t vocabulary,
                              StepHistory* history) {
  RowRanges& target = ranges_[index_of(Domain::kTarget)];
  if (parents.size() != tokens.size())
    return invalid_argument("expected a parent for each of the " + std::to_string(tokens.size()) + " rows, found " +
                            std::to_string(parents.size()));
  LITENAT_RETURN_IF_ERROR(check_ids(tokens, vocabulary));
  LITENAT_RETURN_IF_ERROR(check_range("parent", parents, history->num_parents()));
  LITENAT_RETURN_IF_ERROR(history->begin(parents));
  set_single_rows(static_cast<int64_t>(tokens.size()), &target);
  target.ids = tokens;
  target.sentences.assign(history->sentences().begin(), history->sentences().end());
  history_ = history;
  return {};
}

Status GraphRunner::reserve(Domain domain) {
  const int64_t rows = ranges_[index_of(domain)].rows();
  int64_t size = 0;
  if (__builtin_mul_overflow(rows, plan_.total_columns(domain), &size))
    return {StatusCode::kOutOfMemory, std::to_string(rows) + " rows are too many for this model"};
  LITENAT_RETURN_IF_ERROR(arenas_[index_of(domain)].reserve(size));
  int64_t offset = 0;
  for (size_t slot = 0; slot < slot_offsets_.size(); ++slot) {
    if (plan_.slot_domains[slot] != domain) continue;
    slot_offsets_[slot] = offset;
    offset += rows * plan_.slot_columns[slot];
  }
  return {};
}

Status GraphRunner::run(Phase phase) {
  const bool encodes = phase == Phase::kEncode;
  if (encodes) LITENAT_RETURN_IF_ERROR(reserve(Domain::kSentence));
  LITENAT_RETURN_IF_ERROR(reserve(encodes ? Domain::kSource : Domain::kTarget));
  LITENAT_RETURN_IF_ERROR(products_.begin(encodes ? source().rows() : target().rows()));
  for (const int i : encodes ? plan_.encode : plan_.decode) {
    if (rows(i) == 0) continue;
    LITENAT_RETURN_IF_ERROR(run_node(i));
    if (observer_) observe(i);
  }
  return encodes ? pack_memories() : Status();
}

Status GraphRunner::pack_memories() {
  for (const int i : plan_.decode)
    if (node(i).op == Op::kCrossAttention)
      LITENAT_RETURN_IF_ERROR(pack_memory_of(i, &memories_[static_cast<size_t>(i)]));
  return {};
}

Status GraphRunner::pack_memory_of(int i, Memory* memory) {
  const int heads = node(i).attributes.heads;
  const Rows keys = value(input(i, 1));
  const Rows values = value(input(i, 2));
  const int64_t key_columns = columns(input(i, 1)) / heads;
  const int64_t value_columns = columns(input(i, 2)) / heads;
  int64_t size = 0;
  const std::vector<int64_t>& begins = source().begins;
  for (size_t s = 0; s < source().size(); ++s)
    size += packed_memory_size(begins[s + 1] - begins[s], key_columns, value_columns, heads);
  LITENAT_RETURN_IF_ERROR(memory->buffer.reserve(size));
  memory->sentences.clear();
  float* out = memory->buffer.data();
  for (size_t s = 0; s < source().size(); ++s) {
    const int64_t length = begins[s + 1] - begins[s];
    memory->sentences.push_back(pack_memory({keys.row(begins[s]), keys.stride}, {values.row(begins[s]), values.stride},
                                            length, key_columns, value_columns, heads, out));
    out += packed_memory_size(length, key_columns, value_columns, heads);
  }
  return {};
}

// ---- results

Status GraphRunner::find_output(const char* name, Span<const float>* out) const {
  const int i = network_.graph.find_output(name);
  *out = {};
  if (i < 0 || rows(i) == 0) return {};
  *out = {value(i).data, static_cast<size_t>(rows(i) * columns(i))};
  if (is_finite(out->data(), rows(i) * columns(i))) return {};
  return not_finite(i);
}

Status GraphRunner::not_finite(int i) const {
  return corrupt(network_.name + ": '" + node(i).name +
                 "' has values that are not finite; the model's weights are too large");
}

Status GraphRunner::run_streamed(int64_t first, int64_t count, float* y, int64_t y_stride) {
  const int x = input(streamed_);
  LITENAT_RETURN_IF_ERROR(products_.begin(count));
  const Model::LinearWeights& w = network_.weights.linear[static_cast<size_t>(streamed_)];
  if (products_.run({value(x).row(first), value(x).stride}, count, x, w, y, y_stride)) return {};
  return not_finite(x);
}

void GraphRunner::observe(int i) {
  if (node(i).op == Op::kInput) return;
  observed_.resize(static_cast<size_t>(rows(i) * columns(i)));
  for (int64_t row = 0; row < rows(i); ++row)
    std::copy_n(value(i).row(row), columns(i), observed_.data() + row * columns(i));
  observer_(node(i), {observed_.data(), observed_.size()}, rows(i));
}

void GraphRunner::observe_streamed(const float* value, int64_t rows) const {
  if (!observer_ || rows == 0) return;
  const size_t size = static_cast<size_t>(rows * columns(streamed_));
  for (size_t i = 0; i < network_.graph.nodes.size(); ++i) {
    const graph::Node& node = network_.graph.nodes[i];
    const bool names_it = node.op == Op::kOutput && node.inputs[0] == streamed_;
    if (static_cast<int>(i) == streamed_ || names_it) observer_(node, {value, size}, rows);
  }
}

}  // namespace litenat::runtime
