// Whole runs of models with a decoder, and their engine.
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "base/interrupt.h"
#include "decode/parallel_decoder.h"
#include "train/average_checkpoints.h"
#include "train/pair_testing.h"
#include "train/pair_validation.h"
#include "train/torch_engine.h"
#include "train/torch_sequence_engine.h"
#include "train/trainer.h"

namespace litenat::train {
namespace {

using testing::pair_config;
using testing::TemporaryFolder;
using testing::write_pair_data;
using torch::Tensor;

struct Silent : TrainListener {
  void on_start(int64_t, int64_t) override {}
  void on_update(int64_t, const std::string&) override {}
  void on_message(const std::string&) override {}
};

TrainResult train(const TrainConfig& config, const std::string& folder) {
  Silent listener;
  TrainOptions options;
  options.run_folder = folder;
  options.threads = 1;
  return Trainer(config, options, &listener).run();
}

struct Case {
  const char* name;
  ObjectiveKind kind;
  bool conv;
  bool reverse;
};

class Families : public ::testing::TestWithParam<Case> {};

TEST_P(Families, LearnAToyTranslation) {
  TemporaryFolder folder(std::string("litenat_family_") + GetParam().name);
  write_pair_data(folder.path(), 600, 60, GetParam().reverse);
  TrainConfig config = pair_config(folder.path(), GetParam().kind, GetParam().conv);
  config.train.max_updates = GetParam().reverse ? 350 : 200;  // order is learnt more slowly
  config.train.validate_every = 0;
  config.train.save_every = 0;
  config.train.log_every = 100;
  config.train.best_metric = Metric::kBleu;
  config.train.tensorboard = false;
  const std::string run = folder.path() + "/run";
  const TrainResult result = train(config, run);
  ASSERT_TRUE(result.report.has_value());
  EXPECT_GT(result.report->accuracy, 0.95);
  ASSERT_TRUE(result.report->bleu.has_value());
  EXPECT_GT(*result.report->bleu, 80);
  EXPECT_EQ(CheckpointReader(run + "/checkpoints/best.safetensors").state().best_score, -*result.report->bleu);
  // The log has the parts of the loss.
  std::ifstream log(run + "/log.jsonl");
  std::string line;
  ASSERT_TRUE(std::getline(log, line));
  const Json json = value_or_throw(Json::parse(line));
  const auto names = make_objective(config.objective, nullptr, config.model)->part_names();
  for (const std::string& name : names) EXPECT_NE(json.find(name), nullptr) << name;
}

INSTANTIATE_TEST_SUITE_P(All, Families,
                         ::testing::Values(Case{"transformer", ObjectiveKind::kLabelSmoothed, false, true},
                                           Case{"conv", ObjectiveKind::kLabelSmoothed, true, false},
                                           Case{"nat", ObjectiveKind::kNat, false, false},
                                           Case{"glat", ObjectiveKind::kGlat, false, false},
                                           Case{"crf_nat", ObjectiveKind::kCrfNat, true, false},
                                           Case{"ctc", ObjectiveKind::kCtc, false, false}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(PairTrainer, GoesOnBitForBit) {
  TemporaryFolder folder("litenat_pair_resume");
  write_pair_data(folder.path(), 100, 20);
  TrainConfig config = pair_config(folder.path(), ObjectiveKind::kGlat);
  config.dropout.dropout = 0.2;
  config.train.max_updates = 24;
  config.train.validate_every = 8;
  config.objective.glancing.updates = 24;
  const std::string straight = folder.path() + "/straight", halves = folder.path() + "/halves";
  train(config, straight);
  config.train.max_updates = 13;
  train(config, halves);
  config.train.max_updates = 24;
  train(config, halves);
  const CheckpointReader a(straight + "/checkpoints/last.safetensors"), b(halves + "/checkpoints/last.safetensors");
  EXPECT_EQ(a.state().batch, b.state().batch);
  const auto model = nn::make_model(a.spec(), {});
  for (const auto& item : model->named_parameters())
    for (const char* prefix : {"model/", "average/", "optimizer/m/", "optimizer/v/"})
      EXPECT_TRUE(torch::equal(a.read(prefix + item.key()), b.read(prefix + item.key()))) << prefix << item.key();
}

void expect_equal_weights(const std::string& a, const std::string& b) {
  const CheckpointReader left(a + "/checkpoints/last.safetensors"), right(b + "/checkpoints/last.safetensors");
  const auto model = nn::make_model(left.spec(), {});
  for (const auto& item : model->named_parameters())
    EXPECT_TRUE(torch::equal(left.read("model/" + item.key()), right.read("model/" + item.key()))) << item.key();
}

TEST(PairTrainer, KeepsTheGlancingItStartedWith) {
  TemporaryFolder folder("litenat_glancing_resume");
  write_pair_data(folder.path(), 100, 20);
  for (const ObjectiveKind kind : {ObjectiveKind::kGlat, ObjectiveKind::kCrfNat}) {
    TrainConfig config = pair_config(folder.path(), kind);
    config.objective.glancing = {1, 0, 10};
    config.train.max_updates = 20;
    config.train.validate_every = 0;
    const std::string name = kObjectiveKindNames.name(kind);
    const std::string straight = folder.path() + "/straight_" + name, halves = folder.path() + "/halves_" + name;
    train(config, straight);
    config.objective.glancing.updates = 0;
    config.train.max_updates = 10;
    train(config, halves);
    config.train.max_updates = 20;
    train(config, halves);
    expect_equal_weights(straight, halves);
    // Another schedule is another run.
    config.objective.glancing.updates = 20;
    EXPECT_THROW(train(config, halves), Error);
  }
}

TEST(PairTrainer, ForgetsScoresOfAnotherValidation) {
  TemporaryFolder folder("litenat_other_validation");
  write_pair_data(folder.path(), 60, 20);
  TrainConfig config = pair_config(folder.path(), ObjectiveKind::kNat);
  config.train.max_updates = 8;
  config.train.validate_every = 4;
  config.train.bleu_sentences = 0;
  const std::string run = folder.path() + "/run";
  const double before = train(config, run).report->nll;
  config.train.log_every = 2;  // changes nothing of it
  EXPECT_EQ(train(config, run).report->nll, before);
  const auto best = [&run] { return CheckpointReader(run + "/checkpoints/best.safetensors").state(); };
  EXPECT_EQ(best().best_score, before);
  config.data.valid_sentences = 5;
  const TrainResult result = train(config, run);
  EXPECT_NE(result.report->nll, before);
  EXPECT_EQ(result.best_update, 8);
  EXPECT_EQ(best().best_score, result.report->nll);
}

TEST(PairTrainer, LogsNoAccuracyThatItDoesNotCount) {
  TemporaryFolder folder("litenat_ctc_log");
  write_pair_data(folder.path(), 60, 20);
  TrainConfig config = pair_config(folder.path(), ObjectiveKind::kCtc);
  config.objective.glancing = {1, 0, 4};
  config.train.max_updates = 8;
  train(config, folder.path() + "/run");
  std::ifstream log(folder.path() + "/run/log.jsonl");
  std::string line;
  std::map<int64_t, bool> has_accuracy;
  while (std::getline(log, line)) {
    const Json json = value_or_throw(Json::parse(line));
    if (json.find("type")->string() != "train") continue;
    has_accuracy[json.find("update")->integer()] = json.find("acc") != nullptr;
    EXPECT_TRUE(std::isfinite(json.find("loss")->number()));
  }
  EXPECT_EQ(has_accuracy, (std::map<int64_t, bool>{{4, true}, {8, false}}));
}

TEST(PairTrainer, StoresDictionariesAndAverages) {
  TemporaryFolder folder("litenat_pair_files");
  write_pair_data(folder.path(), 60, 20);
  TrainConfig config = pair_config(folder.path(), ObjectiveKind::kLabelSmoothed);
  config.train.max_updates = 20;
  config.train.keep_last = 2;
  config.train.average = AverageKind::kNone;
  const std::string run = folder.path() + "/run";
  train(config, run);
  const auto resources = value_or_throw(format::Container::open(run + "/resources.litenat"));
  for (const char* name : {"text.source_dictionary", "text.target_dictionary"})
    EXPECT_NE(resources->find(name), nullptr) << name;
  EXPECT_EQ(resources->find("text.tokenizer"), nullptr) << "the folder has none";
  const std::string head = run + "/checkpoints/update_", mean = folder.path() + "/mean.safetensors";
  average_checkpoints({head + "10.safetensors", head + "20.safetensors"}, mean);
  const char* name = "model/decoder.embed_length.weight";
  EXPECT_FALSE(CheckpointReader(mean).has_tensor(name)) << "not of this family";
  const auto weight = [](const std::string& path) {
    return CheckpointReader(path).read("model/encoder.embed_tokens.weight");
  };
  EXPECT_TRUE(torch::allclose(weight(mean), (weight(head + "10.safetensors") + weight(head + "20.safetensors")) / 2));
  EXPECT_THROW(TorchEngine(mean, "cpu"), Error) << "not a tagger";
}

TEST(PairTrainer, SaysWhatDoesNotFit) {
  TemporaryFolder folder("litenat_pair_errors");
  write_pair_data(folder.path(), 20, 5);
  const auto error_of = [&](const TrainConfig& config) {
    try {
      train(config, folder.path() + "/run");
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  TrainConfig config = pair_config(folder.path(), ObjectiveKind::kGlat);
  config.objective.kind = ObjectiveKind::kLabelSmoothed;
  EXPECT_NE(error_of(config).find("needs model.family = \"sequence\", found \"non_autoregressive\""),
            std::string::npos);
  config = pair_config(folder.path(), ObjectiveKind::kNat);
  config.train.best_metric = Metric::kBleu;
  config.train.bleu_sentences = 0;
  EXPECT_NE(error_of(config).find("train.best_metric"), std::string::npos);
  config = pair_config(folder.path(), ObjectiveKind::kGlat);
  config.objective.glancing.updates = 0;
  config.train.max_updates = 0;
  config.train.max_epochs = 1;
  EXPECT_NE(error_of(config).find("objective.glancing.updates"), std::string::npos);
  config = pair_config(folder.path(), ObjectiveKind::kNat);
  config.data.tokenizer = folder.path() + "/nowhere.model";
  EXPECT_NE(error_of(config).find("nowhere.model"), std::string::npos);
  std::ofstream(folder.path() + "/dict.y.txt", std::ios::app) << "extra 1\n";
  config = pair_config(folder.path(), ObjectiveKind::kNat);
  EXPECT_NE(error_of(config).find("one dictionary for both sides"), std::string::npos);
}

/// A model that has learnt nothing translates on and on: beyond a table of sinusoids, up to the end of a learned one.
TEST(PairValidator, TranslatesToTheEndOfTheTable) {
  TemporaryFolder folder("litenat_pair_long");
  write_pair_data(folder.path(), 20, 10);
  for (const ObjectiveKind kind : {ObjectiveKind::kLabelSmoothed, ObjectiveKind::kNat})
    for (const graph::Positions positions : {graph::Positions::kSinusoidal, graph::Positions::kLearned}) {
      TrainConfig config = pair_config(folder.path(), kind);
      for (graph::EmbeddingSpec* embedding : {&config.model.embedding, &config.model.decoder.embedding}) {
        embedding->positions = positions;
        embedding->max_positions = positions == graph::Positions::kLearned ? 9 : 3;  // seven words and specials
      }
      const TrainingData data = open_training_data(&config, "");
      torch::manual_seed(2);
      const auto model = nn::make_model(config.model, {});
      const auto objective = make_objective(config.objective, nullptr, config.model);
      const ValidationReport report =
          data.make_validator(config)->run(*model, *objective, torch::kCPU, Precision::kFp32);
      EXPECT_TRUE(report.bleu.has_value());
      EXPECT_TRUE(std::isfinite(report.nll));
    }
}

TEST(PairValidator, StopsAtASignal) {
  TemporaryFolder folder("litenat_pair_signal");
  write_pair_data(folder.path(), 20, 10);
  TrainConfig config = pair_config(folder.path(), ObjectiveKind::kNat);
  const TrainingData data = open_training_data(&config, "");
  const auto model = nn::make_model(config.model, {});
  const auto objective = make_objective(config.objective, nullptr, config.model);
  const auto validator = data.make_validator(config);
  EXPECT_GT(validator->run(*model, *objective, torch::kCPU, Precision::kFp32).nll, 0);
  interrupt_flag() = 2;
  EXPECT_THROW(validator->run(*model, *objective, torch::kCPU, Precision::kFp32), Interrupted);
  interrupt_flag() = 0;
}

// ---- the engine

struct Engine {
  explicit Engine(ObjectiveKind kind) {
    TrainConfig config = pair_config("", kind);
    config.model.source_vocabulary = config.model.target_vocabulary = 28;
    torch::manual_seed(4);
    model = nn::make_model(config.model, {});
    model->eval();
    network = &dynamic_cast<nn::SequenceModel&>(*model);
    engine = std::make_unique<TorchSequenceEngine>(network, torch::kCPU);
  }
  std::unique_ptr<nn::Model> model;
  nn::SequenceModel* network;
  std::unique_ptr<TorchSequenceEngine> engine;
};

const std::vector<int32_t> kIds = {5, 9, 20, 2, 7, 2, 8, 8, 2}, kLengths = {4, 2, 3};

TEST(TorchSequenceEngine, StepsAgreeWithWholeInputs) {
  const Engine toy(ObjectiveKind::kLabelSmoothed);
  ASSERT_TRUE(toy.engine->encode(kIds, kLengths).ok());
  const std::vector<int32_t> inputs = {2, 11, 12}, other = {2, 13, 14};
  // Rows: sentence 2, sentence 0, then reordered, dropped and repeated.
  ASSERT_TRUE(toy.engine->step(std::vector<int32_t>{2, 2, 2}, std::vector<int32_t>{2, 0, 1}, 3, {}).ok());
  ASSERT_TRUE(toy.engine->step(std::vector<int32_t>{11, 13, 11}, std::vector<int32_t>{1, 0, 0}, 3, {}).ok());
  auto result =
      toy.engine->step(std::vector<int32_t>{14, 12}, std::vector<int32_t>{1, 0}, 5, std::vector<int32_t>{6, 9});
  ASSERT_TRUE(result.ok()) << result.status().message();
  const decode::RowCandidates stepped = result.value();
  const std::vector<int32_t> tokens(stepped.tokens.begin(), stepped.tokens.end());
  const std::vector<float> logits(stepped.logits.begin(), stepped.logits.end()),
      sums(stepped.log_sum.begin(), stepped.log_sum.end()), wanted(stepped.wanted.begin(), stepped.wanted.end());
  std::vector<int32_t> both = other;
  both.insert(both.end(), inputs.begin(), inputs.end());
  result = toy.engine->decode(both, std::vector<int32_t>{3, 3}, std::vector<int32_t>{2, 0}, 5,
                              std::vector<int32_t>{1, 1, 6, 1, 1, 9});
  ASSERT_TRUE(result.ok()) << result.status().message();
  for (size_t row = 0; row < 2; ++row) {
    const size_t whole = 3 * row + 2;
    EXPECT_NEAR(sums[row], result.value().log_sum[whole], 1e-4);
    EXPECT_NEAR(wanted[row], result.value().wanted[whole], 1e-4);
    for (size_t j = 0; j < 5; ++j) {
      EXPECT_EQ(tokens[5 * row + j], result.value().tokens[5 * whole + j]);
      EXPECT_NEAR(logits[5 * row + j], result.value().logits[5 * whole + j], 1e-4);
    }
  }
}

TEST(TorchSequenceEngine, OrdersEqualLogitsByToken) {
  const Engine toy(ObjectiveKind::kLabelSmoothed);
  const torch::NoGradGuard no_grad;
  auto parameters = toy.model->named_parameters();
  parameters["encoder.embed_tokens.weight"].zero_();  // shared with the output: every logit is the bias
  Tensor bias = parameters["head.output.bias"];
  bias.zero_();
  bias[17] = 1;
  ASSERT_TRUE(toy.engine->encode(kIds, kLengths).ok());
  const auto result = toy.engine->step(std::vector<int32_t>{2}, std::vector<int32_t>{0}, 4, {});
  ASSERT_TRUE(result.ok());
  const std::vector<int32_t> tokens(result.value().tokens.begin(), result.value().tokens.end());
  EXPECT_EQ(tokens, (std::vector<int32_t>{17, 0, 1, 2}));
  EXPECT_NEAR(result.value().log_sum[0], std::log(27 + std::exp(1)), 1e-5);
}

TEST(TorchSequenceEngine, DoesNotDependOnTheBatch) {
  for (const ObjectiveKind kind : {ObjectiveKind::kNat, ObjectiveKind::kCrfNat, ObjectiveKind::kCtc}) {
    const Engine toy(kind);
    const std::vector<int32_t> ids = {0, 5, 9, 20, 2, 0, 7, 2}, lengths = {5, 3};
    const auto both = decode::decode_parallel(toy.engine.get(), {ids, lengths}, {});
    ASSERT_TRUE(both.ok()) << both.status().message();
    const auto alone = decode::decode_parallel(toy.engine.get(), {{0, 7, 2}, {3}}, {});
    ASSERT_TRUE(alone.ok()) << alone.status().message();
    EXPECT_EQ(both.value()[1][0].tokens, alone.value()[0][0].tokens);
    EXPECT_NEAR(both.value()[1][0].score, alone.value()[0][0].score, 1e-4);
  }
}

TEST(TorchSequenceEngine, RefusesWhatItCannotTake) {
  const Engine toy(ObjectiveKind::kLabelSmoothed);
  using Ids = std::vector<int32_t>;
  TorchSequenceEngine& engine = *toy.engine;
  EXPECT_FALSE(engine.step(Ids{2}, Ids{0}, 1, {}).ok()) << "before encode()";
  EXPECT_FALSE(engine.encode(kIds, Ids{4, 2}).ok());
  EXPECT_FALSE(engine.encode(Ids{28}, Ids{1}).ok());
  EXPECT_FALSE(engine.encode({}, {}).ok());
  EXPECT_FALSE(engine.encode(Ids(25, 5), Ids{25}).ok()) << "longer than the position table";
  ASSERT_TRUE(engine.encode(kIds, kLengths).ok());
  EXPECT_FALSE(engine.length_logits().ok());
  EXPECT_FALSE(engine.step(Ids{2}, Ids{3}, 1, {}).ok());
  EXPECT_FALSE(engine.step(Ids{2}, Ids{0}, 29, {}).ok());
  EXPECT_FALSE(engine.step(Ids{2}, Ids{0}, 0, {}).ok());
  EXPECT_FALSE(engine.step(Ids{-1}, Ids{0}, 1, {}).ok());
  EXPECT_FALSE(engine.step(Ids{2}, Ids{0}, 1, Ids{1, 1}).ok());
  EXPECT_TRUE(engine.step(Ids{2}, Ids{0}, 1, {}).ok());
  EXPECT_FALSE(engine.step(Ids{5, 5}, Ids{0, 1}, 1, {}).ok()) << "there was one row";
  EXPECT_FALSE(engine.decode(Ids{2, 5}, Ids{2}, Ids{7}, 1, {}).ok());
  const Engine parallel(ObjectiveKind::kNat);
  ASSERT_TRUE(parallel.engine->encode(kIds, kLengths).ok());
  EXPECT_FALSE(parallel.engine->step(Ids{2}, Ids{0}, 1, {}).ok());
  EXPECT_TRUE(parallel.engine->length_logits().ok());
}

}  // namespace
}  // namespace litenat::train
