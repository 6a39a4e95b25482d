#include <ATen/ops/cross_entropy_loss.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/json.h"
#include "config/config.h"
#include "nn/crf.h"
#include "train/average_checkpoints.h"
#include "train/device.h"
#include "train/losses.h"
#include "train/torch_engine.h"
#include "train/train_testing.h"
#include "train/trainer.h"

namespace litenat::train {
namespace {

using testing::TemporaryFolder;
using testing::toy_config;
using testing::write_toy_data;
using torch::Tensor;

struct Silent : TrainListener {
  void on_start(int64_t, int64_t) override {}
  void on_update(int64_t, const std::string&) override {}
  void on_message(const std::string& message) override { messages += message + "\n"; }
  std::string messages;
};

TrainResult train(const TrainConfig& config, const std::string& folder) {
  Silent listener;
  TrainOptions options;
  options.run_folder = folder;
  options.threads = 1;
  return Trainer(config, options, &listener).run();
}

std::string error_of(const TrainConfig& config, const std::string& folder) {
  try {
    train(config, folder);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

// ---- optimiser

NamedTensors one_parameter(const Tensor& parameter) { return {{"p", parameter}}; }

void set_spec(OptimizerSpec* spec, OptimizerKind kind, EpsConvention convention) {
  spec->kind = kind;
  spec->eps_convention = convention;
  spec->beta1 = 0.9;
  spec->beta2 = 0.98;
  spec->eps = 1e-3;  // large, so that the conventions differ
  spec->weight_decay = 0.1;
}

/// The formulas of optimizer.h in double, for one weight.
double reference_steps(const OptimizerSpec& spec, double p, const std::vector<double>& gradients, double lr) {
  double m = 0, v = 0;
  for (size_t i = 0; i < gradients.size(); ++i) {
    double g = gradients[i];
    if (spec.kind == OptimizerKind::kAdamW)
      p -= lr * spec.weight_decay * p;
    else
      g += spec.weight_decay * p;
    const double t = static_cast<double>(i + 1);
    m = spec.beta1 * m + (1 - spec.beta1) * g;
    v = spec.beta2 * v + (1 - spec.beta2) * g * g;
    const double c1 = 1 - std::pow(spec.beta1, t), c2 = 1 - std::pow(spec.beta2, t);
    if (spec.eps_convention == EpsConvention::kUncorrected)
      p -= lr * std::sqrt(c2) / c1 * m / (std::sqrt(v) + spec.eps);
    else
      p -= lr / c1 * m / (std::sqrt(v / c2) + spec.eps);
  }
  return p;
}

TEST(Optimizer, StepsMatchTheFormulas) {
  const std::vector<double> gradients = {0.5, -0.01, 0.02, 0.3};
  for (const OptimizerKind kind : {OptimizerKind::kAdam, OptimizerKind::kAdamW}) {
    for (const EpsConvention convention : {EpsConvention::kCorrected, EpsConvention::kUncorrected}) {
      OptimizerSpec spec;
      set_spec(&spec, kind, convention);
      const Tensor p = torch::full({3, 2}, 0.7);
      Optimizer optimizer(one_parameter(p), spec);
      for (const double g : gradients) optimizer.step({torch::full({3, 2}, g)}, 0.05, {}, {});
      EXPECT_NEAR(p[2][1].item<double>(), reference_steps(spec, 0.7, gradients, 0.05), 1e-6)
          << kOptimizerKindNames.name(kind) << " " << kEpsConventionNames.name(convention);
    }
  }
}

TEST(Optimizer, SkipsDividesAndSparesVectors) {
  OptimizerSpec spec;
  set_spec(&spec, OptimizerKind::kAdamW, EpsConvention::kUncorrected);
  const Tensor plain = torch::full({2, 2}, 0.7), divided = plain.clone(), skipped = plain.clone();
  Optimizer a(one_parameter(plain), spec), b(one_parameter(divided), spec), c(one_parameter(skipped), spec);
  a.step({torch::full({2, 2}, 0.25)}, 0.05, {}, {});
  b.step({torch::full({2, 2}, 0.5)}, 0.05, torch::tensor(2.0f), torch::tensor(0.0f));
  c.step({torch::full({2, 2}, std::nan(""))}, 0.05, torch::tensor(2.0f), torch::tensor(1.0f));
  EXPECT_TRUE(torch::equal(plain, divided));
  EXPECT_EQ(skipped[0][0].item<float>(), 0.7f);
  EXPECT_EQ(c.state().back().second.item<float>(), 0.0f);

  spec.decay_vectors = false;
  const Tensor bias = torch::full({4}, 0.7);
  Optimizer d(one_parameter(bias), spec);
  d.step({torch::zeros({4})}, 0.05, {}, {});
  EXPECT_EQ(bias[0].item<float>(), 0.7f);
}

TEST(WeightAverage, FollowsItsFormulaAndSwaps) {
  const Tensor p = torch::tensor({1.0f});
  WeightAverage average(one_parameter(p), 0.5);
  double expected = 1;
  for (int t = 1; t <= 12; ++t) {
    p.fill_(static_cast<double>(t));
    average.update(t);
    const double decay = std::min(0.5, (1.0 + t) / (10.0 + t));
    expected += (1 - decay) * (t - expected);
  }
  EXPECT_NEAR(average.tensors()[0].second.item<double>(), expected, 1e-5);
  {
    const WeightSwap swap(one_parameter(p), average.tensors());
    EXPECT_NEAR(p.item<double>(), expected, 1e-5);
  }
  EXPECT_EQ(p.item<float>(), 12.0f);
}

// ---- losses

TEST(Objective, SmoothingVariantsAgreeAsPublished) {
  const Tensor logits = torch::randn({5, 7}, torch::kFloat64), targets = torch::tensor({0, 3, 6, 2, 2});
  const auto loss = [&](double eps, SmoothingVariant v) {
    return smoothed_cross_entropy(logits, targets, eps, v).loss.item<double>();
  };
  // LT(e) = new(e') when e' = e (V - 1) / V.
  EXPECT_NEAR(loss(0.14, SmoothingVariant::kUniform), loss(0.14 * 6 / 7, SmoothingVariant::kExcludingTarget), 1e-12);
  const double nll = at::cross_entropy_loss(logits, targets, {}, at::Reduction::Sum).item<double>();
  EXPECT_NEAR(loss(0, SmoothingVariant::kUniform), nll, 1e-12);
  const double all = -torch::log_softmax(logits, 1).sum().item<double>();
  EXPECT_NEAR(loss(0.1, SmoothingVariant::kUniform), 0.9 * nll + 0.1 / 7 * all, 1e-12);
  EXPECT_NEAR(loss(0.1, SmoothingVariant::kExcludingTarget), (0.9 - 0.1 / 6) * nll + 0.1 / 6 * all, 1e-12);
}

/// A data set, a model and batches of the toy language.
struct Toy {
  explicit Toy(const std::string& folder, TrainConfig toy) : config(std::move(toy)) {
    data = open_training_data(&config, folder + "/run.litenat");
    torch::manual_seed(7);
    config.dropout = {};
    config.dropout.dropout = 0;
    model = nn::make_model(config.model, config.dropout);
    objective = make_objective(config.objective, data.candidates, config.model);
    maker = data.make_batches(config);
    for (const auto& item : model->named_parameters()) parameters.emplace_back(item.key(), item.value());
  }
  TrainConfig config;
  TrainingData data;
  std::unique_ptr<nn::Model> model;
  std::unique_ptr<Objective> objective;
  std::unique_ptr<BatchMaker> maker;
  NamedTensors parameters;
};

TEST(Objective, CrfIsTheWeightedSumOfItsParts) {
  TemporaryFolder folder("litenat_crf");
  write_toy_data(folder.path(), 40, 10);
  TrainConfig config = toy_config(folder.path());
  config.objective.kind = ObjectiveKind::kCrf;
  config.objective.token_weight = 0.5;
  config.objective.crf_weight = 2;
  config.model.head.kind = graph::HeadKind::kCrf;
  config.model.head.crf_rank = 4;
  config.model.head.crf_beam = 20;  // the whole vocabulary
  Toy toy(folder.path(), config);
  const Batch batch = toy.maker->make({0, 1, 2, 3}, 1);
  Denominators all;
  all.add(batch);
  const Loss loss = toy.objective->compute(*toy.model, batch, all);
  const nn::Tagger::Output out = dynamic_cast<nn::Tagger&>(*toy.model).forward(batch.ids, batch.mask);
  const Tensor allowed =
      toy.data.candidates->mask(torch::kCPU).index_select(0, batch.ids.flatten()).view_as(out.emissions);
  Tensor golds = torch::zeros_like(batch.ids);
  golds.masked_scatter_(batch.mask, batch.targets);
  const Tensor log_p =
      nn::crf_log_likelihood(out.emissions, golds, batch.mask, toy.model->crf_from(), toy.model->crf_to(), 20, allowed);
  const double crf = (-log_p / batch.mask.sum(1)).mean().item<double>();
  const Tensor masked = out.emissions.masked_fill(allowed.logical_not(), -1e30).reshape({-1, out.emissions.size(2)});
  const double tokens = at::cross_entropy_loss(masked.index_select(0, batch.rows), batch.targets).item<double>();
  EXPECT_NEAR(loss.total.item<double>(), 2 * crf + 0.5 * tokens, 1e-5);
  EXPECT_NEAR(loss.nll.item<double>(), -log_p.sum().item<double>(), 1e-4);
}

TEST(Objective, RefusesTheWrongHead) {
  graph::ModelSpec model;
  ObjectiveSpec spec;
  spec.kind = ObjectiveKind::kCrf;
  EXPECT_THROW(make_objective(spec, nullptr, model), Error);
  model.head.kind = graph::HeadKind::kCrf;
  spec.kind = ObjectiveKind::kTagging;
  EXPECT_THROW(make_objective(spec, nullptr, model), Error);
}

// ---- data

TEST(BatchMaker, RowsAreWhatWasTyped) {
  TemporaryFolder folder("litenat_batches");
  write_toy_data(folder.path(), 50, 10);
  for (const graph::InputKind input : {graph::InputKind::kUnits, graph::InputKind::kKeys}) {
    TrainConfig config = toy_config(folder.path());
    config.model.input = input;
    config.model.head.boundary = input == graph::InputKind::kKeys;
    const Toy toy(folder.path(), config);
    const Batch batch = toy.maker->make({3, 8, 20}, 2);
    const Batch again = toy.maker->make({3, 8, 20}, 2);
    EXPECT_TRUE(torch::equal(batch.ids, again.ids));
    Sentence sentence;
    int64_t n = 0;
    const Tensor flat = batch.ids.flatten();
    for (int64_t b = 0; b < 3; ++b) {
      toy.data.train->read(std::vector<int64_t>{3, 8, 20}[static_cast<size_t>(b)], &sentence);
      for (size_t i = 0; i < sentence.target.size(); ++i, ++n) {
        EXPECT_EQ(batch.targets[n].item<int64_t>(), sentence.target[i]);
        EXPECT_EQ(batch.syllables[n].item<int64_t>(), sentence.syllables[i]);
        const auto unit = batch.inputs[n].item<int32_t>();
        const auto allowed = text::unit_syllables(unit);
        EXPECT_TRUE(std::find(allowed.begin(), allowed.end(), sentence.syllables[i]) != allowed.end());
        const int64_t row = batch.rows[n].item<int64_t>();
        EXPECT_EQ(row / batch.ids.size(1), b);
        EXPECT_EQ(flat[row].item<int64_t>(),
                  input == graph::InputKind::kUnits ? unit : text::key_token(text::unit_name(unit)[0]));
      }
    }
    EXPECT_EQ(n, batch.num_targets);
    EXPECT_EQ(batch.mask.sum().item<int64_t>(), batch.num_rows);
    EXPECT_EQ(batch.target_mask.sum().item<int64_t>(), batch.num_targets);
    if (input != graph::InputKind::kKeys) continue;
    EXPECT_TRUE(torch::equal(batch.key_rows.masked_select(batch.boundaries.to(torch::kBool)), batch.rows));
    EXPECT_EQ(batch.key_rows.numel(), batch.num_rows);
  }
}

TEST(BatchLoader, OrderDoesNotDependOnWorkersOrStart) {
  TemporaryFolder folder("litenat_loader");
  write_toy_data(folder.path(), 100, 10);
  const Toy toy(folder.path(), toy_config(folder.path()));
  std::vector<Tensor> straight;
  std::vector<DataPosition> positions;
  BatchLoader one(toy.maker.get(), {}, 1, 2, false);
  const int64_t per_epoch = one.batches_in_epoch();
  ASSERT_GT(per_epoch, 3);
  std::set<int64_t> epochs;
  int64_t seen = 0;
  for (int64_t i = 0; i < 2 * per_epoch + 2; ++i) {
    positions.push_back(one.position());
    const Batch batch = one.next();
    if (batch.epoch == 1) seen += batch.num_sentences;
    epochs.insert(batch.epoch);
    straight.push_back(batch.ids);
  }
  EXPECT_EQ(seen, toy.data.train->size());  // each sentence once an epoch
  EXPECT_EQ(epochs, (std::set<int64_t>{1, 2, 3}));
  const size_t start = static_cast<size_t>(per_epoch) - 1;  // across an epoch's end
  BatchLoader many(toy.maker.get(), positions[start], 4, 3, false);
  for (size_t i = start; i < straight.size(); ++i) EXPECT_TRUE(torch::equal(many.next().ids, straight[i])) << i;
}

TEST(BatchLoader, CountsSentencesThatAreTooLong) {
  TemporaryFolder folder("litenat_long");
  write_toy_data(folder.path(), 100, 10);
  TrainConfig config = toy_config(folder.path());
  config.data.batch.max_positions = 5;
  const Toy toy(folder.path(), config);
  const auto& lengths = toy.data.train->lengths();
  const auto too_long = std::count_if(lengths.begin(), lengths.end(), [](int32_t n) { return n > 5; });
  ASSERT_GT(too_long, 0);
  EXPECT_EQ(BatchLoader(toy.maker.get(), {}, 1, 2, false).num_too_long(), too_long);
  config.data.batch.max_positions = 1;
  EXPECT_THROW(TaggingValidator(toy.data.valid.get(), config.model.input, config.data), Error);
}

TEST(TaggingDataset, ReportsSidesThatDiffer) {
  TemporaryFolder folder("litenat_sides");
  write_toy_data(folder.path(), 20, 10);
  std::filesystem::copy_file(folder.path() + "/valid.pinyin-hanzi.hanzi.idx",
                             folder.path() + "/train.pinyin-hanzi.hanzi.idx",
                             std::filesystem::copy_options::overwrite_existing);
  std::filesystem::copy_file(folder.path() + "/valid.pinyin-hanzi.hanzi.bin",
                             folder.path() + "/train.pinyin-hanzi.hanzi.bin",
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_NE(error_of(toy_config(folder.path()), folder.path() + "/run").find("found 20 of pinyin and 10 of hanzi"),
            std::string::npos);
}

// ---- updates

TEST(UpdateStep, AccumulationEqualsABiggerBatch) {
  TemporaryFolder folder("litenat_accumulation");
  write_toy_data(folder.path(), 60, 10);
  for (const bool crf : {false, true}) {
    TrainConfig config = toy_config(folder.path());
    if (crf) {
      config.model.head.kind = graph::HeadKind::kCrf;
      config.objective.kind = ObjectiveKind::kCrf;
    }
    std::vector<std::vector<Tensor>> weights;
    for (const bool split : {false, true}) {
      Toy toy(folder.path(), config);
      Optimizer optimizer(toy.parameters, config.optimizer);
      UpdateStep step({0.5}, toy.model.get(), toy.objective.get(), toy.parameters, &optimizer, nullptr);
      for (int64_t update = 1; update <= 3; ++update) {
        std::vector<Batch> batches;
        if (split)
          batches = {toy.maker->make({0, 1}, update), toy.maker->make({2, 3, 4}, update), toy.maker->make({5}, update)};
        else
          batches = {toy.maker->make({0, 1, 2, 3, 4, 5}, update)};
        step.run(batches, 0.01, update);
      }
      EXPECT_EQ(step.faults().count, 0);
      weights.emplace_back();
      for (const auto& [name, parameter] : toy.parameters) weights.back().push_back(parameter.detach().clone());
    }
    for (size_t i = 0; i < weights[0].size(); ++i)
      EXPECT_TRUE(torch::allclose(weights[0][i], weights[1][i], 1e-4, 2e-6)) << "crf " << crf << ", weight " << i;
  }
}

TEST(UpdateStep, LeavesOutWhatIsNotFinite) {
  TemporaryFolder folder("litenat_nan");
  write_toy_data(folder.path(), 20, 10);
  Toy toy(folder.path(), toy_config(folder.path()));
  Optimizer optimizer(toy.parameters, toy.config.optimizer);
  UpdateStep step({1}, toy.model.get(), toy.objective.get(), toy.parameters, &optimizer, nullptr);
  const std::vector<Batch> batches = {toy.maker->make({0, 1}, 1)};
  step.run(batches, 0.01, 1);
  const torch::NoGradGuard no_grad;
  Tensor weight = toy.parameters[0].second;
  const Tensor before = toy.parameters[3].second.clone(), kept = weight.clone(), sums = step.sums().clone();
  weight.fill_(std::nan(""));
  {
    const torch::AutoGradMode grad(true);
    step.run(batches, 0.01, 2);
  }
  EXPECT_TRUE(torch::equal(toy.parameters[3].second, before));
  EXPECT_TRUE(torch::equal(step.sums(), sums));
  EXPECT_EQ(step.faults().count, 1);
  EXPECT_EQ(step.faults().first_update, 2);
  weight.copy_(kept);
  const torch::AutoGradMode grad(true);
  step.run(batches, 0.01, 3);
  EXPECT_EQ(step.faults().count, 1);
  EXPECT_FALSE(torch::equal(toy.parameters[3].second, before));
}

// ---- whole runs

TEST(Trainer, LearnsTheToyLanguageInEveryInput) {
  TemporaryFolder folder("litenat_learns");
  write_toy_data(folder.path(), 400, 50);
  for (const graph::InputKind input : {graph::InputKind::kUnits, graph::InputKind::kKeys, graph::InputKind::kTokens}) {
    TrainConfig config = toy_config(folder.path());
    config.model.input = input;
    config.model.embedding.window_left = 6;
    config.model.head.boundary = input == graph::InputKind::kKeys;
    config.model.head.syllable = input == graph::InputKind::kKeys;
    config.dropout.dropout = 0;
    config.train.max_updates = 120;
    config.data.keys = {1, 0, 0, 0, 0, 0.1, 0.2};
    const std::string run = folder.path() + "/run_" + graph::kInputKindNames.name(input);
    const TrainResult result = train(config, run);
    ASSERT_TRUE(result.report.has_value());
    // The previous syllable decides between two characters; chance is 50 %.
    EXPECT_GT(result.report->modes[0].accuracy, 0.97) << run;
    EXPECT_EQ(result.updates, 120);
    const TrainResult again = train(config, run);  // nothing left to do: the same scores
    EXPECT_EQ(again.report->to_json().dump(), result.report->to_json().dump());
  }
}

TEST(Trainer, RefusesOtherSettingsAndKeepsHarmlessOnes) {
  TemporaryFolder folder("litenat_changed");
  write_toy_data(folder.path(), 60, 10);
  TrainConfig config = toy_config(folder.path());
  config.train.max_updates = 8;
  const std::string run = folder.path() + "/run";
  train(config, run);
  config.optimizer.lr = 0.02;
  config.model.encoder.blocks[0].ffn_dim = 8;
  const std::string message = error_of(config, run);
  EXPECT_NE(message.find("model.encoder.blocks[0].ffn_dim, optimizer.lr"), std::string::npos) << message;
  config = toy_config(folder.path());
  config.train.max_updates = 12;
  config.train.log_every = 3;
  EXPECT_EQ(train(config, run).updates, 12);
  config.optimizer.lr = 0.02;
  TrainOptions restart;
  restart.run_folder = run;
  restart.threads = 1;
  restart.restart = true;
  Silent listener;
  EXPECT_EQ(Trainer(config, restart, &listener).run().updates, 12);
  config.train.max_updates = 0;
  EXPECT_THROW(Trainer(config, restart, &listener), Error) << "without an end";
}

TEST(Trainer, StopsAtNumbersThatAreNotFinite) {
  TemporaryFolder folder("litenat_diverges");
  write_toy_data(folder.path(), 60, 10);
  TrainConfig config = toy_config(folder.path());
  const std::string run = folder.path() + "/run";
  config.train.max_updates = 10;
  train(config, run);
  // A checkpoint whose weights are poisoned stands for a divergence after update 10.
  config.train.max_updates = 20;
  const CheckpointReader reader(run + "/checkpoints/last.safetensors");
  CheckpointContent content{reader.spec(), reader.config_toml(), reader.decode_json(), reader.state(), {}, {}, {}, {}};
  const auto container = value_or_throw(format::Container::open(reader.path()));
  for (const auto& [name, tensor] : container->tensors()) {
    const size_t slash = name.find('/');
    if (slash == std::string::npos) continue;
    Tensor value = reader.read(name);
    if (name == "model/head.output.weight") value.fill_(std::nan(""));
    const std::string part = name.substr(0, slash);
    (part == "model"       ? content.model
     : part == "average"   ? content.average
     : part == "optimizer" ? content.optimizer
                           : content.log)
        .emplace_back(name.substr(slash + 1), value);
  }
  write_checkpoint(reader.path(), content);
  const std::string message = error_of(config, run);
  EXPECT_NE(message.find("update 11: loss or gradient is not finite (last batch read: epoch "), std::string::npos)
      << message;
  EXPECT_EQ(CheckpointReader(run + "/checkpoints/last.safetensors").state().update, 10);
}

TEST(Trainer, WritesTheRunFolder) {
  TemporaryFolder folder("litenat_folder");
  write_toy_data(folder.path(), 60, 10);
  TrainConfig config = toy_config(folder.path());
  config.train.keep_last = 2;
  const std::string run = folder.path() + "/run";
  train(config, run);
  TrainConfig read;
  config::load_config(run + "/config.toml", {}, &read);
  EXPECT_EQ(read.model.target_vocabulary, 20);
  for (const char* name :
       {"resources.litenat", "log.jsonl", "checkpoints/best.safetensors", "checkpoints/last.safetensors",
        "checkpoints/update_30.safetensors", "checkpoints/update_40.safetensors"})
    EXPECT_TRUE(std::filesystem::exists(run + "/" + name)) << name;
  EXPECT_FALSE(std::filesystem::exists(run + "/checkpoints/update_20.safetensors"));
  std::ifstream log(run + "/log.jsonl");
  int train_lines = 0, valid_lines = 0;
  for (std::string line; std::getline(log, line);) {
    const Json json = value_or_throw(Json::parse(line));
    (json.find("type")->string() == "train" ? train_lines : valid_lines) += 1;
    EXPECT_GT(json.find("nll")->number(), 0);
  }
  EXPECT_EQ(train_lines, 10);
  EXPECT_EQ(valid_lines, 2);
}

TEST(Configurations, OfTheZooFitTogether) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(LITENAT_SOURCE_DIR "/configs/ime")) {
    TrainConfig config;
    config::load_config(entry.path().string(), {}, &config);
    config.model.source_vocabulary = 1000;
    config.model.target_vocabulary = 6000;
    config.model.syllable_vocabulary = config.model.head.syllable ? text::num_syllables() : 0;
    const nn::Tagger model(config.model, config.dropout);
    EXPECT_NE(make_objective(config.objective, nullptr, model.spec()), nullptr) << entry.path();
    int64_t parameters = 0;
    for (const Tensor& parameter : model.parameters()) parameters += parameter.numel();
    const bool small = entry.path().stem() == "tagger-small";
    EXPECT_LT(parameters, small ? 2000000 : 7000000) << entry.path();
    EXPECT_GT(parameters, small ? 1000000 : 4000000) << entry.path();
    ++count;
  }
  EXPECT_GE(count, 4);
}

TEST(RunFolder, TakesOneProcessAndClearsRemains) {
  TemporaryFolder folder("litenat_lock");
  const std::string run = folder.path() + "/run";
  std::filesystem::create_directories(run + "/checkpoints");
  const std::string remains = run + "/checkpoints/last.safetensors.tmp.1234";
  const std::string notes = run + "/notes.tmp.txt";  // the user's own
  std::ofstream(remains) << "half";
  std::ofstream(notes) << "mine";
  const RunFolder holder(run, false);
  EXPECT_FALSE(std::filesystem::exists(remains));
  EXPECT_TRUE(std::filesystem::exists(notes));
  try {
    const RunFolder second(run, false);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("another process trains in this folder"), std::string::npos);
  }
}

TEST(RunFolder, TellsWhatChanged) {
  TrainConfig before, now;
  now.train.max_updates = 9;
  now.data.dir = "elsewhere";
  now.decode.beam = 3;
  EXPECT_TRUE(changed_settings(before, now).empty());
  now.train.seed = 2;
  now.model.encoder.blocks.resize(1);
  const std::vector<std::string> changed = changed_settings(before, now);
  EXPECT_TRUE(std::find(changed.begin(), changed.end(), "train.seed") != changed.end());
  EXPECT_TRUE(std::find(changed.begin(), changed.end(), "model.encoder.blocks[0].ffn_dim") != changed.end());
}

TEST(Trainer, SaysWhichFileIsMissing) {
  TemporaryFolder folder("litenat_missing");
  const std::string run = folder.path() + "/run";
  EXPECT_NE(error_of(TrainConfig(), run).find("data.dir: expected the folder"), std::string::npos);
  TrainConfig config = toy_config(folder.path() + "/nowhere");
  EXPECT_NE(error_of(config, run).find("/nowhere/dict.pinyin.txt"), std::string::npos);
  write_toy_data(folder.path(), 20, 10);
  config = toy_config(folder.path());
  std::filesystem::remove(folder.path() + "/resources.litenat");
  EXPECT_NE(error_of(config, run).find("/resources.litenat: no such file"), std::string::npos);
  write_toy_data(folder.path(), 20, 10);
  config.model.target_vocabulary = 21;
  EXPECT_NE(error_of(config, run).find("model.target_vocabulary: expected 20"), std::string::npos);
  config = toy_config(folder.path());
  config.data.batch.max_tokens = 4;  // some clauses are longer
  EXPECT_NE(error_of(config, run).find("max_tokens"), std::string::npos);
  config = toy_config(folder.path());
  train(config, run);
  std::filesystem::resize_file(run + "/checkpoints/last.safetensors", 5000);
  EXPECT_NE(error_of(config, run).find("last.safetensors"), std::string::npos);
}

TEST(AverageCheckpoints, IsTheMean) {
  TemporaryFolder folder("litenat_mean");
  write_toy_data(folder.path(), 60, 10);
  TrainConfig config = toy_config(folder.path());
  config.train.keep_last = 3;
  config.train.average = AverageKind::kNone;
  train(config, folder.path() + "/run");
  const std::string head = folder.path() + "/run/checkpoints/update_";
  const std::vector<std::string> inputs = {head + "20.safetensors", head + "40.safetensors", head + "30.safetensors"};
  average_checkpoints(inputs, folder.path() + "/mean.safetensors");
  Tensor sum;
  for (const std::string& input : inputs) {
    const Tensor weight = CheckpointReader(input).read("model/head.output.weight");
    sum = sum.defined() ? sum + weight : weight;
  }
  const Tensor mean = CheckpointReader(folder.path() + "/mean.safetensors").read("model/head.output.weight");
  EXPECT_TRUE(torch::allclose(mean, sum / 3, 1e-6, 1e-7));
  EXPECT_EQ(CheckpointReader(folder.path() + "/mean.safetensors").state().update, 40);
  EXPECT_THROW(average_checkpoints({}, folder.path() + "/none.safetensors"), Error);
}

TEST(TorchEngine, GivesTheModelsRows) {
  TemporaryFolder folder("litenat_engine");
  write_toy_data(folder.path(), 60, 10);
  TrainConfig config = toy_config(folder.path());
  config.train.max_updates = 5;
  train(config, folder.path() + "/run");
  const std::string path = folder.path() + "/run/checkpoints/last.safetensors";
  TorchEngine engine(path, "cpu");
  const std::vector<int32_t> ids = {5, 9, 200, 7, 8}, lengths = {2, 3};
  const auto output = engine.run(ids, lengths);
  ASSERT_TRUE(output.ok()) << output.status().message();
  ASSERT_EQ(output.value().emissions.size(), 5u * 20u);
  nn::Tagger model(engine.spec(), {});
  NamedTensors parameters;
  for (const auto& item : model.named_parameters()) parameters.emplace_back(item.key(), item.value());
  CheckpointReader(path).load("average", parameters);
  model.eval();
  const torch::NoGradGuard no_grad;
  const Tensor alone =
      model.forward(torch::tensor({{200, 7, 8}}, torch::kInt64), torch::ones({1, 3}, torch::kBool)).emissions;
  for (int64_t v = 0; v < 20; ++v)
    EXPECT_NEAR(output.value().emissions[static_cast<size_t>(4 * 20 + v)], alone[0][2][v].item<float>(), 1e-5);
  EXPECT_FALSE(engine.run(ids, std::vector<int32_t>{2, 2}).ok());
  EXPECT_FALSE(engine.run(std::vector<int32_t>{-1}, std::vector<int32_t>{1}).ok());
  EXPECT_FALSE(engine.run(std::vector<int32_t>{1 << 20}, std::vector<int32_t>{1}).ok());
}

TEST(Device, NamesWhatIsMissing) {
  EXPECT_TRUE(choose_device("cpu").is_cpu());
  EXPECT_THROW(choose_device("tpu"), Error);
  EXPECT_THROW(choose_device("cuda:x"), Error);
  EXPECT_THROW(choose_device("cuda:99"), Error);
  EXPECT_THROW(choose_precision(Precision::kBf16, torch::kCPU), Error);
  EXPECT_THROW(choose_precision(Precision::kFp16, torch::kCPU), Error);
  EXPECT_EQ(choose_precision(Precision::kAuto, torch::kCPU), Precision::kFp32);
}

}  // namespace
}  // namespace litenat::train
