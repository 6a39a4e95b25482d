// Every configuration of configs/: it parses, its parts fit together, its graph can be built. No libtorch is needed.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "config/config.h"
#include "graph/graph.h"
#include "train/train_config.h"

namespace litenat {
namespace {

namespace fs = std::filesystem;
using graph::Family;
using train::ObjectiveKind;
using train::TrainConfig;

constexpr int64_t kVocabulary = 32768;
const std::string kFolder = LITENAT_SOURCE_DIR "/configs/";

std::vector<std::string> all_configurations() {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(kFolder))
    if (entry.path().extension() == ".toml") names.push_back(fs::relative(entry.path(), kFolder).string());
  std::sort(names.begin(), names.end());
  return names;
}

TrainConfig load(const std::string& name) {
  TrainConfig config;
  config::load_config(kFolder + name, {}, &config);
  config.model.source_vocabulary = config.model.target_vocabulary = kVocabulary;
  return config;
}

/// The parts whose names begin with `prefix`, for 30 + 30 rows.
graph::Cost cost_of(const TrainConfig& config, const std::string& prefix) {
  const graph::ModelSpec spec = value_or_throw(graph::resolve(config.model));
  graph::Cost sum;
  for (const graph::PartCost& row : count_cost(value_or_throw(graph::build_graph(spec)), spec, 30, 30)) {
    if (row.part.compare(0, prefix.size(), prefix) != 0) continue;
    sum.multiply_adds += row.cost.multiply_adds;
    sum.embedding_parameters += row.cost.embedding_parameters;
    sum.other_parameters += row.cost.other_parameters;
  }
  return sum;
}

class EveryConfiguration : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryConfiguration, HasAGraph) {
  const TrainConfig config = load(GetParam());
  const Result<graph::Graph> graph = graph::build_graph(config.model);
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  EXPECT_GE(graph.value().find_output(graph::kEmissions), 0);
  EXPECT_EQ(graph.value().find_output(graph::kLength) >= 0,
            config.model.family == Family::kNonAutoregressive &&
                config.model.decoder.length == graph::LengthKind::kPredicted);
}

TEST_P(EveryConfiguration, TrainsWhatItsFamilyLearns) {
  const TrainConfig config = load(GetParam());
  const ObjectiveKind kind = config.objective.kind;
  const bool crf = config.model.head.kind == graph::HeadKind::kCrf;
  switch (config.model.family) {
    case Family::kTagger:
      EXPECT_EQ(kind, crf ? ObjectiveKind::kCrf : ObjectiveKind::kTagging);
      break;
    case Family::kSequence:
      EXPECT_EQ(kind, ObjectiveKind::kLabelSmoothed);
      break;
    case Family::kNonAutoregressive: {
      const bool ctc = config.model.decoder.length == graph::LengthKind::kRatio;
      EXPECT_EQ(kind == ObjectiveKind::kCtc, ctc);
      EXPECT_EQ(kind == ObjectiveKind::kCrfNat, crf);
      EXPECT_TRUE(ctc || crf || kind == ObjectiveKind::kNat || kind == ObjectiveKind::kGlat);
      break;
    }
  }
  EXPECT_GT(config.train.max_updates + config.train.max_epochs, 0) << "training must end";
}

TEST_P(EveryConfiguration, PositionsAndLengthsSufficeForItsBatches) {
  const TrainConfig config = load(GetParam());
  const int longest = config.data.batch.max_positions;
  const auto holds = [](const graph::EmbeddingSpec& embedding, double rows) {
    return embedding.positions == graph::Positions::kNone || embedding.max_positions >= rows;
  };
  EXPECT_TRUE(holds(config.model.embedding, longest));
  if (!graph::has_decoder(config.model)) return;
  const graph::DecoderSpec& decoder = config.model.decoder;
  const bool parallel = config.model.family == Family::kNonAutoregressive;
  const bool by_ratio = parallel && decoder.length == graph::LengthKind::kRatio;
  EXPECT_TRUE(holds(decoder.embedding, by_ratio ? decoder.length_ratio * longest : longest));
  EXPECT_TRUE(!parallel || by_ratio || decoder.length_classes > longest);
}

TEST_P(EveryConfiguration, WritesBackWhatItReads) {
  const TrainConfig config = load(GetParam());
  TrainConfig again;
  config::parse_config(config::dump_toml(config), "dump", &again);
  EXPECT_EQ(config::dump_toml(again), config::dump_toml(config));
}

INSTANTIATE_TEST_SUITE_P(Zoo, EveryConfiguration, ::testing::ValuesIn(all_configurations()), [](const auto& test) {
  std::string name = test.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
});

TEST(Zoo, HasEveryFamily) {
  const std::vector<std::string> names = all_configurations();
  for (const char* name : {"transformer-base",
                           "transformer-iwslt",
                           "transformer-multi30k",
                           "lite-transformer-200",
                           "lite-transformer-408",
                           "lite-transformer-496",
                           "lite-transformer-iwslt-160",
                           "lite-transformer-iwslt-240",
                           "lite-transformer-iwslt-320",
                           "lite-transformer-multi30k",
                           "nat",
                           "glat",
                           "glat-ctc",
                           "lite-encoder-nat",
                           "lite-encoder-lite-decoder-nat",
                           "conv-crf-nat-dynamic",
                           "conv-crf-nat-light",
                           "conv-crf-nat-seed",
                           "glat-factorised",
                           "conv-nat-factorised",
                           "conv-crf-nat-dynamic-factorised"})
    EXPECT_EQ(std::count(names.begin(), names.end(), std::string("mt/") + name + ".toml"), 1) << name;
}

TEST(Zoo, PublishedSizesAreExact) {
  EXPECT_EQ(cost_of(load("mt/conv-crf-nat-seed.toml"), "total").parameters(), 103936000);
  struct Size {
    const char* name;
    int64_t encoder;
    int64_t decoder;
    double mega_multiply_adds;  // without tables and output
  };
  for (const Size& size : {Size{"200", 958600, 1925800, 90.7}, Size{"408", 3864984, 7874808, 360.6},
                           Size{"496", 5680688, 11602928, 528.7}}) {
    const TrainConfig config = load(std::string("mt/lite-transformer-") + size.name + ".toml");
    EXPECT_EQ(cost_of(config, "encoder").other_parameters, size.encoder);
    EXPECT_EQ(cost_of(config, "decoder").other_parameters, size.decoder);
    const int64_t body = cost_of(config, "total").multiply_adds - cost_of(config, "head").multiply_adds;
    EXPECT_NEAR(static_cast<double>(body) * 1e-6, size.mega_multiply_adds, 0.05);
  }
}

TEST(Zoo, TheLiteTransformerOfMulti30kCostsAtMostHalf) {
  const auto body = [](const char* name) {
    const TrainConfig config = load(name);
    return cost_of(config, "total").multiply_adds - cost_of(config, "head").multiply_adds;
  };
  EXPECT_LE(2 * body("mt/lite-transformer-multi30k.toml"), body("mt/transformer-multi30k.toml"));
}

TEST(Zoo, FactorisedTablesAreSmaller) {
  for (const std::string& name : all_configurations()) {
    const size_t at = name.find("-factorised");
    if (at == std::string::npos) continue;
    const std::string whole = name.substr(0, at) + ".toml";
    EXPECT_LT(cost_of(load(name), "total").parameters(), cost_of(load(whole), "total").parameters()) << name;
  }
}

}  // namespace
}  // namespace litenat
