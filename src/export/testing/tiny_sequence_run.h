// Run folders of models with a decoder: random checkpoints and small dictionaries.
#pragma once

#include <string>

#include "export/testing/tiny_run.h"

namespace litenat::export_model::testing {

/// A tokenizer of words (docs/formats.md).
constexpr const char* kTinyWords = "#litenat-words 1 longest\na 3\nab 2\n";

/// a .. h: 8 tokens and the specials.
inline text::Dictionary tiny_letters() {
  text::Dictionary dictionary;
  for (char letter = 'a'; letter <= 'h'; ++letter) dictionary.add(std::string(1, letter), 'z' - letter);
  return dictionary;
}

/// Lightweight convolutions on both sides, LSRA and attention in the decoder; one table for everything.
inline graph::ModelSpec tiny_sequence_spec(graph::Family family = graph::Family::kSequence) {
  graph::ModelSpec spec;
  spec.family = family;
  spec.dim = 16;
  spec.source_vocabulary = spec.target_vocabulary = tiny_letters().size();
  graph::BlockSpec block;
  block.ffn_dim = 24;
  block.conv.heads = 4;
  block.conv.kind = graph::ConvKind::kLightweight;
  block.attention.heads = 2;
  spec.encoder.blocks = {block};
  block.kind = graph::BlockKind::kLsra;
  spec.decoder.stack.blocks = {block};
  block.kind = graph::BlockKind::kAttention;
  spec.decoder.stack.blocks.push_back(block);
  spec.decoder.cross_heads = 2;
  spec.decoder.length_classes = 12;
  spec.embedding.positions = graph::Positions::kLearned;
  spec.embedding.max_positions = 30;
  spec.decoder.embedding = spec.embedding;
  spec.head.bias = false;
  return spec;
}

/// resources.litenat with the dictionaries of both sides and, unless it is empty, a tokenizer.
inline void write_tiny_pair_resources(const std::string& path, const std::string& tokenizer = "") {
  const std::string dictionary = tiny_letters().to_text();
  format::ContainerWriter writer;
  const auto add = [&](const char* name, const std::string& bytes) {
    writer.add_copy(name, format::TensorType::kU8, {static_cast<int64_t>(bytes.size())}, bytes.data(), bytes.size());
  };
  add(runtime::kSourceDictionary, dictionary);
  add(runtime::kTargetDictionary, dictionary);
  if (!tokenizer.empty()) add(runtime::kTokenizer, tokenizer);
  writer.set_metadata("text.languages", "en-de");
  throw_if_error(writer.write(path));
}

/// FOLDER/resources.litenat and FOLDER/checkpoints/last.safetensors.
inline void write_tiny_sequence_run(const std::string& folder, const graph::ModelSpec& spec = tiny_sequence_spec(),
                                    const std::string& tokenizer = "") {
  fs::create_directories(fs::path(folder) / "checkpoints");
  write_tiny_pair_resources((fs::path(folder) / "resources.litenat").string(), tokenizer);
  write_tiny_checkpoint((fs::path(folder) / "checkpoints" / "last.safetensors").string(), spec, false);
}

}  // namespace litenat::export_model::testing
