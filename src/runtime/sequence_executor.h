// Runs the graph of a model with an encoder and a decoder on the CPU.
#pragma once

#include <memory>

#include "decode/sequence_engine.h"
#include "kernels/kernels.h"
#include "runtime/model.h"
#include "runtime/observer.h"

namespace litenat::runtime {

/// One thread at a time. A row's results depend neither on the other rows, nor on the number of threads, nor on the
/// instruction set, bit for bit; and step() gives the bits of decode().
/// Errors: kInvalidArgument for ids, lengths, sentences, parents or counts out of range, for positions beyond a learned
/// table, and for a call before encode(); kUnsupported for step() of a model that is not autoregressive and for
/// length_logits() of one that predicts no length; kCorrupt where values overflow. A call that failed has changed
/// nothing but the spans handed out before (a failed encode() leaves no batch).
class SequenceExecutor : public decode::SequenceEngine {
 public:
  /// `kernels` null: kernels::kernels(). `num_threads` >= 1: large products and the search of the candidates are split
  /// among so many. kInvalidArgument when the model has no decoder.
  static Result<std::unique_ptr<SequenceExecutor>> create(std::shared_ptr<const Model> model, int num_threads = 1,
                                                          const kernels::Kernels* kernels = nullptr);
  ~SequenceExecutor() override;

  const decode::SequenceTraits& traits() const override;
  Status encode(Span<const int32_t> ids, Span<const int32_t> lengths) override;
  Result<Span<const float>> length_logits() override;
  Result<decode::RowCandidates> step(Span<const int32_t> tokens, Span<const int32_t> parents, int32_t k,
                                     Span<const int32_t> wanted) override;
  Result<decode::RowCandidates> decode(Span<const int32_t> ids, Span<const int32_t> lengths,
                                       Span<const int32_t> sentences, int32_t k, Span<const int32_t> wanted) override;
  float transition(int32_t previous, int32_t next) const override;

  /// Sees the nodes over the source and over sentences in encode(), those over the target in decode() and step().
  using Observer = NodeObserver;
  void set_observer(Observer observer);

 private:
  class Impl;
  explicit SequenceExecutor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace litenat::runtime
