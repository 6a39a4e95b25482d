// The folder of a training run: its files, one process at a time, what may change between two processes.
#pragma once

#include <string>
#include <vector>

#include "train/train_config.h"

namespace litenat::train {

class RunFolder {
 public:
  /// Makes the folder and takes its lock; removes what a killed process left half written. `restart`: also removes the
  /// checkpoints, log and event files of an earlier run. Throws Error when another process trains in it.
  /// `owner` false: for the other ranks of a run, whose first rank has made the folder; nothing is written or locked.
  RunFolder(const std::string& path, bool restart, bool owner = true);
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string config() const { return path_ + "/config.toml"; }
  std::string resources() const { return path_ + "/resources.litenat"; }
  std::string log() const { return path_ + "/log.jsonl"; }
  std::string tensorboard() const { return path_ + "/tensorboard"; }
  std::string last() const { return path_ + "/checkpoints/last.safetensors"; }
  std::string best() const { return path_ + "/checkpoints/best.safetensors"; }
  std::string numbered(int64_t update) const;
  bool has_checkpoint() const;
  /// Removes all numbered checkpoints but the newest `keep`.
  void prune(int keep) const;

 private:
  void take_lock();
  void remove_remains() const;
  void remove_run() const;

  std::string path_;
  int lock_ = -1;
};

/// Dotted paths of the settings in which two configurations differ and which decide what is learnt; changes of limits,
/// intervals, places and the decoder are not reported.
std::vector<std::string> changed_settings(const TrainConfig& before, const TrainConfig& now);

}  // namespace litenat::train
