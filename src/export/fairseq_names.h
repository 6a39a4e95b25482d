// Parameter names of fairseq and what they are called here (docs/formats.md).
#pragma once

#include <string>
#include <vector>

#include "graph/model_spec.h"

namespace litenat::export_model {

/// What becomes of one tensor of a fairseq checkpoint.
struct FairseqName {
  enum class Use {
    kParameter,  // it is the parameter names[0]
    kRows,       // it is the parameters `names`, one after the other along the first dimension
    kNothing,    // buffers and copies that hold nothing of the model's own
  };
  Use use = Use::kParameter;
  std::vector<std::string> names;
};

/// `name` of the checkpoint in a model of `spec` (resolved). Names of shared tables become that of the one table.
FairseqName name_of_fairseq(const std::string& name, const graph::ModelSpec& spec);

}  // namespace litenat::export_model
