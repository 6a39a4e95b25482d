#include "train/average_checkpoints.h"

#include <algorithm>

#include "base/error.h"
#include "base/interrupt.h"
#include "nn/tagger.h"
#include "train/checkpoint.h"

namespace litenat::train {

void average_checkpoints(const std::vector<std::string>& inputs, const std::string& output) {
  if (inputs.empty()) throw UsageError("average: expected at least one checkpoint");
  std::vector<CheckpointReader> checkpoints(inputs.begin(), inputs.end());
  // A shell lists update_500 after update_1000.
  const auto trained_less = [](const CheckpointReader& a, const CheckpointReader& b) {
    return a.state().update < b.state().update;
  };
  const CheckpointReader& last = *std::max_element(checkpoints.begin(), checkpoints.end(), trained_less);
  const graph::ModelSpec spec = last.spec();
  for (const CheckpointReader& checkpoint : checkpoints)
    if (graph::to_json(checkpoint.spec()) != graph::to_json(spec))
      throw Error(checkpoint.path() + ": its model is not that of " + last.path() +
                  ": only checkpoints of one configuration can be averaged");
  const bool averaged =
      std::all_of(checkpoints.begin(), checkpoints.end(), [](const CheckpointReader& c) { return c.has("average"); });

  // Only the names and shapes of this model are used.
  const std::unique_ptr<nn::Model> model = nn::make_model(spec, nn::DropoutSpec{});
  NamedTensors sums, one;
  for (const auto& item : model->named_parameters()) {
    sums.emplace_back(item.key(), torch::zeros_like(item.value().detach(), torch::kFloat64));
    one.emplace_back(item.key(), torch::zeros_like(item.value().detach()));
  }
  for (const CheckpointReader& checkpoint : checkpoints) {
    throw_if_interrupted();
    checkpoint.load(averaged ? "average" : "model", one);
    for (size_t i = 0; i < one.size(); ++i) sums[i].second.add_(one[i].second);
  }
  CheckpointContent content;
  for (size_t i = 0; i < one.size(); ++i)
    content.model.emplace_back(one[i].first, (sums[i].second / static_cast<double>(inputs.size())).to(torch::kFloat32));
  content.spec = spec;
  content.config_toml = last.config_toml();
  content.decode_json = last.decode_json();
  content.state = last.state();
  write_checkpoint(output, content);
}

}  // namespace litenat::train
