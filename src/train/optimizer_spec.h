// How weights are updated, as settings.
#pragma once

#include "base/fields.h"

namespace litenat::train {

/// kAdam: weight decay is part of the gradient. kAdamW: decay is apart from it (what fairseq calls adam).
enum class OptimizerKind { kAdam, kAdamW };
inline const EnumNames<OptimizerKind> kOptimizerKindNames{
    {{OptimizerKind::kAdam, "adam"}, {OptimizerKind::kAdamW, "adamw"}}};

/// Where eps is added: to sqrt(v) as it is (fairseq, TensorFlow), or after v's bias correction (the paper, torch).
enum class EpsConvention { kUncorrected, kCorrected };
inline const EnumNames<EpsConvention> kEpsConventionNames{
    {{EpsConvention::kUncorrected, "uncorrected"}, {EpsConvention::kCorrected, "corrected"}}};

struct OptimizerSpec {
  OptimizerKind kind = OptimizerKind::kAdamW;
  double lr = 2e-3;
  double beta1 = 0.9;
  double beta2 = 0.98;
  double eps = 1e-8;
  EpsConvention eps_convention = EpsConvention::kUncorrected;
  double weight_decay = 0.01;
  bool decay_vectors = true;

  template <class V>
  void visit(V& v) {
    v("kind", kind, "adamw: decoupled weight decay", kOptimizerKindNames);
    v("lr", lr, "learning rate after the warm-up", between(0, 100));
    v("beta1", beta1, "decay of the gradient's mean", between(0, 0.999999));
    v("beta2", beta2, "decay of the gradient's square", between(0, 0.999999));
    v("eps", eps, "added to the root of the square", between(0, 1));
    v("eps_convention", eps_convention, "eps is added before or after the bias correction", kEpsConventionNames);
    v("weight_decay", weight_decay, "weight decay", between(0, 10));
    v("decay_vectors", decay_vectors, "weight decay also on biases and LayerNorms, as in fairseq");
  }
};

}  // namespace litenat::train
