#include "train/validation.h"

#include <algorithm>

#include "base/error.h"
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

ModeScore score_mode(const BatchMaker& maker, const std::vector<data::Batch>& plan, nn::Tagger& model,
                     const Objective& objective, const torch::Device& device, bool bf16) {
  torch::Tensor nll = torch::zeros({}, torch::TensorOptions(torch::kFloat64).device(device));
  torch::Tensor correct = torch::zeros_like(nll);
  Denominators all;
  for (const data::Batch& sentences : plan) {
    const Batch batch = maker.make(sentences, 0);
    Denominators of_batch;
    of_batch.add(batch);
    all.add(batch);
    const Autocast autocast(bf16);
    const Loss loss = objective.compute(model, batch.to(device), of_batch);
    nll += loss.nll;
    correct += loss.correct;
  }
  const double count = static_cast<double>(std::max<int64_t>(1, all.targets));
  return {"", nll.item<double>() / count, correct.item<double>() / count};
}

}  // namespace

Validator::Validator(const TaggingDataset* dataset, graph::InputKind input, const DataSpec& spec) {
  const auto add = [&](const std::string& name, double share, const UnitSampler& sampler) {
    modes_.push_back({name, share, BatchMaker(dataset, input, spec.batch, sampler, kValidationSeed), {}});
    int64_t too_long = 0;
    modes_.back().plan = modes_.back().maker.plan(/*epoch=*/0, /*shuffle=*/false, &too_long);
    if (modes_.back().plan.empty())
      throw Error("validation, " + name + ": every sentence is longer than data.batch.max_positions = " +
                  std::to_string(spec.batch.max_positions) + ": raise it");
    if (too_long > 0)
      log_warning("validation, " + name + ": " + std::to_string(too_long) +
                  " sentences are left out: longer than data.batch.max_positions = " +
                  std::to_string(spec.batch.max_positions));
  };
  if (input == graph::InputKind::kTokens) {
    add("tokens", 1, nullptr);
    return;
  }
  for (const auto& [mode, share] : shares(spec.keys))
    add(data::kKeyModeNames.name(mode), share, mode_sampler(mode, kMixedCut));
}

ValidationReport Validator::run(nn::Tagger& model, const Objective& objective, const torch::Device& device,
                                bool bf16) const {
  const torch::NoGradGuard no_grad;
  model.eval();
  ValidationReport report;
  double total_share = 0;
  for (const Mode& mode : modes_) total_share += mode.share;
  for (const Mode& mode : modes_) {
    ModeScore score = score_mode(mode.maker, mode.plan, model, objective, device, bf16);
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
