// What kind of model a fairseq checkpoint holds: its settings as a ModelSpec.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "export/fairseq_settings.h"
#include "graph/model_spec.h"

namespace litenat::export_model {

/// Shapes of a checkpoint's parameters by fairseq's names.
using FairseqShapes = std::map<std::string, std::vector<int64_t>>;

/// The ModelSpec of `settings` for the architecture `arch`, resolved. Architectures: transformer*,
/// transformer_multibranch_v2* (Lite Transformer), lightconv*, nonautoregressive_transformer*, nacrf_transformer*,
/// glat*, glat_ctc*, conv_crf_transformer*, as fairseq 0.12.2 and the public code of the last four build them. `shapes`
/// says what settings do not: the sizes of the tables, and which of two variants a model is. Throws Error naming `name`
/// (the file) and the setting for whatever LiteNAT has no equal of.
graph::ModelSpec spec_of_fairseq(const std::string& arch, const FairseqSettings& settings, const FairseqShapes& shapes,
                                 const std::string& name);

}  // namespace litenat::export_model
