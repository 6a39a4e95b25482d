// Post-training quantisation of models with a decoder (tiny, random), calibrated on a folder of pairs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/error.h"
#include "base/random.h"
#include "data/indexed_dataset.h"
#include "quant/calibration_pairs.h"
#include "quant/quantize.h"
#include "quant/weight_quantization.h"
#include "runtime/testing/random_model.h"
#include "text/dictionary.h"

namespace litenat::quant {
namespace {

namespace fs = std::filesystem;
using graph::Family;
using runtime::Model;
using ::testing::HasSubstr;

using Ids = std::vector<int32_t>;
constexpr int64_t kVocabulary = 30;

graph::ModelSpec small_spec(Family family) {
  graph::ModelSpec spec;
  spec.family = family;
  spec.dim = 24;
  spec.source_vocabulary = spec.target_vocabulary = kVocabulary;
  graph::BlockSpec block;
  block.ffn_dim = 40;
  block.conv.heads = 4;
  block.attention.heads = 3;
  spec.encoder.blocks = {block};
  block.kind = graph::BlockKind::kLsra;
  spec.decoder.stack.blocks = {block};
  spec.decoder.cross_heads = 3;
  spec.decoder.length_classes = 20;
  spec.embedding.positions = graph::Positions::kLearned;
  spec.embedding.max_positions = 12;
  spec.decoder.embedding = spec.embedding;
  spec.head.bias = false;
  if (family == Family::kNonAutoregressive) {
    spec.head.kind = graph::HeadKind::kCrf;
    spec.head.crf_rank = 6;
  }
  return spec;
}

/// t4 .. t29: with the specials kVocabulary ids.
std::string dictionary_text(const std::string& prefix) {
  text::Dictionary dictionary;
  for (int id = 4; id < kVocabulary; ++id) dictionary.add(prefix + std::to_string(id), 100 - id);
  return dictionary.to_text();
}

/// A model with dictionaries.
std::shared_ptr<const Model> model_of(const graph::ModelSpec& spec, runtime::testing::RandomWeights* weights) {
  const runtime::testing::ScopedFile file("sequence.litenat");
  format::ContainerWriter writer;
  runtime::testing::set_model_metadata(spec, &writer);
  runtime::testing::add_weights(&writer, runtime::testing::Precision::kF32, weights);
  const std::string dictionary = dictionary_text("t");
  for (const char* name : {runtime::kSourceDictionary, runtime::kTargetDictionary})
    writer.add_copy(name, format::TensorType::kU8, {static_cast<int64_t>(dictionary.size())}, dictionary.data(),
                    dictionary.size());
  throw_if_error(writer.write(file.path()));
  return value_or_throw(Model::open(file.path()));
}

void write_side(const std::string& prefix, const std::vector<Ids>& sentences) {
  data::IndexedDatasetWriter writer(prefix, kVocabulary);
  throw_if_error(writer.open());
  for (const Ids& sentence : sentences) throw_if_error(writer.add(sentence));
  throw_if_error(writer.commit());
}

/// A `preprocess` folder and a model.
class SequenceQuantizeTest : public ::testing::TestWithParam<Family> {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "litenat-quant-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    for (const char* language : {"en", "de"}) write_dictionary(language, "t");
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write_dictionary(const std::string& language, const std::string& prefix) const {
    std::ofstream(folder_ / ("dict." + language + ".txt")) << dictionary_text(prefix);
  }
  void write_pairs(const std::string& split, const std::vector<Ids>& sources, const std::vector<Ids>& targets) const {
    write_side((folder_ / (split + ".en-de.en")).string(), sources);
    write_side((folder_ / (split + ".en-de.de")).string(), targets);
  }
  void write_random_pairs() const {
    SplitMix64 random(3);
    std::vector<Ids> sides[2];
    for (int i = 0; i < 40; ++i)
      for (std::vector<Ids>& side : sides) {
        Ids sentence;
        for (uint64_t length = 2 + random.below(8); length > 0; --length)
          sentence.push_back(static_cast<int32_t>(4 + random.below(kVocabulary - 4)));
        sentence.push_back(2);
        side.push_back(sentence);
      }
    write_pairs("valid", sides[0], sides[1]);
  }
  CalibrationSample sample(int64_t max_sentences = 100) const {
    return read_calibration_pairs(model_, folder_.string(), max_sentences);
  }
  std::string sample_error() const {
    try {
      sample();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  const graph::ModelSpec spec_ = small_spec(GetParam());
  runtime::testing::RandomWeights weights_ = runtime::testing::random_weights(spec_, 5);
  const std::shared_ptr<const Model> model_ = model_of(spec_, &weights_);
  const runtime::testing::ScopedFile file_{"int8.litenat"};
  fs::path folder_;
};

TEST_P(SequenceQuantizeTest, TheSharedTableIsPackedAndTheLengthStaysFloat) {
  write_random_pairs();
  write_quantized(model_, sample(), {}, file_.path());
  const auto int8 = value_or_throw(Model::open(file_.path()));
  const format::Tensor* table = int8->container().find("encoder.embed_tokens.weight");
  const auto& values = weights_.at("encoder.embed_tokens.weight").values;
  const std::vector<int8_t> expected = packed_k4n16(quantize_matrix(values, kVocabulary, spec_.dim));
  ASSERT_EQ(table->num_elements(), static_cast<int64_t>(expected.size()));
  EXPECT_EQ(std::vector<int8_t>(table->data<int8_t>(), table->data<int8_t>() + expected.size()), expected);
  const auto type_of = [&](const char* name) { return int8->container().find(name)->type; };
  EXPECT_EQ(type_of("decoder.layers.0.encoder_attn.k_proj.weight"), format::TensorType::kI8);
  EXPECT_EQ(type_of("decoder.embed_positions.weight"), format::TensorType::kI8);
  if (GetParam() == Family::kSequence) return;
  EXPECT_EQ(type_of("decoder.embed_length.weight"), format::TensorType::kF32);
  EXPECT_EQ(type_of("decoder.copy_attn.weight"), format::TensorType::kI8);
  EXPECT_EQ(type_of("crf_layer.E1.weight"), format::TensorType::kI8);
}

TEST_P(SequenceQuantizeTest, ReportCoversBothPhases) {
  write_random_pairs();
  const CalibrationSample pairs = sample();
  EXPECT_EQ(pairs.num_lines, 40);
  ASSERT_EQ(pairs.batches.size(), 3u);
  int64_t target_rows = 0;
  for (const CalibrationBatch& batch : pairs.batches) target_rows += static_cast<int64_t>(batch.target_ids.size());
  for (const ActivationMode mode : {ActivationMode::kDynamic, ActivationMode::kStatic}) {
    QuantizationSpec spec;
    spec.activations = mode;
    write_quantized(model_, pairs, spec, file_.path());
    const auto int8 = value_or_throw(Model::open(file_.path()));
    EXPECT_EQ(int8->container().find("encoder.embed_tokens.weight.input") != nullptr, mode == ActivationMode::kStatic);
    std::map<std::string, int64_t> rows;
    for (const LayerError& error : compare_layers(model_, int8, pairs)) {
      EXPECT_GT(error.cosine, 0.98) << error.name;
      rows[error.name] = error.rows;
    }
    EXPECT_EQ(rows["head.output"], target_rows);
    EXPECT_EQ(rows["decoder.layers.0.encoder_attn.k_proj"], pairs.num_rows - target_rows);
    EXPECT_EQ(rows["decoder.embed_length"], GetParam() == Family::kSequence ? 0 : pairs.num_lines);
  }
}

TEST_P(SequenceQuantizeTest, AModelEqualsItself) {
  write_random_pairs();
  for (const LayerError& error : compare_layers(model_, model_, sample(5)))
    EXPECT_TRUE(std::isinf(error.sqnr_db)) << error.name;
}

TEST_P(SequenceQuantizeTest, PairsAreReadAsTheFamilyDecodes) {
  write_pairs("test", {{5, 6, 2}, {7, 2}}, {{8, 9, 10, 2}, {11, 2}});
  const CalibrationSample pairs = sample();
  ASSERT_EQ(pairs.batches.size(), 1u);
  const CalibrationBatch& batch = pairs.batches[0];
  if (GetParam() == Family::kSequence) {
    EXPECT_EQ(batch.ids, (Ids{5, 6, 2, 7, 2}));
    EXPECT_EQ(batch.target_ids, (Ids{2, 8, 9, 10, 2, 11}));
    EXPECT_EQ(batch.target_lengths, (Ids{4, 2}));
  } else {
    EXPECT_EQ(batch.ids, (Ids{0, 5, 6, 2, 0, 7, 2}));
    EXPECT_EQ(batch.target_ids, (Ids{0, 3, 3, 3, 2, 0, 3, 2}));
    EXPECT_EQ(batch.target_lengths, (Ids{5, 3}));
  }
}

TEST_P(SequenceQuantizeTest, SpreadsTheSampleAndLeavesOutWhatIsTooLong) {
  const Ids longest(20, 5);
  write_pairs("valid", {{5, 2}, longest, {6, 2}, {7, 2}}, {{5, 2}, {5, 2}, longest, {7, 2}});
  EXPECT_EQ(sample().num_lines, 2);
  EXPECT_EQ(sample(1).num_lines, 1);
  write_pairs("valid", {longest}, {longest});
  EXPECT_THAT(sample_error(), HasSubstr("none of its 1 pairs fits the model"));
}

TEST_P(SequenceQuantizeTest, RefusesFoldersThatDoNotFit) {
  EXPECT_THAT(sample_error(), HasSubstr("holds none of {valid,test,train}"));
  write_random_pairs();
  write_dictionary("de", "x");
  EXPECT_THAT(sample_error(), HasSubstr("dict.de.txt: its 30 tokens are not those of"));
  write_dictionary("de", "t");
  write_side((folder_ / "valid.en-de.de").string(), {{5, 2}});
  EXPECT_THAT(sample_error(), HasSubstr("has 40 source and 1 target sentences"));
  write_side((folder_ / "valid.en-fr.fr").string(), {{5, 2}});
  EXPECT_THAT(sample_error(), HasSubstr("several language pairs (en-de, en-fr)"));
  fs::remove_all(folder_);
  EXPECT_THAT(sample_error(), HasSubstr("is no folder"));
}

INSTANTIATE_TEST_SUITE_P(Families, SequenceQuantizeTest,
                         ::testing::Values(Family::kSequence, Family::kNonAutoregressive), [](const auto& parameter) {
                           return parameter.param == Family::kSequence ? "sequence" : "non_autoregressive";
                         });

TEST(CalibrationPairs, CtcModelsReadTheirRatio) {
  std::string pattern = (fs::temp_directory_path() / "litenat-quant-XXXXXX").string();
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  graph::ModelSpec spec = small_spec(Family::kNonAutoregressive);
  spec.head.kind = graph::HeadKind::kSoftmax;
  spec.decoder.length = graph::LengthKind::kRatio;
  runtime::testing::RandomWeights weights = runtime::testing::random_weights(spec, 5);
  for (const char* language : {"en", "de"}) {
    std::ofstream(pattern + "/dict." + language + ".txt") << dictionary_text("t");
    write_side(pattern + "/train.en-de." + language, {{5, 6, 2}});
  }
  const CalibrationSample pairs = read_calibration_pairs(model_of(spec, &weights), pattern, 10);
  EXPECT_EQ(pairs.batches[0].target_ids, (Ids{0, 3, 3, 3, 3, 3, 3, 2}));  // 2 x <s> a b </s>
  fs::remove_all(pattern);
}

}  // namespace
}  // namespace litenat::quant
