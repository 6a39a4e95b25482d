#include "train/validation.h"

#include <algorithm>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "train/device.h"

namespace litenat::train {
namespace {

// Of everybody's validations: scores of runs with different seeds compare.
constexpr uint64_t kValidationSeed = 20240501;
constexpr double kMixedCut = 0.3;

std::vector<std::pair<data::KeyMode, double>> shares(const data::KeyMixture& keys) {
  return {{data::KeyMode::kFull, keys.full},
          {data::KeyMode::kMixed, keys.mixed},
          {data::KeyMode::kInitials, keys.initials},
          {data::KeyMode::kNineKey, keys.nine_key},
          {data::KeyMode::kNineKeyInitials, keys.nine_key_initials}};
}

}  // namespace

std::vector<data::Batch> plan_validation(const BatchMaker& maker, const std::string& name) {
  int64_t too_long = 0;
  std::vector<data::Batch> plan = maker.plan(/*epoch=*/0, /*shuffle=*/false, &too_long);
  if (plan.empty())
    throw Error("validation, " + name + ": every sentence is longer than " + maker.limit() + ": raise it");
  if (too_long > 0)
    log_warning("validation, " + name + ": " + std::to_string(too_long) + " sentences are left out: longer than " +
                maker.limit());
  return plan;
}

ModeScore score_batches(const BatchMaker& maker, const std::vector<data::Batch>& plan, nn::Model& model,
                        const Objective& objective, const torch::Device& device, Precision precision) {
  const torch::NoGradGuard no_grad;
  torch::Tensor nll = torch::zeros({}, torch::TensorOptions(torch::kFloat64).device(device));
  torch::Tensor correct = torch::zeros_like(nll);
  Denominators all;
  for (const data::Batch& sentences : plan) {
    throw_if_interrupted();
    const Batch batch = maker.make(sentences, 0);
    Denominators of_batch;
    of_batch.add(batch);
    all.add(batch);
    const Autocast autocast(precision);
    const Loss loss = objective.compute(model, batch.to(device), of_batch);
    nll += loss.nll;
    correct += loss.correct;
  }
  const double count = static_cast<double>(std::max<int64_t>(1, all.targets));
  return {"", nll.item<double>() / count, correct.item<double>() / count};
}

TaggingValidator::TaggingValidator(const TaggingDataset* dataset, graph::InputKind input, const DataSpec& spec) {
  const auto add = [&](const std::string& name, double share, const UnitSampler& sampler) {
    auto maker = std::make_unique<TaggingBatches>(dataset, input, spec.batch, sampler, kValidationSeed);
    std::vector<data::Batch> plan = plan_validation(*maker, name);
    modes_.push_back({name, share, std::move(maker), std::move(plan)});
  };
  if (input == graph::InputKind::kTokens) {
    add("tokens", 1, nullptr);
    return;
  }
  for (const auto& [mode, share] : shares(spec.keys))
    add(data::kKeyModeNames.name(mode), share, mode_sampler(mode, kMixedCut));
}

ValidationReport TaggingValidator::run(nn::Model& model, const Objective& objective, const torch::Device& device,
                                       Precision precision) const {
  model.eval();
  ValidationReport report;
  double total_share = 0;
  for (const Mode& mode : modes_) total_share += mode.share;
  for (const Mode& mode : modes_) {
    ModeScore score = score_batches(*mode.maker, mode.plan, model, objective, device, precision);
    score.mode = mode.name;
    const double share = total_share > 0 ? mode.share / total_share : 1.0 / static_cast<double>(modes_.size());
    report.nll += share * score.nll;
    report.accuracy += share * score.accuracy;
    report.modes.push_back(std::move(score));
  }
  return report;
}

Json ValidationReport::to_json() const {
  Json json = Json::object();
  json.set("nll", Json(nll));
  json.set("acc", Json(accuracy));
  if (bleu) json.set("bleu", Json(*bleu));
  Json by_mode = Json::object();
  for (const ModeScore& score : modes) {
    Json entry = Json::object();
    entry.set("nll", Json(score.nll));
    entry.set("acc", Json(score.accuracy));
    by_mode.set(score.mode, std::move(entry));
  }
  json.set("modes", std::move(by_mode));
  return json;
}

}  // namespace litenat::train
