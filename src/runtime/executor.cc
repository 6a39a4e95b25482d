#include "runtime/executor.h"

#include <string>
#include <utility>

#include "runtime/graph_runner.h"

namespace litenat::runtime {

class Executor::Impl {
 public:
  Impl(std::shared_ptr<const Model> model, const kernels::Kernels* kernels, std::unique_ptr<ThreadPool> threads)
      : model_(std::move(model)),
        runner_({model_->graph(), model_->weights(), model_->container().name()}, kernels, std::move(threads)) {}

  Result<Output> run(Span<const int32_t> ids, Span<const int32_t> lengths) {
    LITENAT_RETURN_IF_ERROR(runner_.bind_source(ids, lengths, model_->spec().source_vocabulary));
    LITENAT_RETURN_IF_ERROR(runner_.run(Phase::kEncode));
    Output output;
    LITENAT_RETURN_IF_ERROR(runner_.find_output(graph::kEmissions, &output.emissions));
    LITENAT_RETURN_IF_ERROR(runner_.find_output(graph::kBoundary, &output.boundary));
    return output;
  }

  const Model& model() const { return *model_; }
  void set_observer(Observer observer) { runner_.set_observer(std::move(observer)); }

 private:
  std::shared_ptr<const Model> model_;
  GraphRunner runner_;
};

Executor::Executor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Executor::~Executor() = default;

Result<std::unique_ptr<Executor>> Executor::create(std::shared_ptr<const Model> model, int num_threads,
                                                   const kernels::Kernels* kernels) {
  if (model == nullptr) return invalid_argument("no model");
  if (graph::has_decoder(model->spec()))
    return invalid_argument(model->container().name() + ": expected a tagger, found a model with a decoder");
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
