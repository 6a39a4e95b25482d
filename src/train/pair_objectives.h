// Objectives of models with a decoder.
#pragma once

#include <memory>

#include "train/objective.h"

namespace litenat::train {

/// Cross entropy of an autoregressive model with the label smoothing of `spec` (kind = label_smoothed).
std::unique_ptr<Objective> make_label_smoothed_objective(const ObjectiveSpec& spec);

/// token_weight * cross entropy + length_weight * cross entropy of the length (kind = nat; Gu et al. 2018).
std::unique_ptr<Objective> make_nat_objective(const ObjectiveSpec& spec);

/// The same on the targets that glancing leaves hidden, the length weighted by their share too (kind = glat; Qian et
/// al. 2021, arXiv:2008.07905).
std::unique_ptr<Objective> make_glat_objective(const ObjectiveSpec& spec);

/// nat + crf_weight * mean over sentences of -ln p(sentence) / length (kind = crf_nat; Sun et al. 2019,
/// arXiv:1910.11555).
std::unique_ptr<Objective> make_crf_nat_objective(const ObjectiveSpec& spec);

/// (1 - eps) * CTC / rows - eps * mean ln p of rows and tokens, with glancing at the best alignment (kind = ctc; Graves
/// et al. 2006, Libovický and Helcl 2018; eps = label_smoothing).
std::unique_ptr<Objective> make_ctc_objective(const ObjectiveSpec& spec);

}  // namespace litenat::train
