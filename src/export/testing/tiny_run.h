// A run folder with a random checkpoint and real text resources, small enough for tests.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "format/container.h"
#include "graph/graph.h"
#include "runtime/model.h"
#include "text/dictionary.h"
#include "text/lexicon.h"
#include "text/units.h"

namespace litenat::export_model::testing {

namespace fs = std::filesystem;

/// A folder that goes away with the object.
class ScopedFolder {
 public:
  ScopedFolder() {
    std::string pattern = (fs::temp_directory_path() / "litenat-test-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw Error("cannot make " + pattern);
    path_ = pattern;
  }
  ~ScopedFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScopedFolder(const ScopedFolder&) = delete;
  ScopedFolder& operator=(const ScopedFolder&) = delete;
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

struct Reading {
  const char* hanzi;
  const char* syllable;
  int64_t count;
};
/// "shi" has two hanzi of which the second is rarer.
inline const std::vector<Reading>& tiny_readings() {
  static const std::vector<Reading> readings = {{"你", "ni", 90},  {"好", "hao", 80}, {"是", "shi", 70},
                                                {"世", "shi", 60}, {"界", "jie", 50}, {"们", "men", 40},
                                                {"我", "wo", 30},  {"号", "hao", 20}};
  return readings;
}

inline text::Dictionary tiny_dictionary() {
  text::Dictionary dictionary;
  for (const Reading& reading : tiny_readings()) dictionary.add(reading.hanzi, reading.count);
  return dictionary;
}

/// A tagger of units with a lightweight and a dynamic block.
inline graph::ModelSpec tiny_spec() {
  graph::ModelSpec spec;
  spec.input = graph::InputKind::kUnits;
  spec.dim = 16;
  spec.source_vocabulary = text::kFirstUnit + text::num_units();
  spec.target_vocabulary = tiny_dictionary().size();
  graph::BlockSpec block;
  block.ffn_dim = 24;
  block.conv.heads = 4;
  spec.encoder.blocks = {block, block};
  spec.encoder.blocks[0].conv.kind = graph::ConvKind::kLightweight;
  return spec;
}

inline void write_tiny_resources(const std::string& path) {
  const text::Dictionary dictionary = tiny_dictionary();
  std::vector<text::LexiconEntry> entries;
  for (const Reading& reading : tiny_readings())
    entries.push_back({reading.hanzi, {text::find_syllable(reading.syllable)}, static_cast<double>(reading.count)});
  entries.push_back({"世界", {text::find_syllable("shi"), text::find_syllable("jie")}, 10});
  const text::LexiconBuild build = value_or_throw(text::build_lexicon(entries, dictionary));
  const std::string text = dictionary.to_text();
  format::ContainerWriter writer;
  writer.add_copy(runtime::kTargetDictionary, format::TensorType::kU8, {static_cast<int64_t>(text.size())}, text.data(),
                  text.size());
  writer.add_copy(runtime::kLexicon, format::TensorType::kU8, {static_cast<int64_t>(build.blob.size())},
                  build.blob.data(), build.blob.size());
  throw_if_error(writer.write(path));
}

/// The random value of every parameter: it depends on the name and the seed alone.
inline std::vector<float> tiny_values(const graph::Weight& weight, uint64_t seed) {
  int64_t size = 1;
  for (const int64_t extent : weight.shape) size *= extent;
  uint64_t stream = 0;
  for (const char c : weight.name) stream = stream * 131 + static_cast<unsigned char>(c);
  SplitMix64 random(seed, stream);
  const bool gain = weight.shape.size() == 1 && weight.name.find("norm") != std::string::npos &&
                    weight.name.find("weight") != std::string::npos;
  std::vector<float> values(static_cast<size_t>(size));
  for (float& value : values) value = static_cast<float>((gain ? 1.0 : 0.0) + 0.5 * (2 * random.uniform() - 1));
  return values;
}

inline void add_tiny_weights(format::ContainerWriter* writer, const std::string& prefix, const graph::ModelSpec& spec,
                             uint64_t seed) {
  std::vector<graph::Weight> weights = value_or_throw(graph::build_graph(spec)).weights;
  weights.push_back({"head.syllable.weight", {3, spec.dim}});  // training only
  if (spec.head.kind == graph::HeadKind::kCrf)
    for (const char* name : {"crf_layer.E1.weight", "crf_layer.E2.weight"})
      weights.push_back({name, {spec.target_vocabulary, spec.head.crf_rank}});
  for (const graph::Weight& weight : weights) {
    const std::vector<float> values = tiny_values(weight, seed);
    writer->add_copy(prefix + weight.name, format::TensorType::kF32, weight.shape, values.data(),
                     values.size() * sizeof(float));
  }
}

constexpr uint64_t kModelSeed = 1;
constexpr uint64_t kAverageSeed = 2;

inline void write_tiny_checkpoint(const std::string& path, const graph::ModelSpec& spec, bool with_average) {
  format::ContainerWriter writer;
  add_tiny_weights(&writer, "model/", spec, kModelSeed);
  if (with_average) add_tiny_weights(&writer, "average/", spec, kAverageSeed);
  writer.set_metadata("litenat.spec", graph::to_json(spec));
  writer.set_metadata("litenat.config", "[train]\n");
  writer.set_metadata("litenat.state", "{\"update\":120,\"epoch\":2,\"best\":0.5,\"random\":[1,2]}");
  throw_if_error(writer.write(path));
}

/// FOLDER/resources.litenat and FOLDER/checkpoints/last.safetensors.
inline void write_tiny_run(const std::string& folder, const graph::ModelSpec& spec = tiny_spec(),
                           bool with_average = false) {
  fs::create_directories(fs::path(folder) / "checkpoints");
  write_tiny_resources((fs::path(folder) / "resources.litenat").string());
  write_tiny_checkpoint((fs::path(folder) / "checkpoints" / "last.safetensors").string(), spec, with_average);
}

}  // namespace litenat::export_model::testing
