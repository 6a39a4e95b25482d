#include "runtime/sequence_executor.h"

#include <algorithm>
#include <string>
#include <utility>

#include "runtime/candidates.h"
#include "runtime/graph_runner.h"

namespace litenat::runtime {
namespace {

using graph::Domain;
using graph::Op;

constexpr int64_t kBlockLogits = 1 << 21;  // logits that are computed before their candidates are searched: 8 MiB
constexpr int64_t kMinBlockRows = 16;      // fewer would read the output matrix too often

/// The kLinear that makes the emissions, or -1.
int find_output_product(const graph::Graph& graph) {
  const int output = graph.find_output(graph::kEmissions);
  if (output < 0) return -1;
  const int product = graph.nodes[static_cast<size_t>(output)].inputs[0];
  const graph::Node& node = graph.nodes[static_cast<size_t>(product)];
  return node.op == Op::kLinear && node.type.domain == Domain::kTarget ? product : -1;
}

/// Rows that the learned positions of a domain suffice for; 0: any number.
int32_t max_rows(const graph::Graph& graph, Domain domain) {
  int64_t rows = 0;
  for (const graph::Node& node : graph.nodes) {
    if (node.op != Op::kPositions || node.weights.empty() || node.type.domain != domain) continue;
    const int64_t of_table = graph.weights[static_cast<size_t>(node.weights[0])].shape[0] - node.attributes.first_row;
    rows = rows == 0 ? of_table : std::min(rows, of_table);
  }
  return static_cast<int32_t>(rows);
}

decode::SequenceTraits traits_of(const Model& model) {
  const graph::ModelSpec& spec = model.spec();
  decode::SequenceTraits traits;
  traits.autoregressive = spec.family == graph::Family::kSequence;
  traits.target_vocabulary = static_cast<int32_t>(spec.target_vocabulary);
  traits.max_source = max_rows(model.graph(), Domain::kSource);
  traits.max_target = max_rows(model.graph(), Domain::kTarget);
  traits.predicts_length = !traits.autoregressive && spec.decoder.length == graph::LengthKind::kPredicted;
  traits.length_classes = traits.predicts_length ? spec.decoder.length_classes : 0;
  traits.length_offset = spec.decoder.length_offset;
  traits.length_ratio = spec.decoder.length_ratio;
  traits.has_transitions = model.has_transitions();
  traits.crf_beam = traits.has_transitions ? spec.head.crf_beam : 0;
  return traits;
}

Status check_wanted(Span<const int32_t> wanted, size_t rows, int64_t vocabulary) {
  if (!wanted.empty() && wanted.size() != rows)
    return invalid_argument("expected a wanted token for each of the " + std::to_string(rows) + " rows, found " +
                            std::to_string(wanted.size()));
  for (const int32_t token : wanted)
    if (token < 0 || token >= vocabulary)
      return invalid_argument("wanted token " + std::to_string(token) + ": expected 0 to " +
                              std::to_string(vocabulary - 1));
  return {};
}

}  // namespace

class SequenceExecutor::Impl {
 public:
  Impl(std::shared_ptr<const Model> model, const kernels::Kernels* kernels, std::unique_ptr<ThreadPool> threads,
       int output_product)
      : model_(std::move(model)),
        traits_(traits_of(*model_)),
        output_product_(output_product),
        runner_({model_->graph(), model_->weights(), model_->container().name()}, kernels, std::move(threads),
                output_product),
        history_(runner_.history_columns()) {}

  const Model& model() const { return *model_; }
  const decode::SequenceTraits& traits() const { return traits_; }
  void set_observer(Observer observer) { runner_.set_observer(std::move(observer)); }

  Status encode(Span<const int32_t> ids, Span<const int32_t> lengths) {
    has_batch_ = false;
    LITENAT_RETURN_IF_ERROR(runner_.bind_source(ids, lengths, model_->spec().source_vocabulary));
    LITENAT_RETURN_IF_ERROR(runner_.run(Phase::kEncode));
    history_.clear(static_cast<int64_t>(lengths.size()));
    has_batch_ = true;
    return {};
  }

  Result<Span<const float>> length_logits() {
    LITENAT_RETURN_IF_ERROR(check_batch());
    if (!traits_.predicts_length) return unsupported(model_->container().name() + ": the model predicts no length");
    Span<const float> logits;
    LITENAT_RETURN_IF_ERROR(runner_.find_output(graph::kLength, &logits));
    return logits;
  }

  Result<decode::RowCandidates> step(Span<const int32_t> tokens, Span<const int32_t> parents, int32_t k,
                                     Span<const int32_t> wanted) {
    LITENAT_RETURN_IF_ERROR(check_batch());
    if (!traits_.autoregressive)
      return unsupported(model_->container().name() + ": the model is not autoregressive, it has no steps");
    if (!runner_.step_obstacle().empty())
      return unsupported(model_->container().name() + ": " + runner_.step_obstacle());
    LITENAT_RETURN_IF_ERROR(check_request(tokens.size(), k, wanted));
    LITENAT_RETURN_IF_ERROR(runner_.bind_step(tokens, parents, traits_.target_vocabulary, &history_));
    Result<decode::RowCandidates> candidates = run_decoder(k, wanted);
    if (candidates.ok()) history_.commit();
    return candidates;
  }

  Result<decode::RowCandidates> decode(Span<const int32_t> ids, Span<const int32_t> lengths,
                                       Span<const int32_t> sentences, int32_t k, Span<const int32_t> wanted) {
    LITENAT_RETURN_IF_ERROR(check_batch());
    LITENAT_RETURN_IF_ERROR(check_request(ids.size(), k, wanted));
    LITENAT_RETURN_IF_ERROR(runner_.bind_target(ids, lengths, sentences, traits_.target_vocabulary));
    return run_decoder(k, wanted);
  }

 private:
  Status check_batch() const {
    return has_batch_ ? Status() : invalid_argument("expected a call of encode() before this one");
  }

  Status check_request(size_t rows, int32_t k, Span<const int32_t> wanted) const {
    if (k < 0 || k > traits_.target_vocabulary)
      return invalid_argument(std::to_string(k) + " candidates: expected 0 to " +
                              std::to_string(traits_.target_vocabulary));
    return check_wanted(wanted, rows, traits_.target_vocabulary);
  }

  /// Runs the decoder over what is bound. The emissions of a large batch would fill the memory, so their product and
  /// the search for candidates alternate over blocks of rows.
  Result<decode::RowCandidates> run_decoder(int32_t k, Span<const int32_t> wanted) {
    LITENAT_RETURN_IF_ERROR(runner_.run(Phase::kDecode));
    const int64_t rows = runner_.target().rows();
    const int64_t vocabulary = traits_.target_vocabulary;
    LITENAT_RETURN_IF_ERROR(candidates_.begin(rows, k, wanted));
    const int64_t block = runner_.has_observer() ? rows : std::max(kMinBlockRows, kBlockLogits / vocabulary);
    LITENAT_RETURN_IF_ERROR(logits_.reserve(std::min(block, rows) * vocabulary));
    for (int64_t first = 0; first < rows; first += block) {
      const int64_t count = std::min(block, rows - first);
      LITENAT_RETURN_IF_ERROR(runner_.run_streamed(first, count, logits_.data(), vocabulary));
      runner_.observe_streamed(logits_.data(), count);
      if (!candidates_.add(runner_.kernels(), &runner_.threads(), logits_.data(), first, count, vocabulary))
        return runner_.not_finite(output_product_);
    }
    return candidates_.results();
  }

  std::shared_ptr<const Model> model_;
  const decode::SequenceTraits traits_;
  const int output_product_;
  GraphRunner runner_;
  StepHistory history_;
  Candidates candidates_;
  AlignedBuffer<float> logits_;  // of a block of rows
  bool has_batch_ = false;
};

SequenceExecutor::SequenceExecutor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SequenceExecutor::~SequenceExecutor() = default;

Result<std::unique_ptr<SequenceExecutor>> SequenceExecutor::create(std::shared_ptr<const Model> model, int num_threads,
                                                                   const kernels::Kernels* kernels) {
  if (model == nullptr) return invalid_argument("no model");
  if (num_threads < 1) return invalid_argument("expected 1 thread or more, found " + std::to_string(num_threads));
  if (!graph::has_decoder(model->spec()))
    return invalid_argument(model->container().name() + ": expected a model with a decoder, found a tagger");
  const int output_product = find_output_product(model->graph());
  if (output_product < 0) return internal_error("the graph's emissions are no product over the target");
  if (kernels == nullptr) {
    LITENAT_ASSIGN_OR_RETURN(kernels, kernels::kernels());
  }
  LITENAT_ASSIGN_OR_RETURN(std::unique_ptr<ThreadPool> threads, ThreadPool::create(num_threads));
  return std::unique_ptr<SequenceExecutor>(
      new SequenceExecutor(std::make_unique<Impl>(std::move(model), kernels, std::move(threads), output_product)));
}

const decode::SequenceTraits& SequenceExecutor::traits() const { return impl_->traits(); }
Status SequenceExecutor::encode(Span<const int32_t> ids, Span<const int32_t> lengths) {
  return impl_->encode(ids, lengths);
}
Result<Span<const float>> SequenceExecutor::length_logits() { return impl_->length_logits(); }
Result<decode::RowCandidates> SequenceExecutor::step(Span<const int32_t> tokens, Span<const int32_t> parents, int32_t k,
                                                     Span<const int32_t> wanted) {
  return impl_->step(tokens, parents, k, wanted);
}
Result<decode::RowCandidates> SequenceExecutor::decode(Span<const int32_t> ids, Span<const int32_t> lengths,
                                                       Span<const int32_t> sentences, int32_t k,
                                                       Span<const int32_t> wanted) {
  return impl_->decode(ids, lengths, sentences, k, wanted);
}
float SequenceExecutor::transition(int32_t previous, int32_t next) const {
  return impl_->model().transition(previous, next);
}
void SequenceExecutor::set_observer(Observer observer) { impl_->set_observer(std::move(observer)); }

}  // namespace litenat::runtime
