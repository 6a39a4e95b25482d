// Runs the graph of a tagger on the CPU.
#pragma once

#include <memory>

#include "base/span.h"
#include "base/status.h"
#include "decode/ime_decoder.h"
#include "kernels/kernels.h"
#include "runtime/model.h"
#include "runtime/observer.h"

namespace litenat::runtime {

/// One thread at a time; keeps its buffers between runs and allocates only when a run has more rows than any before.
class Executor : public decode::TaggerEngine {
 public:
  /// `kernels` null: kernels::kernels(). `num_threads` >= 1: large products are split among so many; the result does
  /// not depend on it, bit for bit.
  static Result<std::unique_ptr<Executor>> create(std::shared_ptr<const Model> model, int num_threads = 1,
                                                  const kernels::Kernels* kernels = nullptr);
  ~Executor() override;

  Result<Output> run(Span<const int32_t> ids, Span<const int32_t> lengths) override;
  float transition(int32_t previous, int32_t next) const override;
  bool has_transitions() const override;

  using Observer = NodeObserver;
  void set_observer(Observer observer);

 private:
  class Impl;
  explicit Executor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace litenat::runtime
