// A training run, from a configuration to checkpoints.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "train/batch_loader.h"
#include "train/checkpoint.h"
#include "train/json_log.h"
#include "train/process_group.h"
#include "train/run_folder.h"
#include "train/schedule.h"
#include "train/tensorboard_writer.h"
#include "train/training_data.h"
#include "train/update_step.h"
#include "train/validation.h"

namespace litenat::train {

/// Hears how training goes; called by the training thread.
class TrainListener {
 public:
  virtual ~TrainListener() = default;
  /// Before the first update. `total_updates` 0: not known.
  virtual void on_start(int64_t updates_done, int64_t total_updates) = 0;
  /// After each update. `note`: "epoch 2, loss 1.23, ..." of the last log line, or empty.
  virtual void on_update(int64_t updates_done, const std::string& note) = 0;
  virtual void on_message(const std::string& message) = 0;
};

struct TrainOptions {
  std::string run_folder;
  int threads = 0;                      // of the CPU; 0 = every core
  bool restart = false;                 // forget an earlier run in the folder
  std::shared_ptr<ProcessGroup> group;  // null: this process trains alone
  int local_rank = 0;                   // which GPU train.device = "auto" and "cuda" mean
};

struct TrainResult {
  int64_t updates = 0;
  int64_t best_update = 0;
  double seconds = 0;
  int64_t parameters = 0;
  std::string device;
  std::optional<ValidationReport> report;  // of the weights at the end; none without a validation split
  Json to_json() const;
};

/// A run folder with a checkpoint goes on from it, to equal losses on the same machine with as many threads. Throws
/// Error; Interrupted after a signal, once the state is saved.
class Trainer {
 public:
  /// Opens everything and loads the last checkpoint. `listener` must outlive the trainer.
  Trainer(const TrainConfig& config, const TrainOptions& options, TrainListener* listener);
  TrainResult run();

 private:
  void build_model();
  void settle_glancing();
  void resume();
  void forget_best();
  void check_resumable(const CheckpointReader& checkpoint) const;
  int64_t total_updates();
  bool is_finished() const;
  void update_once();
  void after_update(const std::vector<Batch>& batches);
  void check_faults(const std::vector<Batch>& batches);
  bool is_due(int64_t interval) const;
  void write_log();
  void score();
  void validate();
  void log_validation(bool is_best);
  int ranks() const { return group_ ? group_->size() : 1; }
  /// The rank that writes the run folder and validates.
  bool is_first() const { return !group_ || group_->rank() == 0; }
  bool all_agree_to_go_on() const;
  void save_last();
  CheckpointContent content(bool for_resuming) const;
  void stop_if_interrupted();
  void report_counts();
  TrainResult finish();

  TrainConfig config_;
  TrainListener* listener_;
  std::shared_ptr<ProcessGroup> group_;  // null: alone
  RunFolder folder_;
  torch::Device device_;
  Precision precision_;
  TrainingData data_;
  std::unique_ptr<BatchMaker> maker_;
  std::unique_ptr<nn::Model> model_;
  std::unique_ptr<Objective> objective_;
  NamedTensors parameters_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<WeightAverage> average_;  // null without
  std::unique_ptr<UpdateStep> step_;
  std::unique_ptr<Validator> validator_;  // null without a validation split
  TrainingState state_;
  std::unique_ptr<BatchLoader> loader_;
  std::unique_ptr<Schedule> schedule_;
  std::unique_ptr<JsonLog> log_;  // the first rank's, as are validator_ and tensorboard_
  std::unique_ptr<TensorBoardWriter> tensorboard_;
  std::optional<ValidationReport> report_;
  bool unsaved_ = false;       // the state has changed since it was saved
  int64_t saved_update_ = 0;   // of the last checkpoint
  double interval_start_ = 0;  // of the log interval, or of this process: in seconds trained
  int64_t interval_targets_ = 0;
  double lr_ = 0;
  std::string note_;
};

}  // namespace litenat::train
