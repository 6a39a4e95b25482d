// From a checkpoint of the trainer to a deployable fp32 model.
#pragma once

#include <string>

#include "base/json.h"

namespace litenat::export_model {

struct ExportOptions {
  /// Take the averaged weights where the checkpoint has them.
  bool use_average = true;
  /// An object of settings of the family's decoder ({"beam": 4}) that replace those of the checkpoint, else the
  /// defaults; null = none.
  Json decode;
  /// resources.litenat; empty = looked for in the checkpoint's folder and the one above it.
  std::string resources_path;
};

/// Writes the deployable model of `checkpoint_path` to `output_path` (docs/formats.md), atomically. The weights are
/// those that the graph of the checkpoint's spec needs, with lightweight taps normalised and training-only heads
/// left out; shared tables are written once. Throws Error naming the tensor, metadata key or file that is missing, has
/// another shape, or holds a value that is not finite; and when the text resources do not fit the model.
void export_checkpoint(const std::string& checkpoint_path, const std::string& output_path,
                       const ExportOptions& options);

}  // namespace litenat::export_model
