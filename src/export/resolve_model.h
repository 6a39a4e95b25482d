// One way to open whatever a user calls a model.
#pragma once

#include <memory>
#include <string>

#include "runtime/model.h"

namespace litenat::export_model {

struct ResolvedModel {
  std::shared_ptr<const runtime::Model> model;
  std::string path;             // the file that was opened: .litenat or checkpoint
  std::string checkpoint_path;  // empty for a .litenat file
  uint64_t size_bytes = 0;      // of the deployable model
};

/// Opens `path`: a .litenat file, a checkpoint, or a run folder (its checkpoints/best.safetensors, else
/// checkpoints/last.safetensors, else model.litenat). A checkpoint is exported to a temporary file that is gone when
/// this returns. Throws Error saying what was looked for.
ResolvedModel resolve_model(const std::string& path, bool use_average = true);

/// The checkpoint that `path` (a run folder or a checkpoint) stands for, or "" when it is a .litenat file.
std::string find_checkpoint(const std::string& path);

}  // namespace litenat::export_model
