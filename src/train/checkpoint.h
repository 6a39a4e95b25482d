// Checkpoints: containers (docs/formats.md) that hold all that training needs to go on exactly.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/fields.h"
#include "format/container.h"
#include "graph/model_spec.h"
#include "nn/torch.h"
#include "train/optimizer.h"

namespace litenat::train {

/// The part of a checkpoint that is numbers: where training stands. Stored as "litenat.state".
struct TrainingState {
  int64_t update = 0;
  int64_t epoch = 1;
  int64_t batch = 0;  // of the epoch: the next one to train on
  int64_t skipped = 0;
  double seconds = 0;
  int64_t tokens = 0;
  bool has_best = false;
  double best_score = 0;
  int64_t best_update = 0;
  int64_t bad_validations = 0;
  int threads = 0;
  std::string device;
  std::string data;
  int64_t log_updates = 0;  // since the last log line; the sums are tensors
  int64_t log_targets = 0;
  int64_t validated_update = -1;
  int ranks = 1;

  template <class V>
  void visit(V& v) {
    v("update", update, "updates done");
    v("epoch", epoch, "epoch of the next batch, from 1");
    v("batch", batch, "next batch of that epoch, from 0");
    v("skipped", skipped, "updates that were left out because a number was not finite");
    v("seconds", seconds, "time trained");
    v("tokens", tokens, "targets trained on");
    v("has_best", has_best, "whether there was a validation");
    v("best_score", best_score, "best validation score: the lowest nll, or minus the highest BLEU");
    v("best_update", best_update, "the update it was reached at");
    v("bad_validations", bad_validations, "validations since then");
    v("threads", threads, "CPU threads");
    v("device", device, "device");
    v("data", data, "fingerprint of the training data");
    v("log_updates", log_updates, "updates since the last log line");
    v("log_targets", log_targets, "targets since the last log line");
    v("validated_update", validated_update, "the update of the last validation; -1 = none yet");
    v("ranks", ranks, "processes that train together");
  }
};

/// What a checkpoint is made of; tensors may be on any device.
struct CheckpointContent {
  graph::ModelSpec spec;
  std::string config_toml;
  std::string decode_json;
  TrainingState state;
  NamedTensors model;
  NamedTensors average;    // empty without
  NamedTensors optimizer;  // empty in checkpoints that are not for resuming
  NamedTensors log;        // UpdateStep::state(), F64
};

/// Writes `path` atomically. Throws Error (a full disk): then `path` is as it was.
void write_checkpoint(const std::string& path, const CheckpointContent& content);

/// A checkpoint that is read. Every method throws Error naming file and tensor.
class CheckpointReader {
 public:
  explicit CheckpointReader(const std::string& path);

  graph::ModelSpec spec() const;
  std::string config_toml() const;
  std::string decode_json() const;
  TrainingState state() const;
  /// True when there are tensors "<prefix>/...".
  bool has(const std::string& prefix) const;
  /// True when there is a tensor of exactly this name.
  bool has_tensor(const std::string& name) const;
  /// Fills `tensors` (any device) from "<prefix>/<name>"; each must be there with its type and shape.
  void load(const std::string& prefix, const NamedTensors& tensors) const;
  /// A copy of the tensor `name` on the CPU, whatever its shape.
  torch::Tensor read(const std::string& name) const;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::shared_ptr<const format::Container> container_;
};

}  // namespace litenat::train
