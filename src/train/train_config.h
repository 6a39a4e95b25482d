// Everything that `litenat train` can be told, as one settings struct: the sections of a configuration file.
#pragma once

#include <string>

#include "base/fields.h"
#include "decode/beam_search.h"
#include "decode/ime_decoder.h"
#include "decode/parallel_decoder.h"
#include "eval/tokenizer.h"
#include "graph/model_spec.h"
#include "nn/dropout_spec.h"
#include "train/data_spec.h"
#include "train/objective_spec.h"
#include "train/optimizer_spec.h"
#include "train/schedule.h"

namespace litenat::train {

enum class AverageKind { kNone, kEma };
inline const EnumNames<AverageKind> kAverageKindNames{{{AverageKind::kNone, "none"}, {AverageKind::kEma, "ema"}}};

enum class Precision { kAuto, kFp32, kBf16, kFp16 };
inline const EnumNames<Precision> kPrecisionNames{
    {{Precision::kAuto, "auto"}, {Precision::kFp32, "fp32"}, {Precision::kBf16, "bf16"}, {Precision::kFp16, "fp16"}}};

/// What the best checkpoint and early stopping go by.
enum class Metric { kNll, kBleu };
inline const EnumNames<Metric> kMetricNames{{{Metric::kNll, "nll"}, {Metric::kBleu, "bleu"}}};

/// The section [train].
struct TrainerSpec {
  std::string run_dir;
  int64_t max_updates = 0;
  int64_t max_epochs = 0;
  double max_minutes = 0;
  int update_freq = 1;
  double clip_norm = 1.0;
  int64_t seed = 1;
  AverageKind average = AverageKind::kEma;
  double ema_decay = 0.999;
  int64_t validate_every = 500;
  int patience = 0;
  int64_t save_every = 500;
  int keep_last = 0;
  int64_t log_every = 50;
  int max_skipped = 0;
  std::string device = "auto";
  Precision precision = Precision::kAuto;
  bool tensorboard = true;
  bool deterministic = true;
  double rank_timeout = 240;
  Metric best_metric = Metric::kNll;
  int64_t bleu_sentences = 1000;
  eval::Tokenizer bleu_tokenizer = eval::Tokenizer::k13a;

  template <class V>
  void visit(V& v) {
    v("run_dir", run_dir, "run folder; empty = runs/ and the name of the configuration file");
    v("max_updates", max_updates, "stop after so many updates; 0 = no limit", between(0, 1e12));
    v("max_epochs", max_epochs, "stop after so many passes over the data; 0 = no limit", between(0, 1e9));
    v("max_minutes", max_minutes, "stop after so many minutes of training, over all resumptions; 0 = no limit",
      between(0, 1e7));
    v("update_freq", update_freq, "batches whose gradients make one update", between(1, 65536));
    v("clip_norm", clip_norm, "largest global norm of the gradient; 0 = no clipping", between(0, 1e9));
    v("seed", seed, "seed of everything random", between(0, 1e15));
    v("average", average, "weights that are validated and exported: the plain ones or their moving average",
      kAverageKindNames);
    v("ema_decay", ema_decay, "decay of the moving average", between(0, 1));
    v("validate_every", validate_every, "updates between validations; 0 = only at the end", between(0, 1e12));
    v("patience", patience, "stop after so many validations without a better score; 0 = never", between(0, 1 << 20));
    v("save_every", save_every, "updates between checkpoints; 0 = only at validations and the end", between(0, 1e12));
    v("keep_last", keep_last, "also keep the last so many checkpoints by update number", between(0, 1000));
    v("log_every", log_every, "updates between log lines", between(1, 1e9));
    v("max_skipped", max_skipped, "updates with a loss or gradient that is no number that are skipped before giving up",
      between(0, 1 << 20));
    v("device", device, "auto, cpu, cuda or cuda:N");
    v("precision", precision, "auto: bf16 on a GPU, fp32 elsewhere; fp16 scales the loss", kPrecisionNames);
    v("tensorboard", tensorboard, "write TensorBoard event files too");
    v("deterministic", deterministic, "equal runs give equal numbers on a GPU too (on a CPU they always do)");
    v("rank_timeout", rank_timeout,
      "minutes that the processes of a run wait for one that does not answer; longer than any validation",
      between(0.01, 1e6));
    v("best_metric", best_metric, "what the best checkpoint and train.patience go by: nll (lower) or bleu (higher)",
      kMetricNames);
    v("bleu_sentences", bleu_sentences,
      "sentences of the validation split that are translated greedily for BLEU (models with a decoder); 0 = none",
      between(0, 1e9));
    v("bleu_tokenizer", bleu_tokenizer, "sacreBLEU's tokens of the text: zh and char for text without blanks",
      eval::kTokenizerNames);
  }
};

struct TrainConfig {
  DataSpec data;
  graph::ModelSpec model;
  nn::DropoutSpec dropout;
  ObjectiveSpec objective;
  OptimizerSpec optimizer;
  ScheduleSpec schedule;
  TrainerSpec train;
  decode::ImeOptions decode;
  decode::BeamOptions beam;
  decode::ParallelOptions parallel;

  template <class V>
  void visit(V& v) {
    v("data", data, "Training data.");
    v("model", model, "The model.");
    v("dropout", dropout, "Dropout rates.");
    v("objective", objective, "What is minimised.");
    v("optimizer", optimizer, "How weights are updated.");
    v("schedule", schedule, "The learning rate over time.");
    v("train", train, "The course of training.");
    v("decode", decode, "Settings of the decoder that are stored in a tagger.");
    v("beam", beam, "Settings of the search that are stored in an autoregressive model.");
    v("parallel", parallel, "Settings of decoding that are stored in a non-autoregressive model.");
  }
};

}  // namespace litenat::train
