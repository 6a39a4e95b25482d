// A tiny input-method model with random weights: a dozen hanzi, a lexicon of characters and one word.
#pragma once

#include <string>
#include <vector>

#include "runtime/testing/random_model.h"
#include "text/dictionary.h"
#include "text/lexicon.h"
#include "text/syllables.h"
#include "text/units.h"

namespace litenat::runtime::testing {

struct Reading {
  const char* hanzi;
  const char* pinyin;
};
constexpr Reading kReadings[] = {{"你", "ni"},    {"泥", "ni"},    {"好", "hao"}, {"号", "hao"},
                                 {"中", "zhong"}, {"种", "zhong"}, {"国", "guo"}, {"果", "guo"},
                                 {"我", "wo"},    {"是", "shi"},   {"十", "shi"}};

inline text::Dictionary tiny_dictionary() {
  text::Dictionary dictionary;
  for (const Reading& reading : kReadings) dictionary.add(reading.hanzi, 1);
  return dictionary;
}

inline std::vector<uint8_t> tiny_lexicon(const text::Dictionary& targets) {
  std::vector<text::LexiconEntry> entries;
  for (const Reading& reading : kReadings)
    entries.push_back({reading.hanzi, {text::find_syllable(reading.pinyin)}, 1.0});
  entries.push_back({"中国", {text::find_syllable("zhong"), text::find_syllable("guo")}, 5.0});
  Result<text::LexiconBuild> build = text::build_lexicon(entries, targets);
  EXPECT_TRUE(build.ok()) << build.status().message();
  return build.value().blob;
}

inline graph::ModelSpec ime_spec() {
  graph::ModelSpec spec;
  spec.input = graph::InputKind::kUnits;
  spec.dim = 16;
  spec.source_vocabulary = text::kFirstUnit + text::num_units();
  spec.target_vocabulary = tiny_dictionary().size();
  spec.encoder.blocks.resize(1);
  spec.encoder.blocks[0].conv.heads = 4;
  spec.encoder.blocks[0].ffn_dim = 32;
  return spec;
}

/// Adds the dictionary and the lexicon, without the section `left_out` (may be null).
inline void add_text(format::ContainerWriter* writer, const char* left_out) {
  const text::Dictionary targets = tiny_dictionary();
  const std::string text = targets.to_text();
  writer->add_copy(kTargetDictionary, format::TensorType::kU8, {static_cast<int64_t>(text.size())}, text.data(),
                   text.size());
  const std::vector<uint8_t> lexicon = tiny_lexicon(targets);
  if (left_out == nullptr || std::string(left_out) != kLexicon)
    add_vector(writer, kLexicon, format::TensorType::kU8, {static_cast<int64_t>(lexicon.size())}, lexicon);
}

/// A container writer with everything that an input-method model has, n-grams left out.
inline format::ContainerWriter ime_writer(const graph::ModelSpec& spec, Precision precision) {
  format::ContainerWriter writer;
  set_model_metadata(spec, &writer);
  RandomWeights weights = random_weights(spec, 12);
  add_weights(&writer, precision, &weights);
  add_text(&writer, nullptr);
  return writer;
}

}  // namespace litenat::runtime::testing
