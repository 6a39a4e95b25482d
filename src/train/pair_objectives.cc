#include "train/pair_objectives.h"

#include <ATen/ops/cross_entropy_loss.h>

#include "nn/crf.h"
#include "nn/sequence_model.h"
#include "train/ctc.h"
#include "train/glancing.h"
#include "train/losses.h"

namespace litenat::train {
namespace {

using torch::Tensor;

const nn::SequenceModel& sequence_model(nn::Model& model) { return dynamic_cast<const nn::SequenceModel&>(model); }

Tensor widened(const Tensor& x) { return x.scalar_type() == torch::kFloat64 ? x : x.to(torch::kFloat32); }

/// What the model makes of a batch.
struct Pass {
  nn::Encoded source;
  Tensor logits;  // [N, V] of the decoder's rows
};

Pass run(const nn::SequenceModel& model, const Batch& batch) {
  Pass pass{model.encode(batch.ids, batch.mask), {}};
  const Tensor states = model.decode(batch.decoder_ids, batch.decoder_mask, pass.source);
  pass.logits = model.logits(rows_of(states, batch.rows));
  return pass;
}

/// Values of rows [N, ...] in their places of the grid [B, R, ...] of a batch; zero elsewhere.
Tensor spread(const Tensor& values, const Batch& batch) {
  std::vector<int64_t> shape = values.sizes().vec();
  shape[0] = batch.decoder_mask.numel();
  const Tensor flat = torch::zeros(shape, values.options()).index_copy(0, batch.rows, values);
  shape.erase(shape.begin());
  shape.insert(shape.begin(), {batch.decoder_mask.size(0), batch.decoder_mask.size(1)});
  return flat.view(shape);
}

Tensor joined(const std::vector<Tensor>& parts) {
  std::vector<Tensor> values;
  for (const Tensor& part : parts) values.push_back(part.detach().to(torch::kFloat32));
  return torch::stack(values);
}

/// Shows `tokens` at the chosen positions and notes which targets stay hidden.
void show(const Tensor& shown, const Tensor& tokens, Batch* batch) {
  batch->decoder_ids = torch::where(shown, tokens, batch->decoder_ids);
  batch->hidden = shown.flatten().index_select(0, batch->rows).logical_not().to(torch::kFloat32);
}

/// The share of positions that were shown, as a part of the log.
Tensor glance_part(const Batch& batch, int64_t all_positions) {
  const Tensor hidden = batch.hidden.defined() ? batch.hidden : torch::ones_like(batch.rows, torch::kFloat32);
  return (1 - hidden).sum() * share(1, all_positions);
}

class LabelSmoothedObjective final : public Objective {
 public:
  explicit LabelSmoothedObjective(const ObjectiveSpec& spec) : spec_(spec) {}

  Loss compute(nn::Model& model, const Batch& batch, const Denominators& all) const override {
    const Pass pass = run(sequence_model(model), batch);
    const nn::CandidateLoss loss =
        smoothed_cross_entropy(pass.logits, batch.targets, spec_.label_smoothing, spec_.variant);
    return {loss.loss * share(spec_.token_weight, all.targets), loss.nll, loss.correct, {}};
  }

 private:
  ObjectiveSpec spec_;
};

/// Words and lengths; what nat, glat and crf_nat share, glancing included.
class NatObjective : public Objective {
 public:
  explicit NatObjective(const ObjectiveSpec& spec) : spec_(spec) {}

  std::vector<std::string> part_names() const override { return {"word", "length"}; }

  Loss compute(nn::Model& model, const Batch& batch, const Denominators& all) const override {
    const nn::SequenceModel& network = sequence_model(model);
    return compute_nat(network, run(network, batch), batch, all);
  }

 protected:
  /// Shows the decoder some of the targets that it gets wrong without.
  void glance(nn::Model& model, int64_t updates_done, Batch* batch) const {
    const double shown_share = spec_.glancing.share(updates_done);
    if (shown_share == 0) return;
    const torch::NoGradGuard no_grad;
    const Tensor predicted = spread(run(sequence_model(model), *batch).logits.argmax(1), *batch);
    show(choose_shown(predicted, batch->golds, batch->target_mask, batch->noise, shown_share), batch->golds, batch);
  }

  Loss compute_nat(const nn::SequenceModel& model, const Pass& pass, const Batch& batch,
                   const Denominators& all) const {
    const nn::CandidateLoss words =
        smoothed_cross_entropy(pass.logits, batch.targets, spec_.label_smoothing, spec_.variant, batch.hidden);
    const Tensor length = at::cross_entropy_loss(widened(model.length_logits(pass.source)), batch.length_classes, {},
                                                 at::Reduction::Sum) *
                          share(1, all.sentences);
    if (!batch.hidden.defined()) {
      const Tensor word = words.loss * share(1, all.targets);
      return {spec_.token_weight * word + spec_.length_weight * length, words.nll, words.correct,
              joined({word, length})};
    }
    const Tensor hidden = all.hidden.clamp_min(1);
    const Tensor word = words.loss / hidden, hidden_share = all.hidden * share(1, all.targets);
    // Log lines divide by all targets of the batch.
    const Tensor scale = static_cast<double>(batch.num_targets) / batch.hidden.sum().clamp_min(1);
    return {spec_.token_weight * word + spec_.length_weight * hidden_share * length, words.nll * scale,
            words.correct * scale, joined({word, length})};
  }

  ObjectiveSpec spec_;
};

class GlatObjective final : public NatObjective {
 public:
  using NatObjective::NatObjective;

  std::vector<std::string> part_names() const override { return {"word", "length", "glance"}; }

  void prepare(nn::Model& model, int64_t updates_done, Batch* batch) const override {
    glance(model, updates_done, batch);
  }

  Loss compute(nn::Model& model, const Batch& batch, const Denominators& all) const override {
    Loss loss = NatObjective::compute(model, batch, all);
    loss.parts = torch::cat({loss.parts, glance_part(batch, all.targets).unsqueeze(0)});
    return loss;
  }
};

/// With glancing, words count where they stay hidden, as in glat. The sentence's likelihood is that of all its words:
/// a chain without those that were shown would learn moves between words that are no neighbours.
class CrfNatObjective final : public NatObjective {
 public:
  using NatObjective::NatObjective;

  std::vector<std::string> part_names() const override { return {"word", "length", "crf", "glance"}; }

  void prepare(nn::Model& model, int64_t updates_done, Batch* batch) const override {
    glance(model, updates_done, batch);
  }

  Loss compute(nn::Model& model, const Batch& batch, const Denominators& all) const override {
    const nn::SequenceModel& network = sequence_model(model);
    const Pass pass = run(network, batch);
    Loss loss = compute_nat(network, pass, batch, all);
    const nn::CrfBeam rows = nn::select_beam(pass.logits, model.spec().head.crf_beam, batch.targets);
    const Tensor log_p = nn::crf_log_likelihood(nn::unpack_beam(rows, batch.target_rows, batch.target_mask),
                                                batch.target_mask, model.crf_from(), model.crf_to());
    const Tensor crf = (-log_p / batch.target_mask.sum(1).clamp_min(1)).sum() * share(1, all.sentences);
    loss.total = loss.total + spec_.crf_weight * crf;
    loss.nll = -log_p.detach().sum();
    loss.parts = torch::cat({loss.parts, joined({crf, glance_part(batch, all.targets)})});
    // While training, the row's best token counts (Viterbi would cost as much as the loss); else the best path.
    if (!model.is_training()) loss.correct = correct_on_path(model, pass.logits.detach(), batch);
    return loss;
  }

 private:
  static Tensor correct_on_path(nn::Model& model, const Tensor& logits, const Batch& batch) {
    const torch::NoGradGuard no_grad;
    const nn::CrfBeam beam =
        nn::unpack_beam(nn::select_beam(logits, model.spec().head.crf_beam), batch.target_rows, batch.target_mask);
    const nn::CrfPath path = nn::crf_viterbi(beam, batch.target_mask, model.crf_from(), model.crf_to());
    return path.tokens.masked_select(batch.target_mask).eq(batch.targets).sum();
  }
};

class CtcObjective final : public Objective {
 public:
  explicit CtcObjective(const ObjectiveSpec& spec) : spec_(spec) {}

  std::vector<std::string> part_names() const override { return {"ctc", "glance"}; }

  void prepare(nn::Model& model, int64_t updates_done, Batch* batch) const override {
    const double shown_share = spec_.glancing.share(updates_done);
    if (shown_share == 0) return;
    const torch::NoGradGuard no_grad;
    const Tensor log_p = log_probabilities(model, *batch);
    batch->alignment = best_alignment(log_p, batch->golds, batch->decoder_mask, batch->target_mask);
    show(choose_shown_rows(log_p.argmax(2), batch->alignment, batch->decoder_mask, batch->noise, shown_share),
         batch->alignment, batch);
  }

  Loss compute(nn::Model& model, const Batch& batch, const Denominators& all) const override {
    const Tensor log_p = log_probabilities(model, batch);
    const Tensor nll = ctc_loss(log_p, batch.golds, batch.row_lengths, batch.target_lengths).sum();
    const double eps = spec_.label_smoothing;
    const Tensor ctc = nll * share(1, all.rows);
    Tensor total = (1 - eps) * ctc;
    if (eps > 0) {
      const Tensor of_rows = log_p.mean(2).masked_fill(batch.decoder_mask.logical_not(), 0);
      total = total - of_rows.sum() * share(eps, all.rows);
    }
    // An alignment costs as much as the loss: training counts along the one that glancing has made, if any.
    const bool counts = batch.alignment.defined() || !model.is_training();
    return {spec_.token_weight * total, nll.detach(), counts ? correct(log_p.detach(), batch) : Tensor(),
            joined({ctc, glance_part(batch, all.rows)})};
  }

 private:
  /// [B, R, V] fp32.
  static Tensor log_probabilities(nn::Model& model, const Batch& batch) {
    const nn::SequenceModel& network = sequence_model(model);
    const nn::Encoded source = network.encode(batch.ids, batch.mask);
    const Tensor states = network.decode(batch.decoder_ids, batch.decoder_mask, source);
    return torch::log_softmax(widened(network.logits(states)), 2);
  }

  /// The share of (hidden) rows whose best token is that of the best alignment, times the targets.
  static Tensor correct(const Tensor& log_p, const Batch& batch) {
    const Tensor path = batch.alignment.defined()
                            ? batch.alignment
                            : best_alignment(log_p, batch.golds, batch.decoder_mask, batch.target_mask);
    const Tensor right = log_p.argmax(2).eq(path).flatten().index_select(0, batch.rows).to(torch::kFloat32);
    const Tensor counted = batch.hidden.defined() ? batch.hidden : torch::ones_like(right);
    return (right * counted).sum() / counted.sum().clamp_min(1) * static_cast<double>(batch.num_targets);
  }

  ObjectiveSpec spec_;
};

}  // namespace

std::unique_ptr<Objective> make_label_smoothed_objective(const ObjectiveSpec& spec) {
  return std::make_unique<LabelSmoothedObjective>(spec);
}
std::unique_ptr<Objective> make_nat_objective(const ObjectiveSpec& spec) {
  return std::make_unique<NatObjective>(spec);
}
std::unique_ptr<Objective> make_glat_objective(const ObjectiveSpec& spec) {
  return std::make_unique<GlatObjective>(spec);
}
std::unique_ptr<Objective> make_crf_nat_objective(const ObjectiveSpec& spec) {
  return std::make_unique<CrfNatObjective>(spec);
}
std::unique_ptr<Objective> make_ctc_objective(const ObjectiveSpec& spec) {
  return std::make_unique<CtcObjective>(spec);
}

}  // namespace litenat::train
