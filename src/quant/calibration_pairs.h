// The calibration sample of models that read tokens: pairs of sentences of a `preprocess` folder.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "quant/calibration.h"
#include "runtime/model.h"

namespace litenat::quant {

/// At most `max_sentences` pairs of `folder` (its split valid, else test, else train), spread evenly, as the model's
/// family reads them in decoding; the decoder of a non-autoregressive model reads <unk> in the reference's length.
/// Pairs that the model is too short for are left out. Throws Error when the folder has no such split or those of
/// several languages, when its dictionaries are not the model's, and when no pair is left.
CalibrationSample read_calibration_pairs(const std::shared_ptr<const runtime::Model>& model, const std::string& folder,
                                         int64_t max_sentences);

}  // namespace litenat::quant
