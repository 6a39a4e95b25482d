// The libtorch definition of a model: what train/ optimises. Built from the same ModelSpec as the graph, with
// the same parameter names (docs/formats.md), so a checkpoint's tensors are the graph's weights.
#pragma once

#include <memory>
#include <string>

#include "graph/model_spec.h"
#include "nn/dropout_spec.h"
#include "nn/layers.h"
#include "nn/torch.h"

namespace litenat::nn {

/// What all families share. named_parameters() are the weights of docs/formats.md, shared tables once; buffers are
/// computed, never saved.
class Model : public torch::nn::Module {
 public:
  /// The resolved spec.
  const graph::ModelSpec& spec() const { return spec_; }

  /// Factors of the CRF's transition matrix, each [V, rank]; undefined without a CRF head.
  torch::Tensor crf_from() const;  // E1
  torch::Tensor crf_to() const;    // E2

 protected:
  /// Throws Error where the spec does not fit together or has no vocabularies.
  Model(const char* name, const graph::ModelSpec& spec);

  /// Adds the CRF's factors if the head asks for them.
  void add_crf();
  /// Starts the parameters that were added so far as ModelSpec::init says; they come in fairseq's way.
  void initialise();

 private:
  graph::ModelSpec spec_;
  std::shared_ptr<Embedding> crf_from_, crf_to_;
};

/// A Tagger (nn/tagger.h) or a SequenceModel (nn/sequence_model.h), by the spec's family.
std::unique_ptr<Model> make_model(const graph::ModelSpec& spec, const DropoutSpec& dropout);

}  // namespace litenat::nn
