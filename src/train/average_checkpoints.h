// `litenat average`: the mean of several checkpoints of one run.
#pragma once

#include <string>
#include <vector>

namespace litenat::train {

/// Writes a checkpoint (for evaluation and export, not for resuming) whose weights are the arithmetic mean of those of
/// `inputs`: of their moving averages where all have them, else of the plain weights. Settings and state are those
/// of the input with the most updates. Throws Error when there is no input or their models differ.
void average_checkpoints(const std::vector<std::string>& inputs, const std::string& output);

}  // namespace litenat::train
