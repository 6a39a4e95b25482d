#include "train/trainer.h"

#include <ATen/Context.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <thread>

#include "base/atomic_file.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "config/config.h"
#include "nn/memory.h"
#include "train/device.h"

namespace litenat::train {
namespace {

// On a GPU the host looks at the device's numbers once in so many updates; each look empties the queue of work.
constexpr int64_t kDeviceCheckInterval = 10;
// Batches without overflow after which fp16's loss scale doubles, as in fairseq.
constexpr int64_t kScaleWindow = 1 << 14;

double monotonic_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// For the folder of the first rank, which the others wait for.
bool owns_folder(ProcessGroup* group) {
  if (group == nullptr || group->rank() == 0) return true;
  group->barrier();
  return false;
}

torch::Device prepare_device(const TrainerSpec& spec, const TrainOptions& options) {
  nn::keep_freed_memory();
  torch::Device device = choose_device(spec.device);
  if (device.is_cuda() && options.group && spec.device.find(':') == std::string::npos)
    device = choose_device("cuda:" + std::to_string(options.local_rank));
  if (device.is_cuda() && spec.deterministic) make_deterministic();
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  at::set_num_threads(options.threads > 0 ? options.threads : cores);
  // The optimiser's means of gradients that have become 0 (rare hanzi) decay into denormal numbers, on which a CPU is
  // a hundred times slower.
  at::globalContext().setFlushDenormal(true);
  return device;
}

/// The updates over which the share of glancing changes, for a run that begins with `config`.
int64_t glancing_updates(const TrainConfig& config) {
  const GlancingSpec& glancing = config.objective.glancing;
  if (!glances(config.objective) || glancing.updates > 0 || glancing.start == glancing.end) return glancing.updates;
  if (config.train.max_updates == 0)
    throw Error("objective.glancing.updates: expected a number of updates where train.max_updates is not set, found 0");
  return config.train.max_updates;
}

/// The configuration that a checkpoint's run was started with.
TrainConfig config_of(const CheckpointReader& checkpoint) {
  TrainConfig config;
  config::parse_config(checkpoint.config_toml(), checkpoint.path() + ", litenat.config", &config);
  return config;
}

/// Whether scores of validations by the one compare with those by the other.
bool validate_alike(const TrainConfig& a, const TrainConfig& b) {
  return a.data.valid == b.data.valid && a.data.valid_sentences == b.data.valid_sentences &&
         a.data.tokenizer == b.data.tokenizer && a.train.bleu_sentences == b.train.bleu_sentences;
}

/// Those of the model's family.
Json decode_settings(const TrainConfig& config) {
  switch (config.model.family) {
    case graph::Family::kSequence:
      return fields_to_json(config.beam);
    case graph::Family::kNonAutoregressive:
      return fields_to_json(config.parallel);
    case graph::Family::kTagger:
      break;
  }
  return fields_to_json(config.decode);
}

std::string format(const char* pattern, double value) {
  char text[64];
  std::snprintf(text, sizeof text, pattern, value);
  return text;
}

std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

Trainer::Trainer(const TrainConfig& config, const TrainOptions& options, TrainListener* listener)
    : config_(config),
      listener_(listener),
      group_(options.group),
      folder_(options.run_folder, options.restart, owns_folder(options.group.get())),
      device_(prepare_device(config.train, options)),
      precision_(choose_precision(config.train.precision, device_)),
      data_(open_training_data(&config_, is_first() ? folder_.resources() : "")) {
  if (config_.train.max_updates == 0 && config_.train.max_epochs == 0 && config_.train.max_minutes == 0)
    throw Error("train: expected an end: set train.max_updates, train.max_epochs or train.max_minutes");
  settle_glancing();
  maker_ = data_.make_batches(config_);
  if (is_first()) validator_ = data_.make_validator(config_);
  build_model();
  state_.threads = at::get_num_threads();
  state_.device = device_.str();
  state_.data = data_.training_set().fingerprint();
  state_.ranks = ranks();
  if (group_ && is_first()) group_->barrier();  // the folder is there
  if (folder_.has_checkpoint()) resume();
  interval_start_ = state_.seconds;
  if (!is_first()) return;
  const std::string toml = config::dump_toml(config_);
  throw_if_error(write_file_atomically(folder_.config(), toml.data(), toml.size()));
}

void Trainer::build_model() {
  seed_generators(static_cast<uint64_t>(config_.train.seed), device_);
  model_ = nn::make_model(config_.model, config_.dropout);
  model_->to(device_);
  for (const auto& item : model_->named_parameters()) parameters_.emplace_back(item.key(), item.value());
  objective_ = make_objective(config_.objective, data_.candidates, config_.model);
  optimizer_ = std::make_unique<Optimizer>(parameters_, config_.optimizer);
  if (config_.train.average == AverageKind::kEma)
    average_ = std::make_unique<WeightAverage>(parameters_, config_.train.ema_decay);
  UpdateSpec spec;
  spec.clip_norm = config_.train.clip_norm;
  spec.precision = precision_;
  spec.device = device_;
  spec.seed = static_cast<uint64_t>(config_.train.seed);
  spec.scale_window = std::max<int64_t>(1, kScaleWindow / (config_.train.update_freq * ranks()));
  step_ = std::make_unique<UpdateStep>(spec, model_.get(), objective_.get(), parameters_, optimizer_.get(),
                                       average_.get(), group_.get());
}

// ---- resuming

/// A run keeps the schedule of glancing that it was started with, whatever train.max_updates becomes.
void Trainer::settle_glancing() {
  int64_t& updates = config_.objective.glancing.updates;
  if (updates == 0 && folder_.has_checkpoint()) updates = glancing_updates(config_of(CheckpointReader(folder_.last())));
  updates = glancing_updates(config_);
}

void Trainer::check_resumable(const CheckpointReader& checkpoint) const {
  TrainConfig before = config_of(checkpoint);
  before.objective.glancing.updates = glancing_updates(before);
  const TrainingState state = checkpoint.state();
  // Batches of an update are what counts, whoever computes them.
  const int64_t batches_before = int64_t{before.train.update_freq} * state.ranks,
                batches_now = int64_t{config_.train.update_freq} * ranks();
  if (batches_before != batches_now)
    throw Error(folder_.path() + ": expected train.update_freq times WORLD_SIZE to stay " +
                std::to_string(batches_before) + ", as the run was started, found " + std::to_string(batches_now));
  before.train.update_freq = config_.train.update_freq;
  const std::vector<std::string> changed = changed_settings(before, config_);
  if (!changed.empty())
    throw Error(folder_.path() + ": its run was started with other settings: " + join(changed) +
                ": undo the change, choose another --output, or start anew with --restart");
  if (state.data != state_.data)
    throw Error(config_.data.dir + ": expected the data that the run was started with (" + state.data + "), found " +
                state_.data + ": choose another --output, or start anew with --restart");
  if (state.threads != state_.threads)
    log_warning("the run was started with " + std::to_string(state.threads) + " threads and goes on with " +
                std::to_string(state_.threads) + ": its losses will differ in their last digits");
}

void Trainer::resume() {
  const CheckpointReader checkpoint(folder_.last());
  check_resumable(checkpoint);
  checkpoint.load("model", parameters_);
  if (average_) checkpoint.load("average", average_->tensors());
  checkpoint.load("optimizer", optimizer_->state());
  optimizer_->sync_steps();
  checkpoint.load("log", step_->state());
  const TrainingState here = state_;
  state_ = checkpoint.state();
  state_.threads = here.threads;
  state_.device = here.device;
  state_.ranks = here.ranks;
  saved_update_ = state_.update;
  if (state_.has_best && !validate_alike(config_of(checkpoint), config_)) forget_best();
  listener_->on_message("going on from update " + std::to_string(state_.update) + " of " + folder_.path());
}

/// Scores so far do not compare with those to come.
void Trainer::forget_best() {
  listener_->on_message(
      "validation has changed (data.valid, data.valid_sentences, data.tokenizer or train.bleu_sentences): the best "
      "score so far, of update " +
      std::to_string(state_.best_update) + ", no longer counts");
  state_.has_best = false;
  state_.best_score = 0;
  state_.best_update = state_.bad_validations = 0;
  state_.validated_update = -1;
  unsaved_ = true;
}

// ---- the course of training

int64_t Trainer::total_updates() {
  int64_t total = config_.train.max_updates;
  if (config_.train.max_epochs > 0) {
    // Of the first epoch, so that the schedule is the same wherever the run goes on: an epoch of keys may have another
    // number of batches.
    const int64_t first_epoch = state_.epoch == 1 ? loader_->batches_in_epoch()
                                                  : static_cast<int64_t>(maker_->plan(1, /*shuffle=*/true).size());
    const int64_t batches = first_epoch * config_.train.max_epochs;
    const int64_t of_update = int64_t{config_.train.update_freq} * ranks();
    const int64_t updates = (batches + of_update - 1) / of_update;
    total = total == 0 ? updates : std::min(total, updates);
  }
  return total;
}

/// Clocks and validations are the ranks' own: one that is finished ends all.
bool Trainer::all_agree_to_go_on() const { return group_ ? !group_->any(is_finished()) : !is_finished(); }

bool Trainer::is_finished() const {
  const TrainerSpec& spec = config_.train;
  return (spec.max_updates > 0 && state_.update >= spec.max_updates) ||
         (spec.max_epochs > 0 && state_.epoch > spec.max_epochs) ||
         (spec.max_minutes > 0 && state_.seconds >= 60 * spec.max_minutes) ||
         (spec.patience > 0 && state_.bad_validations >= spec.patience);
}

TrainResult Trainer::run() {
  loader_ =
      std::make_unique<BatchLoader>(maker_.get(), DataPosition{state_.epoch, state_.batch}, config_.data.num_workers,
                                    config_.data.prefetch, device_.is_cuda(), group_ ? group_->rank() : 0, ranks());
  const int64_t total = total_updates();
  schedule_ = std::make_unique<Schedule>(config_.schedule, config_.optimizer.lr, total);
  if (is_first()) log_ = std::make_unique<JsonLog>(folder_.log(), state_.update);
  if (is_first() && config_.train.tensorboard)
    tensorboard_ = std::make_unique<TensorBoardWriter>(folder_.tensorboard(), state_.update + 1);
  report_counts();
  listener_->on_start(state_.update, total);
  if (validator_ && state_.update > 0 && is_due(config_.train.validate_every) &&
      state_.validated_update != state_.update && !is_finished()) {
    validate();  // it was interrupted
    save_last();
  }
  while (all_agree_to_go_on()) update_once();
  return finish();
}

void Trainer::report_counts() {
  int64_t count = 0;
  for (const auto& [name, parameter] : parameters_) count += parameter.numel();
  listener_->on_message(std::to_string(count) + " parameters, " + std::to_string(data_.training_set().num_tokens()) +
                        " training tokens in " + std::to_string(loader_->batches_in_epoch()) + " batches, on " +
                        describe_device(device_) +
                        (precision_ == Precision::kFp32 ? "" : std::string(" in ") + kPrecisionNames.name(precision_)));
  if (loader_->num_too_long() > 0)
    log_warning(std::to_string(loader_->num_too_long()) + " training sentences are left out: longer than " +
                maker_->limit());
}

void Trainer::update_once() {
  const double start = monotonic_seconds();
  std::vector<Batch> batches;
  try {
    for (int i = 0; i < config_.train.update_freq; ++i) batches.push_back(loader_->next());
  } catch (const Interrupted&) {
    save_last();
    throw;
  }
  lr_ = schedule_->rate(state_.update);
  step_->run(batches, lr_, state_.update + 1);
  state_.update += 1;
  state_.epoch = loader_->position().epoch;
  state_.batch = loader_->position().batch;
  state_.log_targets += step_->num_targets();
  interval_targets_ += step_->num_targets();
  state_.log_updates += 1;
  unsaved_ = true;
  state_.seconds += monotonic_seconds() - start;
  after_update(batches);
}

bool Trainer::is_due(int64_t interval) const { return interval > 0 && state_.update % interval == 0; }

void Trainer::after_update(const std::vector<Batch>& batches) {
  const TrainerSpec& spec = config_.train;
  const bool logs = is_due(spec.log_every), validates = validator_ && is_due(spec.validate_every);
  const bool saves = validates || is_due(spec.save_every);
  if (device_.is_cpu() || logs || saves || is_due(kDeviceCheckInterval)) check_faults(batches);
  if (logs) write_log();
  if (validates) validate();
  if (saves) save_last();
  listener_->on_update(state_.update, note_);
  stop_if_interrupted();
}

void Trainer::check_faults(const std::vector<Batch>& batches) {
  const double start = monotonic_seconds();
  const UpdateStep::Faults faults = step_->faults();
  state_.seconds += monotonic_seconds() - start;  // on a GPU the time of the work that was queued
  if (faults.count > state_.skipped)
    log_warning("up to update " + std::to_string(state_.update) + ", " + std::to_string(faults.count) +
                " updates were left out: loss or gradient not finite");
  state_.skipped = faults.count;
  if (faults.count <= config_.train.max_skipped) return;
  throw Error("update " + std::to_string(faults.first_update) +
              ": loss or gradient is not finite (last batch read: epoch " + std::to_string(batches.back().epoch) +
              ", batch " + std::to_string(batches.back().index + 1) + "): the weights of update " +
              std::to_string(saved_update_) +
              " are kept; lower optimizer.lr or train.clip_norm, or raise train.max_skipped");
}

// ---- logs

void Trainer::write_log() {
  const torch::Tensor sums = step_->sums().to(torch::kCPU);
  const double updates = static_cast<double>(std::max<int64_t>(1, state_.log_updates));
  const double targets = static_cast<double>(std::max<int64_t>(1, state_.log_targets));
  const double rate = static_cast<double>(interval_targets_) / std::max(1e-9, state_.seconds - interval_start_);
  std::vector<std::pair<std::string, double>> values = {{"loss", sums[0].item<double>() / updates},
                                                        {"nll", sums[1].item<double>() / targets},
                                                        {"grad_norm", sums[3].item<double>() / updates},
                                                        {"lr", lr_},
                                                        {"tokens_per_s", rate},
                                                        {"seconds", state_.seconds}};
  const double accuracy = sums[2].item<double>() / targets;
  const bool counted = std::isfinite(accuracy);  // ctc counts only while it glances
  if (counted) values.emplace_back("acc", accuracy);
  const std::vector<std::string> parts = objective_->part_names();
  for (size_t i = 0; i < parts.size(); ++i)
    values.emplace_back(parts[i], sums[4 + static_cast<int64_t>(i)].item<double>() / updates);
  if (precision_ == Precision::kFp16) values.emplace_back("loss_scale", step_->loss_scale());
  Json line = Json::object();
  line.set("type", Json("train"));
  line.set("update", Json(state_.update));
  line.set("epoch", Json(state_.epoch));
  std::vector<std::pair<std::string, double>> scalars;
  for (const auto& [name, value] : values) {
    line.set(name, Json(value));
    scalars.emplace_back("train/" + name, value);
  }
  if (log_) log_->write(line);
  if (tensorboard_) tensorboard_->write(state_.update, scalars);
  note_ = "epoch " + std::to_string(state_.epoch) + ", loss " + format("%.4f", values[0].second) +
          (counted ? ", acc " + format("%.2f", 100 * accuracy) + " %" : "") + ", " + format("%.0f", rate) + " tokens/s";
  state_.tokens += state_.log_targets;
  state_.log_updates = state_.log_targets = 0;
  step_->clear_sums();
  interval_start_ = state_.seconds;
  interval_targets_ = 0;
}

void Trainer::score() {
  std::optional<WeightSwap> swap;
  if (average_) swap.emplace(parameters_, average_->tensors());
  report_ = validator_->run(*model_, *objective_, device_, precision_);
}

void Trainer::validate() {
  try {
    score();
  } catch (const Interrupted&) {
    save_last();  // run() makes up for this validation when the run goes on
    throw;
  }
  state_.validated_update = state_.update;
  unsaved_ = true;
  // A score that is no number is never the best: nothing would compare as better afterwards.
  const double score = report_->score(config_.train.best_metric);
  const bool is_best =
      std::isfinite(score) && std::isfinite(report_->nll) && (!state_.has_best || score < state_.best_score);
  state_.bad_validations = is_best ? 0 : state_.bad_validations + 1;
  if (is_best) {
    state_.has_best = true;
    state_.best_score = score;
    state_.best_update = state_.update;
    write_checkpoint(folder_.best(), content(/*for_resuming=*/false));
  }
  log_validation(is_best);
}

void Trainer::log_validation(bool is_best) {
  Json line = Json::object();
  line.set("type", Json("valid"));
  line.set("update", Json(state_.update));
  const Json scores = report_->to_json();
  for (const auto& [key, value] : scores.members()) line.set(key, value);
  line.set("best", Json(is_best));
  log_->write(line);
  std::vector<std::pair<std::string, double>> scalars = {{"valid/nll", report_->nll}, {"valid/acc", report_->accuracy}};
  std::string text = "update " + std::to_string(state_.update) + ": valid nll " + format("%.4f", report_->nll) +
                     ", acc " + format("%.2f", 100 * report_->accuracy) + " % (";
  for (const ModeScore& score : report_->modes) {
    scalars.emplace_back("valid/" + score.mode + "/acc", score.accuracy);
    text += (text.back() == '(' ? "" : ", ") + score.mode + " " + format("%.2f", 100 * score.accuracy);
  }
  text += ")";
  if (report_->bleu) {
    scalars.emplace_back("valid/bleu", *report_->bleu);
    text += ", BLEU " + format("%.2f", *report_->bleu);
  }
  if (tensorboard_) tensorboard_->write(state_.update, scalars);
  listener_->on_message(text + (is_best ? ", best so far" : ""));
}

// ---- checkpoints

CheckpointContent Trainer::content(bool for_resuming) const {
  CheckpointContent content;
  content.spec = config_.model;
  content.config_toml = config::dump_toml(config_);
  content.decode_json = decode_settings(config_).dump();
  content.state = state_;
  content.model = parameters_;
  if (average_) content.average = average_->tensors();
  if (!for_resuming) return content;
  content.optimizer = optimizer_->state();
  content.log = step_->state();
  return content;
}

void Trainer::save_last() {
  if (!unsaved_ || !is_first()) return;
  write_checkpoint(folder_.last(), content(/*for_resuming=*/true));
  saved_update_ = state_.update;
  unsaved_ = false;
  if (config_.train.keep_last == 0) return;
  write_checkpoint(folder_.numbered(state_.update), content(/*for_resuming=*/false));
  folder_.prune(config_.train.keep_last);
}

void Trainer::stop_if_interrupted() {
  // A signal to one rank stops all of them after the same update.
  if (group_ ? !group_->any(interrupted()) : !interrupted()) return;
  save_last();
  listener_->on_message("interrupted at update " + std::to_string(state_.update) + "; the state is in " +
                        folder_.last());
  throw_if_interrupted();
  throw Interrupted(SIGTERM);  // which another rank heard
}

TrainResult Trainer::finish() {
  if (state_.log_updates > 0) write_log();
  if (validator_ && state_.validated_update != state_.update) validate();
  if (validator_ && !report_) score();  // a finished run that is started again
  save_last();
  if (!validator_ && is_first()) write_checkpoint(folder_.best(), content(/*for_resuming=*/false));
  TrainResult result;
  result.updates = state_.update;
  result.best_update = state_.best_update;
  result.seconds = state_.seconds;
  for (const auto& [name, parameter] : parameters_) result.parameters += parameter.numel();
  result.device = describe_device(device_);
  result.report = report_;
  return result;
}

Json TrainResult::to_json() const {
  Json json = Json::object();
  json.set("updates", Json(updates));
  json.set("best_update", Json(best_update));
  json.set("seconds", Json(seconds));
  json.set("parameters", Json(parameters));
  json.set("device", Json(device));
  if (report) json.set("valid", report->to_json());
  return json;
}

}  // namespace litenat::train
