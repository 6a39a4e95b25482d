// The baseline that a model must beat: the commonest hanzi of every syllable.
#pragma once

#include <memory>
#include <string>

#include "decode/ime_decoder.h"
#include "decode/unigram_engine.h"

namespace litenat::cli {

/// Reads the keys by the best segmentation of the unit n-gram and writes the commonest hanzi for each unit. Uses the
/// dictionary and lexicon of a model, neither its network nor its words.
class BaselineConverter {
 public:
  explicit BaselineConverter(const decode::ImeResources& resources);
  /// A line that the decoder refuses gives an empty text.
  std::string convert(const std::string& line);

 private:
  decode::ImeResources resources_;
  decode::UnigramEngine engine_;
  decode::ImeDecoder decoder_;
  decode::ImeOptions options_;
};

}  // namespace litenat::cli
