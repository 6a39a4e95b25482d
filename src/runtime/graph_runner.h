// Runs the nodes of a graph, phase by phase: what the executors of all families share.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/span.h"
#include "base/status.h"
#include "kernels/kernels.h"
#include "runtime/attention.h"
#include "runtime/model.h"
#include "runtime/observer.h"
#include "runtime/plan.h"
#include "runtime/positions.h"
#include "runtime/products.h"
#include "runtime/step_history.h"
#include "runtime/thread_pool.h"

namespace litenat::runtime {

/// What a runner runs; all of it outlives the runner.
struct Network {
  const graph::Graph& graph;
  const Model::Weights& weights;
  std::string name;  // of the file, for errors
};

/// The rows of a domain in a run: sentences (or items of the target), one after the other.
struct RowRanges {
  Span<const int32_t> ids;            // kSource, kTarget: token ids, used by the next run only
  std::vector<int64_t> begins = {0};  // first row of every sentence, and the end
  std::vector<int32_t> sentences;     // kTarget: of the batch, by item
  int64_t longest = 0;
  int64_t rows() const { return begins.back(); }
  size_t size() const { return begins.size() - 1; }
};

/// One thread at a time; keeps its buffers between runs and allocates only when a run has more rows than any before.
class GraphRunner {
 public:
  static constexpr int64_t kMaxRows = 1 << 24;  // keeps rows * columns of any checked graph inside 63 bits

  /// `streamed`: see make_plan().
  GraphRunner(const Network& network, const kernels::Kernels* kernels, std::unique_ptr<ThreadPool> threads,
              int streamed = -1);

  /// The batch: sentences of `lengths` ids, each > 0, packed; ids below `vocabulary`.
  Status bind_source(Span<const int32_t> ids, Span<const int32_t> lengths, int64_t vocabulary);
  /// The items of the next run over the target, likewise; item i belongs to the sentence sentences[i] of the batch.
  Status bind_target(Span<const int32_t> ids, Span<const int32_t> lengths, Span<const int32_t> sentences,
                     int64_t vocabulary);
  /// One step: row i of the target is a token that follows what row parents[i] of `history` has read.
  Status bind_step(Span<const int32_t> tokens, Span<const int32_t> parents, int64_t vocabulary, StepHistory* history);

  /// Runs the nodes of a phase over what is bound. kDecode needs a kEncode before it.
  Status run(Phase phase);

  /// The rows of the output called `name`, which must be finite; empty when there is none.
  Status find_output(const char* name, Span<const float>* out) const;
  /// Rows [first, first + count) of the streamed product, after run(kDecode).
  Status run_streamed(int64_t first, int64_t count, float* y, int64_t y_stride);

  const RowRanges& source() const { return ranges_[index_of(graph::Domain::kSource)]; }
  const RowRanges& target() const { return ranges_[index_of(graph::Domain::kTarget)]; }
  ThreadPool& threads() { return *threads_; }
  const kernels::Kernels& kernels() const { return kernels_; }

  /// Floats that a StepHistory keeps of a row, and why there can be none (empty: there can).
  int64_t history_columns() const { return history_columns_; }
  const std::string& step_obstacle() const { return step_obstacle_; }

  void set_observer(NodeObserver observer) { observer_ = std::move(observer); }
  bool has_observer() const { return static_cast<bool>(observer_); }
  /// Shows the observer a value of the streamed product [rows, columns].
  void observe_streamed(const float* value, int64_t rows) const;
  Status not_finite(int node) const;

 private:
  static size_t index_of(graph::Domain domain) { return static_cast<size_t>(domain); }
  static constexpr size_t kNumDomains = 3;

  /// The keys and values of the whole batch for one kCrossAttention.
  struct Memory {
    AlignedBuffer<float> buffer;
    std::vector<PackedMemory> sentences;
  };

  void plan_history();
  Status reserve(graph::Domain domain);
  Status pack_memories();
  Status pack_memory_of(int i, Memory* memory);

  float* data(const View& view) const {
    return arenas_[index_of(plan_.slot_domains[static_cast<size_t>(view.slot)])].data() +
           slot_offsets_[static_cast<size_t>(view.slot)] + view.offset;
  }
  const View& view(int node) const { return plan_.values[static_cast<size_t>(node)]; }
  Rows value(int node) const { return {data(view(node)), view(node).stride}; }
  const graph::Node& node(int i) const { return network_.graph.nodes[static_cast<size_t>(i)]; }
  int64_t columns(int i) const { return node(i).type.columns; }
  int input(int i, size_t which = 0) const { return node(i).inputs[which]; }
  const RowRanges& ranges(int i) const { return ranges_[index_of(node(i).type.domain)]; }
  int64_t rows(int i) const { return ranges(i).rows(); }
  bool is_step(int i) const { return history_ != nullptr && phase_of(node(i)) == Phase::kDecode; }

  Status run_node(int i);
  Status run_rows_node(int i, float* y, int64_t y_stride);
  Status embed(int i, float* y, int64_t y_stride) const;
  Status add_positions(int i, float* y, int64_t y_stride);
  Status window(int i, float* y, int64_t y_stride) const;
  Status linear(int i, float* y, int64_t y_stride);
  Status convolve(int i, float* y, int64_t y_stride);
  void convolve_step(int i, const float* taps, int64_t taps_stride, float* y, int64_t y_stride);
  Status attend(int i, float* y, int64_t y_stride);
  Status attend_step(int i, float* y, int64_t y_stride);
  Status attend_source(int i, float* y, int64_t y_stride);
  Status mean_pool(int i, float* y, int64_t y_stride) const;
  Status choose(int i, float* y, int64_t y_stride) const;
  Status concat(int i) const;
  Status elementwise(int i, float* y, int64_t y_stride) const;
  void observe(int i);

  const Network network_;
  const kernels::Kernels& kernels_;
  const Plan plan_;
  const int streamed_;
  std::unique_ptr<ThreadPool> threads_;

  RowRanges ranges_[kNumDomains];
  StepHistory* history_ = nullptr;        // when a step is bound
  std::vector<int64_t> history_offsets_;  // by node: where its part of a record begins
  int64_t history_columns_ = 0;
  std::string step_obstacle_;

  AlignedBuffer<float> arenas_[kNumDomains];
  std::vector<int64_t> slot_offsets_;  // inside the arena of the slot's domain
  std::vector<Memory> memories_;       // by node: those of kCrossAttention
  Products products_;
  Attention attention_;
  std::map<int64_t, SinusoidalPositions> positions_;  // by width
  NodeObserver observer_;
  std::vector<float> observed_;
};

}  // namespace litenat::runtime
