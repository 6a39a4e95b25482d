// From a checkpoint of the trainer to a deployable fp32 model.
#pragma once

#include <string>

#include "decode/ime_decoder.h"

namespace litenat::export_model {

struct ExportOptions {
  /// Take the averaged weights where the checkpoint has them.
  bool use_average = true;
  /// Settings of the decoder that the file will carry; null = those of the checkpoint, else the defaults.
  const decode::ImeOptions* decode = nullptr;
  /// resources.litenat; empty = looked for in the checkpoint's folder and the one above it.
  std::string resources_path;
};

/// Writes the deployable model of `checkpoint_path` to `output_path` (docs/formats.md), atomically. The weights are
/// those that the graph of the checkpoint's spec needs, with lightweight taps normalised and training-only heads
/// left out. Throws Error naming the tensor, metadata key or file that is missing, has another shape, or holds a value
/// that is not finite; and when the text resources do not fit the model.
void export_checkpoint(const std::string& checkpoint_path, const std::string& output_path,
                       const ExportOptions& options);

}  // namespace litenat::export_model
