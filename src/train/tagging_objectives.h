// Objectives of taggers.
#pragma once

#include <memory>

#include "train/objective.h"

namespace litenat::train {

/// Cross entropy of each row (kind = tagging), and the auxiliary outputs.
std::unique_ptr<Objective> make_tagging_objective(const ObjectiveSpec& spec,
                                                  std::shared_ptr<const nn::CandidateSets> sets);
/// token_weight * cross entropy + crf_weight * mean over sentences of -ln p(sentence) / length (kind = crf).
std::unique_ptr<Objective> make_crf_objective(const ObjectiveSpec& spec, std::shared_ptr<const nn::CandidateSets> sets);

}  // namespace litenat::train
