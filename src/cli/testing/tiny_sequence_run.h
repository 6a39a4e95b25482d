// Run folders of models with a decoder, with random weights and a dictionary of a few words.
#pragma once

#include <filesystem>
#include <string>

#include "export/testing/tiny_run.h"

namespace litenat::cli::testing {

inline text::Dictionary word_dictionary(const std::string& prefix) {
  text::Dictionary dictionary;
  for (int i = 0; i < 20; ++i) dictionary.add(prefix + std::to_string(i), 100 - i);
  return dictionary;
}

/// Sources are "a0" .. "a19", targets "b0" .. "b19".
inline graph::ModelSpec tiny_sequence_spec(graph::Family family) {
  graph::ModelSpec spec;
  spec.family = family;
  spec.dim = 16;
  spec.source_vocabulary = word_dictionary("a").size();
  spec.target_vocabulary = word_dictionary("b").size();
  spec.embedding.positions = graph::Positions::kLearned;
  spec.embedding.max_positions = 30;
  graph::BlockSpec block;
  block.kind = graph::BlockKind::kAttention;
  block.attention.heads = 4;
  block.ffn_dim = 24;
  spec.encoder.blocks = {block};
  spec.decoder.embedding = spec.embedding;
  spec.decoder.stack = spec.encoder;
  spec.decoder.cross_heads = 4;
  spec.decoder.share = graph::Sharing::kNone;
  spec.decoder.length_classes = 12;
  if (family == graph::Family::kNonAutoregressive) {
    spec.head.kind = graph::HeadKind::kCrf;
    spec.head.crf_rank = 4;
    spec.head.crf_beam = 8;
  }
  return spec;
}

inline void add_blob(format::ContainerWriter* writer, const char* name, const std::string& text) {
  writer->add_copy(name, format::TensorType::kU8, {static_cast<int64_t>(text.size())}, text.data(), text.size());
}

/// FOLDER/resources.litenat and FOLDER/checkpoints/last.safetensors.
inline void write_tiny_sequence_run(const std::string& folder, const graph::ModelSpec& spec,
                                    const std::string& tokenizer = "") {
  namespace fs = std::filesystem;
  fs::create_directories(fs::path(folder) / "checkpoints");
  format::ContainerWriter writer;
  add_blob(&writer, runtime::kSourceDictionary, word_dictionary("a").to_text());
  add_blob(&writer, runtime::kTargetDictionary, word_dictionary("b").to_text());
  if (!tokenizer.empty()) add_blob(&writer, runtime::kTokenizer, tokenizer);
  throw_if_error(writer.write((fs::path(folder) / "resources.litenat").string()));
  export_model::testing::write_tiny_checkpoint((fs::path(folder) / "checkpoints" / "last.safetensors").string(), spec,
                                               /*with_average=*/false);
}

}  // namespace litenat::cli::testing
