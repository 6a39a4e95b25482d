#include "runtime/model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>

#include "runtime/executor.h"
#include "runtime/sequence_executor.h"
#include "runtime/testing/ime_model.h"
#include "runtime/testing/random_model.h"
#include "runtime/testing/sequence_specs.h"

namespace litenat::runtime {
namespace {

using format::ContainerWriter;
using format::TensorType;
using testing::Precision;
using testing::RandomWeights;

/// The status of opening what `writer` writes.
Status open(const ContainerWriter& writer) {
  const testing::ScopedFile file("model_test");
  EXPECT_TRUE(writer.write(file.path()).ok());
  return Model::open(file.path()).status();
}

/// Opens the base model after `change` to its weights.
Status open_changed(Precision precision, const std::function<void(RandomWeights*)>& change,
                    const std::function<void(ContainerWriter*)>& extra = nullptr) {
  RandomWeights weights = testing::random_weights(testing::base_spec(), 1);
  change(&weights);
  ContainerWriter writer;
  testing::set_model_metadata(testing::base_spec(), &writer);
  testing::add_weights(&writer, precision, &weights);
  if (extra) extra(&writer);
  return open(writer);
}

constexpr const char* kMatrix = "encoder.layers.0.linear1.weight";

TEST(Model, KnowsWhatItIs) {
  RandomWeights weights = testing::random_weights(testing::base_spec(), 1);
  const auto f32 = testing::make_model(testing::base_spec(), Precision::kF32, &weights);
  const auto int8 = testing::make_model(testing::base_spec(), Precision::kDynamicInt8, &weights);
  EXPECT_FALSE(f32->is_quantized());
  EXPECT_TRUE(int8->is_quantized());
  EXPECT_FALSE(f32->has_transitions());
  EXPECT_EQ(f32->ime(), nullptr);
  EXPECT_EQ(f32->spec().encoder.blocks[0].conv.dim, 24);
}

TEST(Model, MissingOrMisshapenWeightsAreNamed) {
  Status status = open_changed(Precision::kF32, [](RandomWeights* w) { w->erase(kMatrix); });
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_NE(status.message().find(std::string(kMatrix) + "': expected F32 [48, 24], found none"), std::string::npos)
      << status.message();
  status = open_changed(Precision::kF32, [](RandomWeights* w) { w->at(kMatrix).shape = {24, 48}; });
  EXPECT_EQ(status.code(), StatusCode::kCorrupt);
  EXPECT_NE(status.message().find("expected F32 [48, 24], found F32 [24, 48]"), std::string::npos) << status.message();
  status = open_changed(
      Precision::kF32, [](RandomWeights* w) { w->erase(kMatrix); },
      [](ContainerWriter* writer) {  // no scale
        const std::vector<int8_t> packed(static_cast<size_t>(numerics::packed_size(48, 24)));
        testing::add_vector(writer, kMatrix, TensorType::kI8, {numerics::packed_size(48, 24)}, packed);
      });
  EXPECT_EQ(status.code(), StatusCode::kNotFound) << status.message();
}

TEST(Model, WeightsThatAreNotFiniteAreRejected) {
  for (const float bad : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                          std::numeric_limits<float>::quiet_NaN()})
    for (const char* name : {kMatrix, "encoder.layers.0.linear1.bias", "encoder.embed_tokens.weight",
                             "encoder.layers.1.layer_norms.0.weight", "head.output.bias"}) {
      const Status status = open_changed(Precision::kF32, [&](RandomWeights* w) { w->at(name).values.back() = bad; });
      EXPECT_EQ(status.code(), StatusCode::kCorrupt) << name;
      EXPECT_NE(status.message().find(name), std::string::npos) << status.message();
    }
}

TEST(Model, TransitionsThatCouldOverflowAreRejected) {
  graph::ModelSpec spec = testing::base_spec();
  spec.head.kind = graph::HeadKind::kCrf;
  spec.head.crf_rank = 4;
  for (const Precision precision : {Precision::kF32, Precision::kDynamicInt8})
    for (const float largest : {1e10f, 1e20f}) {  // products of 1e20 and, overflowing, 1e40
      RandomWeights weights = testing::random_weights(spec, 1);
      weights.at("crf_layer.E1.weight").values.front() = largest;
      weights.at("crf_layer.E2.weight").values.back() = -largest;
      ContainerWriter writer;
      testing::set_model_metadata(spec, &writer);
      testing::add_weights(&writer, precision, &weights);
      const Status status = open(writer);
      EXPECT_EQ(status.code(), largest > 1e15f ? StatusCode::kCorrupt : StatusCode::kOk) << status.message();
    }
}

/// The base model with int8 weights of kMatrix that are made by hand.
Status open_packed(std::vector<int8_t> packed, std::vector<float> scale, std::vector<float> input = {}) {
  return open_changed(
      Precision::kF32, [](RandomWeights* w) { w->erase(kMatrix); },
      [&](ContainerWriter* writer) {
        packed.resize(static_cast<size_t>(numerics::packed_size(48, 24)), 0);
        scale.resize(48, 1.0f);
        testing::add_vector(writer, kMatrix, TensorType::kI8, {numerics::packed_size(48, 24)}, packed);
        testing::add_vector(writer, std::string(kMatrix) + ".scale", TensorType::kF32, {48}, scale);
        if (!input.empty()) testing::add_vector(writer, std::string(kMatrix) + ".input", TensorType::kF32, {2}, input);
      });
}

TEST(Model, Int8WeightsMustBeConsistent) {
  EXPECT_TRUE(open_packed({}, {}).ok());
  EXPECT_TRUE(open_packed({5, -3}, {}, {0.5f, 255.0f}).ok());
  EXPECT_EQ(open_packed({-128}, {}).code(), StatusCode::kCorrupt);
  EXPECT_EQ(open_packed({}, {0.0f}).code(), StatusCode::kCorrupt);
  EXPECT_EQ(open_packed({}, {-1.0f}).code(), StatusCode::kCorrupt);
  EXPECT_EQ(open_packed({}, {NAN}).code(), StatusCode::kCorrupt);
  for (const std::vector<float>& input :
       {std::vector<float>{0.0f, 1.0f}, {1.0f, -1.0f}, {1.0f, 256.0f}, {1.0f, 0.5f}, {NAN, 0.0f}, {1.0f, NAN}})
    EXPECT_EQ(open_packed({}, {}, input).code(), StatusCode::kCorrupt) << input[0] << " " << input[1];
}

TEST(Model, MetadataMustFit) {
  auto with = [](const char* key, const std::string& value) {
    return open_changed(
        Precision::kF32, [](RandomWeights*) {}, [&](ContainerWriter* writer) { writer->set_metadata(key, value); });
  };
  EXPECT_TRUE(with(kMetaTraining, "anything").ok());
  EXPECT_EQ(with(kMetaVersion, "2").code(), StatusCode::kUnsupported);
  EXPECT_FALSE(with(kMetaSpec, "{").ok());
  EXPECT_FALSE(with(kMetaSpec, "{\"dim\": 0}").ok());
  EXPECT_FALSE(with(kMetaSpec, "{\"dim\": 24}").ok()) << "no vocabulary";
  EXPECT_FALSE(with(kMetaDecode, "{\"beam\": 0}").ok());
  EXPECT_TRUE(with(kMetaDecode, "{\"beam\": 3}").ok());
  const Status status = open(ContainerWriter());
  EXPECT_EQ(status.code(), StatusCode::kCorrupt);
  EXPECT_NE(status.message().find("no LiteNAT model"), std::string::npos) << status.message();
  EXPECT_EQ(Model::open("/nonexistent/model").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Model::from_container(nullptr).status().code(), StatusCode::kInvalidArgument);
}

TEST(Model, LoadsTheResourcesOfAnInputMethod) {
  const testing::ScopedFile file("ime");
  ContainerWriter writer = testing::ime_writer(testing::ime_spec(), Precision::kDynamicInt8);
  writer.set_metadata(kMetaDecode, "{\"beam\": 5}");
  ASSERT_TRUE(writer.write(file.path()).ok());
  auto model = Model::open(file.path());
  ASSERT_TRUE(model.ok()) << model.status().message();
  const decode::ImeResources* ime = model.value()->ime();
  ASSERT_NE(ime, nullptr);
  EXPECT_EQ(ime->targets.find("国"), ime->targets.find("你") + 6);
  EXPECT_EQ(ime->lexicon.num_words(), 12u);
  EXPECT_EQ(ime->lexicon.candidates(text::find_unit("ni")).size(), 2u);
  EXPECT_EQ(ime->word_model, nullptr);
  EXPECT_FALSE(ime->keys_input);
  EXPECT_EQ(model.value()->ime_options().beam, 5);
}

TEST(Model, TheResourcesMustFitTheNetwork) {
  graph::ModelSpec spec = testing::ime_spec();
  spec.target_vocabulary += 1;
  EXPECT_EQ(open(testing::ime_writer(spec, Precision::kF32)).code(), StatusCode::kCorrupt);
  spec = testing::ime_spec();
  spec.source_vocabulary += 1;
  EXPECT_EQ(open(testing::ime_writer(spec, Precision::kF32)).code(), StatusCode::kCorrupt);
  spec = testing::ime_spec();
  spec.input = graph::InputKind::kTokens;
  EXPECT_EQ(open(testing::ime_writer(spec, Precision::kF32)).code(), StatusCode::kCorrupt);
}

TEST(Model, DamagedResourcesAreErrors) {
  for (const char* name : {kLexicon, kWordModel, kUnitModel})
    for (const size_t size : {size_t{0}, size_t{1}, size_t{100}}) {
      const graph::ModelSpec spec = testing::ime_spec();
      ContainerWriter writer;
      testing::set_model_metadata(spec, &writer);
      RandomWeights weights = testing::random_weights(spec, 1);
      testing::add_weights(&writer, Precision::kF32, &weights);
      testing::add_text(&writer, name);
      testing::add_vector(&writer, name, TensorType::kU8, {static_cast<int64_t>(size)}, std::vector<uint8_t>(size, 7));
      EXPECT_EQ(open(writer).code(), StatusCode::kCorrupt) << name << " of " << size;
    }
}

/// A small model with a decoder, and what `extra` adds.
Status open_sequence(const graph::ModelSpec& spec, const std::function<void(ContainerWriter*)>& extra,
                     std::shared_ptr<const Model>* model = nullptr) {
  const testing::ScopedFile file("sequence_model_test");
  ContainerWriter writer;
  testing::set_model_metadata(spec, &writer);
  RandomWeights weights = testing::random_weights(spec, 1);
  testing::add_weights(&writer, Precision::kDynamicInt8, &weights);
  extra(&writer);
  EXPECT_TRUE(writer.write(file.path()).ok());
  Result<std::shared_ptr<const Model>> opened = Model::open(file.path());
  if (opened.ok() && model != nullptr) *model = opened.value();
  return opened.status();
}

void add_blob(ContainerWriter* writer, const char* name, const std::string& text) {
  testing::add_vector(writer, name, TensorType::kU8, {static_cast<int64_t>(text.size())},
                      std::vector<uint8_t>(text.begin(), text.end()));
}

/// dict.txt of `count` tokens, so `count` + 4 ids.
std::string dictionary_text(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "token" + std::to_string(i) + " 1\n";
  return text;
}

TEST(Model, LoadsTheTextOfAModelWithADecoder) {
  graph::ModelSpec spec = testing::base_sequence_spec();
  std::shared_ptr<const Model> model;
  ASSERT_TRUE(open_sequence(
                  spec, [](ContainerWriter*) {}, &model)
                  .ok());
  EXPECT_EQ(model->source_dictionary(), nullptr);
  EXPECT_EQ(model->target_dictionary(), nullptr);
  EXPECT_TRUE(model->tokenizer().empty());
  const auto add_target = [](ContainerWriter* writer) {
    add_blob(writer, kTargetDictionary, dictionary_text(33));
    add_blob(writer, kTokenizer, "any bytes");
    writer->set_metadata(kMetaDecode, "{\"beam\": 3}");
  };
  ASSERT_TRUE(open_sequence(spec, add_target, &model).ok());
  ASSERT_NE(model->target_dictionary(), nullptr);
  EXPECT_EQ(model->target_dictionary()->size(), 37);
  EXPECT_EQ(model->source_dictionary(), model->target_dictionary()) << "one dictionary for both sides";
  EXPECT_EQ(model->tokenizer().size(), 9u);
  EXPECT_EQ(model->beam_options().beam, 3);
  EXPECT_EQ(model->ime(), nullptr);
  spec.decoder.share = graph::Sharing::kOutput;
  spec.source_vocabulary = 29;
  ASSERT_TRUE(open_sequence(spec, add_target, &model).ok());
  EXPECT_EQ(model->source_dictionary(), nullptr);
  const auto add_both = [&](ContainerWriter* writer) {
    add_target(writer);
    add_blob(writer, kSourceDictionary, dictionary_text(25));
  };
  ASSERT_TRUE(open_sequence(spec, add_both, &model).ok());
  EXPECT_EQ(model->source_dictionary()->size(), 29);
}

TEST(Model, TheTextOfAModelWithADecoderMustFit) {
  const graph::ModelSpec spec = testing::base_sequence_spec();
  for (const char* name : {kSourceDictionary, kTargetDictionary}) {
    const auto with = [&](const std::string& text) {
      return open_sequence(spec, [&](ContainerWriter* writer) { add_blob(writer, name, text); }).code();
    };
    EXPECT_EQ(with(dictionary_text(33)), StatusCode::kOk);
    EXPECT_EQ(with(dictionary_text(32)), StatusCode::kCorrupt);
    EXPECT_NE(with("a line without a count\n\xff"), StatusCode::kOk);
  }
  EXPECT_EQ(open_sequence(spec, [](ContainerWriter* writer) { add_blob(writer, kLexicon, "x"); }).code(),
            StatusCode::kCorrupt);
  EXPECT_EQ(open_sequence(spec, [](ContainerWriter* writer) { add_blob(writer, kTokenizer, ""); }).code(),
            StatusCode::kCorrupt);
  const auto decode = [&](const graph::ModelSpec& of, const std::string& json) {
    return open_sequence(of, [&](ContainerWriter* writer) { writer->set_metadata(kMetaDecode, json); }).ok();
  };
  EXPECT_TRUE(decode(spec, "{\"beam\": 1}"));
  EXPECT_FALSE(decode(spec, "{\"beam\": 0}"));
  EXPECT_FALSE(decode(spec, "{\"length_beam\": 3}"));
  EXPECT_TRUE(decode(testing::base_parallel_spec(), "{\"length_beam\": 3}"));
}

TEST(Model, SharedInt8TablesAreStoredPacked) {
  const graph::ModelSpec spec = testing::base_sequence_spec();
  RandomWeights weights = testing::random_weights(spec, 1);
  weights.at("encoder.embed_tokens.weight").is_product = false;  // stored by row, as a table alone would be
  ContainerWriter writer;
  testing::set_model_metadata(spec, &writer);
  testing::add_weights(&writer, Precision::kDynamicInt8, &weights);
  EXPECT_EQ(open(writer).code(), StatusCode::kCorrupt);
}

std::vector<uint8_t> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Opens the bytes, and runs the model when they are accepted.
bool open_and_run(const std::vector<uint8_t>& bytes) {
  std::shared_ptr<uint8_t> copy(static_cast<uint8_t*>(std::aligned_alloc(64, (bytes.size() / 64 + 1) * 64)), std::free);
  std::memcpy(copy.get(), bytes.data(), bytes.size());
  auto container = format::Container::from_memory({copy.get(), bytes.size()}, copy, "damaged");
  if (!container.ok()) return false;
  auto model = Model::from_container(container.value());
  if (!model.ok()) return false;
  const std::vector<int32_t> ids = {5, 6, 7};
  const std::vector<int32_t> lengths = {1, 2};
  if (!graph::has_decoder(model.value()->spec())) {
    auto executor = Executor::create(model.value());
    return executor.ok() && executor.value()->run(ids, lengths).ok();
  }
  auto executor = SequenceExecutor::create(model.value());
  return executor.ok() && executor.value()->encode(ids, lengths).ok() &&
         executor.value()->decode(ids, lengths, std::vector<int32_t>{1, 0}, 3, ids).ok();
}

/// Damages `valid` in many ways; each must be an error or a model that runs.
void expect_survival(const std::vector<uint8_t>& valid) {
  ASSERT_TRUE(open_and_run(valid));
  SplitMix64 random(5);
  int accepted = 0;
  for (int i = 0; i < 400; ++i) {
    std::vector<uint8_t> bytes = valid;
    // Half of the changes hit the header, whose damage is the more interesting.
    const uint64_t range = i % 2 == 0 ? 8000 : bytes.size();
    for (uint64_t changes = 1 + random.below(3); changes > 0; --changes)
      bytes[random.below(range)] = static_cast<uint8_t>(random.below(256));
    accepted += open_and_run(bytes) ? 1 : 0;
  }
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, 400);
}

TEST(Model, SurvivesDamage) {
  for (const Precision precision : {Precision::kF32, Precision::kStaticInt8}) {
    const testing::ScopedFile file("damage");
    ASSERT_TRUE(testing::ime_writer(testing::ime_spec(), precision).write(file.path()).ok());
    expect_survival(read_file(file.path()));
  }
}

TEST(Model, AModelWithADecoderSurvivesDamage) {
  for (const graph::ModelSpec& spec : {testing::base_sequence_spec(), testing::base_parallel_spec()}) {
    const testing::ScopedFile file("sequence_damage");
    ContainerWriter writer;
    testing::set_model_metadata(spec, &writer);
    RandomWeights weights = testing::random_weights(spec, 1);
    testing::add_weights(&writer, Precision::kStaticInt8, &weights);
    add_blob(&writer, kTargetDictionary, dictionary_text(33));
    ASSERT_TRUE(writer.write(file.path()).ok());
    expect_survival(read_file(file.path()));
  }
}

}  // namespace
}  // namespace litenat::runtime
