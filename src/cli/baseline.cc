#include "cli/baseline.h"

namespace litenat::cli {
namespace {

decode::ImeResources without_words(decode::ImeResources resources) {
  resources.word_model = nullptr;
  resources.keys_input = false;  // the engine below reads units, whatever the model's network reads
  return resources;
}

}  // namespace

BaselineConverter::BaselineConverter(const decode::ImeResources& resources)
    : resources_(without_words(resources)),
      engine_(&resources_.targets, &resources_.lexicon),
      decoder_(&engine_, &resources_) {
  options_.parses = 1;
  options_.beam = 1;
  options_.word_weight = 0;
  options_.word_penalty = 0;
}

std::string BaselineConverter::convert(const std::string& line) {
  const auto candidates = decoder_.convert(line, options_);
  return candidates.ok() && !candidates.value().empty() ? candidates.value()[0].text : std::string();
}

}  // namespace litenat::cli
