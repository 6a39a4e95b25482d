// Objectives and batches of models with a decoder, against independent computations.
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/record_function.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "nn/crf.h"
#include "nn/sequence_model.h"
#include "train/batch_loader.h"
#include "train/ctc.h"
#include "train/device.h"
#include "train/glancing.h"
#include "train/losses.h"
#include "train/pair_batches.h"
#include "train/pair_testing.h"
#include "train/training_data.h"
#include "train/update_step.h"

namespace litenat::train {
namespace {

using testing::pair_config;
using testing::TemporaryFolder;
using testing::write_pair_data;
using torch::Tensor;

constexpr ObjectiveKind kPairKinds[] = {ObjectiveKind::kLabelSmoothed, ObjectiveKind::kNat, ObjectiveKind::kGlat,
                                        ObjectiveKind::kCrfNat, ObjectiveKind::kCtc};

/// Data, a model and its objective.
struct Toy {
  Toy(const std::string& folder, const TrainConfig& toy) : config(toy) {
    data = open_training_data(&config, folder + "/run.litenat");
    torch::manual_seed(7);
    model = nn::make_model(config.model, config.dropout);
    objective = make_objective(config.objective, nullptr, config.model);
    maker = data.make_batches(config);
    for (const auto& item : model->named_parameters()) parameters.emplace_back(item.key(), item.value());
  }
  const nn::SequenceModel& network() const { return dynamic_cast<const nn::SequenceModel&>(*model); }
  /// Logits [N, V] of the decoder's rows, and the source.
  std::pair<Tensor, nn::Encoded> forward(const Batch& batch) const {
    const nn::Encoded source = network().encode(batch.ids, batch.mask);
    const Tensor states = network().decode(batch.decoder_ids, batch.decoder_mask, source);
    return {rows_of(network().logits(states), batch.rows), source};
  }
  Tensor length_loss(const nn::Encoded& source, const Batch& batch) const {
    return at::cross_entropy_loss(network().length_logits(source), batch.length_classes);
  }
  TrainConfig config;
  TrainingData data;
  std::unique_ptr<nn::Model> model;
  std::unique_ptr<Objective> objective;
  std::unique_ptr<BatchMaker> maker;
  NamedTensors parameters;
};

Denominators denominators_of(const Batch& batch) {
  Denominators all;
  all.add(batch);
  return all;
}

// ---- CTC

/// A path without repetitions and blanks.
std::vector<int64_t> collapsed(const std::vector<int64_t>& path) {
  std::vector<int64_t> tokens;
  for (size_t i = 0; i < path.size(); ++i)
    if (path[i] != kCtcBlank && (i == 0 || path[i] != path[i - 1])) tokens.push_back(path[i]);
  return tokens;
}

/// Probability of a target and its likeliest path, over all V^T paths.
struct BruteForce {
  double total = 0, best = 0;
  std::vector<int64_t> path;
  BruteForce(const Tensor& log_p, int64_t rows, const std::vector<int64_t>& target) {
    const int64_t vocabulary = log_p.size(1);
    std::vector<int64_t> candidate(static_cast<size_t>(rows));
    for (int64_t code = 0; code < std::llround(std::pow(vocabulary, rows)); ++code) {
      double sum = 0;
      int64_t rest = code;
      for (int64_t t = 0; t < rows; ++t, rest /= vocabulary) {
        candidate[static_cast<size_t>(t)] = rest % vocabulary;
        sum += log_p[t][rest % vocabulary].item<double>();
      }
      if (collapsed(candidate) != target) continue;
      total += std::exp(sum);
      if (std::exp(sum) <= best) continue;
      best = std::exp(sum);
      path = candidate;
    }
  }
};

TEST(Ctc, AgreesWithAllPaths) {
  torch::manual_seed(3);
  const int64_t vocabulary = 5;
  const std::vector<std::vector<int64_t>> targets = {{4, 4}, {0, 4, 1}, {2}, {}};
  const std::vector<int64_t> rows = {4, 4, 3, 2}, lengths = {2, 3, 1, 0};
  const Tensor log_p = torch::log_softmax(2 * torch::randn({4, 4, vocabulary}), 2);
  Tensor golds = torch::ones({4, 3}, torch::kInt64), target_mask = torch::zeros({4, 3}, torch::kBool);
  Tensor row_mask = torch::zeros({4, 4}, torch::kBool);
  for (size_t b = 0; b < 4; ++b) {
    const auto i = static_cast<int64_t>(b);
    for (size_t t = 0; t < targets[b].size(); ++t) golds[i][static_cast<int64_t>(t)] = targets[b][t];
    target_mask[i].narrow(0, 0, lengths[b]).fill_(true);
    row_mask[i].narrow(0, 0, rows[b]).fill_(true);
  }
  const Tensor loss = train::ctc_loss(log_p, golds, rows, lengths);
  const Tensor path = best_alignment(log_p, golds, row_mask, target_mask);
  for (size_t b = 0; b < 4; ++b) {
    const auto i = static_cast<int64_t>(b);
    const BruteForce expected(log_p[i], rows[b], targets[b]);
    EXPECT_NEAR(loss[i].item<double>(), -std::log(expected.total), 1e-5) << b;
    for (int64_t t = 0; t < 4; ++t)
      EXPECT_EQ(path[i][t].item<int64_t>(), t < rows[b] ? expected.path[static_cast<size_t>(t)] : 1) << b << ", " << t;
  }
  // Two equal targets need a blank between them, which two rows have no place for.
  EXPECT_EQ(train::ctc_loss(log_p, golds, std::vector<int64_t>{2, 4, 3, 2}, lengths)[0].item<double>(), 0);
}

// ---- glancing

TEST(Glancing, ShowsTheFloorOfTheShareOfWrongTargets) {
  torch::manual_seed(5);
  const Tensor mask = torch::arange(12).unsqueeze(0).lt(torch::tensor({{12}, {7}, {3}, {1}}));
  const Tensor golds = torch::randint(4, 9, {4, 12}), predicted = torch::randint(4, 9, {4, 12});
  const Tensor noise = torch::rand({4, 12});
  const Tensor wrong = predicted.ne(golds).logical_and(mask).sum(1);
  for (const double share : {0.0, 0.1, 0.3, 0.5, 1.0}) {
    const Tensor shown = choose_shown(predicted, golds, mask, noise, share);
    for (int64_t b = 0; b < 4; ++b)
      EXPECT_EQ(shown[b].sum().item<int64_t>(), std::floor(wrong[b].item<double>() * share + 1e-12)) << share;
    EXPECT_FALSE(shown.logical_and(mask.logical_not()).any().item<bool>()) << "padding is never shown";
  }
  EXPECT_EQ(GlancingSpec({0.5, 0.3, 100}).share(0), 0.5);
  EXPECT_DOUBLE_EQ(GlancingSpec({0.5, 0.3, 100}).share(50), 0.4);
  EXPECT_DOUBLE_EQ(GlancingSpec({0.5, 0.3, 100}).share(1000), 0.3);
}

TEST(Glancing, EveryPositionIsEquallyLikely) {
  torch::manual_seed(6);
  const Tensor golds = torch::full({4000, 5}, 9), predicted = torch::full({4000, 5}, 8);
  const Tensor mask = torch::ones({4000, 5}, torch::kBool), noise = torch::rand({4000, 5});
  const Tensor shown = choose_shown(predicted, golds, mask, noise, 0.4).to(torch::kFloat64).mean(0);
  const Tensor rows = choose_shown_rows(predicted, golds, mask, noise, 0.4).to(torch::kFloat64).mean(0);
  for (int64_t t = 0; t < 5; ++t) {
    EXPECT_NEAR(shown[t].item<double>(), 0.4, 0.04);
    EXPECT_NEAR(rows[t].item<double>(), 0.4, 0.04);
  }
}

TEST(Glancing, FirstPassHasTheDropoutOfTheSecond) {
  TemporaryFolder folder("litenat_glance");
  write_pair_data(folder.path(), 40, 10);
  TrainConfig config = pair_config(folder.path(), ObjectiveKind::kGlat);
  config.dropout.dropout = 0.4;
  config.objective.glancing = {1, 1, 0};
  const Toy toy(folder.path(), config);
  const Batch batch = toy.maker->make({0, 1, 2, 3, 4, 5, 6, 7}, 1);
  toy.model->train();
  seed_generators(11, torch::kCPU);
  const auto [logits, source] = toy.forward(batch);
  const Tensor right = logits.argmax(1).eq(batch.targets);
  seed_generators(11, torch::kCPU);
  Batch glanced = batch;
  toy.objective->prepare(*toy.model, 0, &glanced);
  // A share of 1 shows as many targets as are wrong: as many stay hidden as this pass got right.
  EXPECT_EQ(glanced.hidden.sum().item<double>(), right.sum().item<double>());
  const Tensor shown = glanced.decoder_ids.ne(batch.decoder_ids);
  EXPECT_TRUE(torch::equal(glanced.decoder_ids.masked_select(shown), batch.golds.masked_select(shown)));
  // Where nothing is shown, the second pass is that of nat.
  config.objective.glancing = {1e-9, 1e-9, 0};
  const auto glat = make_objective(config.objective, nullptr, toy.config.model);
  config.objective.kind = ObjectiveKind::kNat;
  const auto nat = make_objective(config.objective, nullptr, toy.config.model);
  glanced = batch;
  seed_generators(12, torch::kCPU);
  glat->prepare(*toy.model, 0, &glanced);
  EXPECT_TRUE(torch::equal(glanced.decoder_ids, batch.decoder_ids));
  seed_generators(12, torch::kCPU);
  const double with = glat->compute(*toy.model, glanced, denominators_of(glanced)).total.item<double>();
  seed_generators(12, torch::kCPU);
  const double without = nat->compute(*toy.model, batch, denominators_of(batch)).total.item<double>();
  EXPECT_NEAR(with, without, 1e-5);
}

// ---- losses

double nat_word_loss(const Tensor& logits, const Tensor& targets, double eps) {
  const Tensor log_p = torch::log_softmax(logits, 1);
  const double nll = at::cross_entropy_loss(logits, targets).item<double>();
  return (1 - eps) * nll - eps * log_p.mean().item<double>();
}

TEST(PairObjective, AreTheirFormulas) {
  TemporaryFolder folder("litenat_losses");
  write_pair_data(folder.path(), 40, 10);
  for (const ObjectiveKind kind : kPairKinds) {
    TrainConfig config = pair_config(folder.path(), kind);
    config.objective.label_smoothing = 0.1;
    config.objective.token_weight = 0.5;
    config.objective.length_weight = 0.2;
    config.objective.crf_weight = 2;
    config.model.head.crf_beam = 64;  // the whole vocabulary
    const Toy toy(folder.path(), config);
    const Batch batch = toy.maker->make({0, 1, 2, 3, 4}, 1);
    toy.model->eval();
    const Loss loss = toy.objective->compute(*toy.model, batch, denominators_of(batch));
    const auto [logits, source] = toy.forward(batch);
    double expected = 0;
    if (kind != ObjectiveKind::kCtc) expected = 0.5 * nat_word_loss(logits, batch.targets, 0.1);
    if (kind == ObjectiveKind::kCtc) {
      const Tensor log_p = torch::log_softmax(logits, 1);
      double sum = 0;
      int64_t first = 0;
      for (size_t b = 0; b < 5; ++b) {
        const int64_t rows = batch.row_lengths[b], length = batch.target_lengths[b];
        const Tensor golds = batch.golds[static_cast<int64_t>(b)].narrow(0, 0, length).unsqueeze(0);
        sum += train::ctc_loss(log_p.narrow(0, first, rows).unsqueeze(0), golds, std::vector<int64_t>{rows},
                               std::vector<int64_t>{length})
                   .item<double>();
        first += rows;
      }
      const double rows = static_cast<double>(batch.num_rows);
      expected = 0.5 * (0.9 * sum / rows - 0.1 * log_p.mean().item<double>());
      EXPECT_NEAR(loss.nll.item<double>(), sum, 1e-3);
    } else if (kind != ObjectiveKind::kLabelSmoothed) {
      expected += 0.2 * toy.length_loss(source, batch).item<double>();
    }
    if (kind == ObjectiveKind::kCrfNat) {
      double crf = 0;
      int64_t first = 0;
      for (size_t b = 0; b < 5; ++b) {
        const int64_t rows = batch.row_lengths[b];
        crf -= nn::crf_log_likelihood(
                   logits.narrow(0, first, rows).unsqueeze(0), batch.targets.narrow(0, first, rows).unsqueeze(0),
                   torch::ones({1, rows}, torch::kBool), toy.model->crf_from(), toy.model->crf_to(), 64)
                   .item<double>() /
               static_cast<double>(rows) / 5;
        first += rows;
      }
      expected += 2 * crf;
      EXPECT_NEAR(loss.parts[2].item<double>(), crf, 1e-4);
    }
    EXPECT_NEAR(loss.total.item<double>(), expected, 1e-4) << kObjectiveKindNames.name(kind);
    const size_t parts = loss.parts.defined() ? static_cast<size_t>(loss.parts.numel()) : 0;
    EXPECT_EQ(parts, toy.objective->part_names().size());
  }
}

TEST(PairObjective, GlatLeavesOutWhatItShows) {
  TemporaryFolder folder("litenat_glat");
  write_pair_data(folder.path(), 40, 10);
  const Toy toy(folder.path(), pair_config(folder.path(), ObjectiveKind::kGlat));
  Batch batch = toy.maker->make({0, 1, 2, 3, 4, 5}, 1);
  toy.model->train();
  toy.objective->prepare(*toy.model, 0, &batch);
  const Tensor hidden = batch.hidden.nonzero().squeeze(1);
  ASSERT_LT(hidden.numel(), batch.num_targets);
  const Loss loss = toy.objective->compute(*toy.model, batch, denominators_of(batch));
  const auto [logits, source] = toy.forward(batch);
  const double share = static_cast<double>(hidden.numel()) / static_cast<double>(batch.num_targets);
  const double word =
      at::cross_entropy_loss(logits.index_select(0, hidden), batch.targets.index_select(0, hidden)).item<double>();
  EXPECT_NEAR(loss.total.item<double>(), word + 0.1 * share * toy.length_loss(source, batch).item<double>(), 1e-5);
  EXPECT_NEAR(loss.parts[2].item<double>(), 1 - share, 1e-6);
  EXPECT_NEAR(loss.nll.item<double>() / static_cast<double>(batch.num_targets), word, 1e-5);
}

TEST(PairObjective, CrfNatGlancesButScoresWholeSentences) {
  TemporaryFolder folder("litenat_glat_crf");
  write_pair_data(folder.path(), 40, 10);
  const Toy toy(folder.path(), pair_config(folder.path(), ObjectiveKind::kCrfNat));
  const Batch plain = toy.maker->make({0, 1, 2, 3, 4, 5}, 1);
  Batch batch = plain;
  toy.model->train();
  toy.objective->prepare(*toy.model, 0, &batch);
  const Tensor hidden = batch.hidden.nonzero().squeeze(1), shown = batch.decoder_ids.ne(plain.decoder_ids);
  ASSERT_LT(hidden.numel(), batch.num_targets);
  EXPECT_TRUE(torch::equal(batch.decoder_ids.masked_select(shown), batch.golds.masked_select(shown)));
  const Loss loss = toy.objective->compute(*toy.model, batch, denominators_of(batch));
  const auto [logits, source] = toy.forward(batch);
  const double word =
      at::cross_entropy_loss(logits.index_select(0, hidden), batch.targets.index_select(0, hidden)).item<double>();
  double crf = 0;
  int64_t first = 0;
  for (const int64_t rows : batch.row_lengths) {
    crf -=
        nn::crf_log_likelihood(logits.narrow(0, first, rows).unsqueeze(0),
                               batch.targets.narrow(0, first, rows).unsqueeze(0), torch::ones({1, rows}, torch::kBool),
                               toy.model->crf_from(), toy.model->crf_to(), toy.config.model.head.crf_beam)
            .item<double>() /
        static_cast<double>(rows) / 6;
    first += rows;
  }
  EXPECT_NEAR(loss.parts[0].item<double>(), word, 1e-5);
  EXPECT_NEAR(loss.parts[2].item<double>(), crf, 1e-5);
  const double share = static_cast<double>(hidden.numel()) / static_cast<double>(batch.num_targets);
  EXPECT_NEAR(loss.parts[3].item<double>(), 1 - share, 1e-6);
  EXPECT_NEAR(loss.total.item<double>(), word + crf + 0.1 * share * toy.length_loss(source, batch).item<double>(),
              1e-5);
}

TEST(PairObjective, CtcCountsInTrainingOnlyWhileItGlances) {
  TemporaryFolder folder("litenat_ctc_counts");
  write_pair_data(folder.path(), 40, 10);
  const Toy toy(folder.path(), pair_config(folder.path(), ObjectiveKind::kCtc));
  Batch batch = toy.maker->make({0, 1, 2}, 1);
  const auto count = [&] { return toy.objective->compute(*toy.model, batch, denominators_of(batch)).correct; };
  toy.model->train();
  EXPECT_FALSE(count().defined());
  toy.objective->prepare(*toy.model, 0, &batch);
  EXPECT_TRUE(count().defined());
  batch = toy.maker->make({0, 1, 2}, 1);
  toy.model->eval();
  EXPECT_TRUE(count().defined());
}

std::set<std::string>& operators_called() {
  static std::set<std::string> names;
  return names;
}

std::unique_ptr<at::ObserverContext> note_operator(const at::RecordFunction& function) {
  operators_called().insert(function.name());
  return nullptr;
}

/// Operators whose result's size depends on values, for which the host must wait.
TEST(PairObjective, UpdatesDoNotWaitForSizes) {
  TemporaryFolder folder("litenat_waits");
  write_pair_data(folder.path(), 40, 10);
  for (const ObjectiveKind kind : kPairKinds) {
    const Toy toy(folder.path(), pair_config(folder.path(), kind));
    toy.model->train();
    Batch batch = toy.maker->make({0, 1, 2, 3}, 1);
    operators_called().clear();
    const at::CallbackHandle handle =
        at::addThreadLocalCallback(at::RecordFunctionCallback(note_operator).scopes({at::RecordScope::FUNCTION}));
    toy.objective->prepare(*toy.model, 0, &batch);
    toy.objective->compute(*toy.model, batch, denominators_of(batch)).total.backward();
    at::removeCallback(handle);
    EXPECT_EQ(operators_called().count("aten::linear"), 1u) << "they are noted";
    for (const char* name : {"aten::nonzero", "aten::masked_select", "aten::unique_dim", "aten::_unique2"})
      EXPECT_EQ(operators_called().count(name), 0u) << kObjectiveKindNames.name(kind) << ": " << name;
  }
}

TEST(PairObjective, RefusesModelsOfOtherKinds) {
  TemporaryFolder folder("litenat_refuses");
  for (const ObjectiveKind kind : kPairKinds)
    for (const ObjectiveKind other : kPairKinds) {
      const bool fits = kind == other || (kind == ObjectiveKind::kNat && other == ObjectiveKind::kGlat) ||
                        (kind == ObjectiveKind::kGlat && other == ObjectiveKind::kNat);
      ObjectiveSpec spec;
      spec.kind = kind;
      const graph::ModelSpec model = pair_config(folder.path(), other).model;
      if (fits)
        EXPECT_NE(make_objective(spec, nullptr, model), nullptr);
      else
        EXPECT_THROW(make_objective(spec, nullptr, model), Error)
            << kObjectiveKindNames.name(kind) << " " << kObjectiveKindNames.name(other);
    }
}

// ---- data

TEST(PairBatches, HoldWhatEachFamilyReads) {
  TemporaryFolder folder("litenat_pairs");
  write_pair_data(folder.path(), 30, 10);
  const std::vector<int64_t> sentences = {2, 9, 4};
  for (const ObjectiveKind kind : kPairKinds) {
    const Toy toy(folder.path(), pair_config(folder.path(), kind));
    const Batch batch = toy.maker->make(sentences, 3);
    const bool begins = kind != ObjectiveKind::kLabelSmoothed, ctc = kind == ObjectiveKind::kCtc;
    Pair pair;
    for (size_t b = 0; b < sentences.size(); ++b) {
      toy.data.train_pairs->read(sentences[b], &pair);
      const auto row = static_cast<int64_t>(b);
      const auto ids = batch.ids[row], input = batch.decoder_ids[row], gold = batch.golds[row];
      EXPECT_EQ(pair.source.front() == text::kBos, begins);
      EXPECT_EQ(pair.source.back(), text::kEos);
      for (int64_t s = 0; s < batch.ids.size(1); ++s)
        EXPECT_EQ(ids[s].item<int64_t>(),
                  s < static_cast<int64_t>(pair.source.size()) ? pair.source[static_cast<size_t>(s)] : text::kPad);
      const int64_t length = static_cast<int64_t>(pair.target.size()), rows = batch.row_lengths[b];
      EXPECT_EQ(rows, ctc ? 2 * static_cast<int64_t>(pair.source.size()) : length);
      for (int64_t t = 0; t < length; ++t) EXPECT_EQ(gold[t].item<int64_t>(), pair.target[static_cast<size_t>(t)]);
      for (int64_t t = 0; t < rows; ++t) {
        const int64_t masked = t == 0 ? text::kBos : t == rows - 1 ? text::kEos : text::kUnk;
        const int64_t shifted = t == 0 ? text::kEos : pair.target[static_cast<size_t>(std::min(t, length) - 1)];
        EXPECT_EQ(input[t].item<int64_t>(), begins ? masked : shifted);
      }
      EXPECT_EQ(batch.decoder_mask[row].sum().item<int64_t>(), rows);
      if (batch.length_classes.defined()) {
        EXPECT_EQ(batch.length_classes[row].item<int64_t>(), length);
      }
    }
    EXPECT_EQ(batch.length_classes.defined(), begins && !ctc);
    EXPECT_EQ(batch.noise.defined(), ctc || kind == ObjectiveKind::kGlat || kind == ObjectiveKind::kCrfNat);
    if (batch.noise.defined()) {  // what is drawn for a sentence depends on no other
      const Batch alone = toy.maker->make({9}, 3), later = toy.maker->make({9}, 4);
      const int64_t rows = alone.row_lengths[0];
      EXPECT_TRUE(torch::equal(alone.noise[0], batch.noise[1].narrow(0, 0, rows)));
      EXPECT_FALSE(torch::equal(alone.noise, later.noise));
    }
  }
}

TEST(PairBatches, LeaveOutWhatTheTablesHaveNoRowsFor) {
  TemporaryFolder folder("litenat_rows");
  write_pair_data(folder.path(), 100, 10);
  for (const ObjectiveKind kind : {ObjectiveKind::kNat, ObjectiveKind::kCtc}) {
    TrainConfig config = pair_config(folder.path(), kind);
    config.model.decoder.embedding.max_positions = kind == ObjectiveKind::kCtc ? 14 : 7;  // both: 5 words
    const Toy toy(folder.path(), config);
    int64_t expected = 0, left_out = 0;
    std::set<int64_t> seen;
    for (const int32_t length : toy.data.train_pairs->source_lengths()) expected += length > 7;
    for (const data::Batch& batch : toy.maker->plan(1, true, &left_out))
      for (const int64_t i : batch) {
        EXPECT_LE(toy.data.train_pairs->source_lengths()[static_cast<size_t>(i)], 7);
        EXPECT_TRUE(seen.insert(i).second);
      }
    EXPECT_EQ(left_out, expected);
    EXPECT_EQ(static_cast<int64_t>(seen.size()), 100 - expected);
  }
}

TEST(PairDataset, FingerprintIsOfTheContent) {
  TemporaryFolder folder("litenat_print");
  const auto print = [&] {
    TrainConfig config = pair_config(folder.path(), ObjectiveKind::kNat);
    return open_training_data(&config, "").training_set().fingerprint();
  };
  write_pair_data(folder.path(), 30, 10);
  const std::string copied = print();
  EXPECT_EQ(print(), copied);
  write_pair_data(folder.path(), 30, 10, /*reverse=*/true);  // the same counts
  EXPECT_NE(print(), copied);
}

TEST(BatchLoader, RanksShareOneStream) {
  TemporaryFolder folder("litenat_ranks");
  write_pair_data(folder.path(), 100, 10);
  const Toy toy(folder.path(), pair_config(folder.path(), ObjectiveKind::kNat));
  BatchLoader one(toy.maker.get(), {}, 2, 2, false);
  std::vector<Tensor> stream;
  std::vector<DataPosition> positions;
  const int64_t steps = 2 * one.batches_in_epoch() + 5;
  for (int64_t i = 0; i < steps; ++i) {
    positions.push_back(one.position());
    stream.push_back(one.next().ids);
  }
  for (int rank = 0; rank < 3; ++rank) {
    BatchLoader of_rank(toy.maker.get(), positions[2], 1, 4, false, rank, 3);
    for (size_t i = 2; i + 3 < stream.size(); i += 3) {
      EXPECT_TRUE(torch::equal(of_rank.next().ids, stream[i + static_cast<size_t>(rank)])) << rank << ", " << i;
      BatchLoader again(toy.maker.get(), of_rank.position(), 1, 1, false);
      EXPECT_TRUE(torch::equal(again.next().ids, stream[i + 3]));
    }
  }
}

// ---- updates

std::vector<Tensor> weights_of(const Toy& toy) {
  std::vector<Tensor> weights;
  for (const auto& [name, parameter] : toy.parameters) weights.push_back(parameter.detach().clone());
  return weights;
}

TEST(PairUpdate, AccumulationEqualsABiggerBatch) {
  TemporaryFolder folder("litenat_pair_accumulation");
  write_pair_data(folder.path(), 30, 10);
  for (const ObjectiveKind kind : kPairKinds) {
    TrainConfig config = pair_config(folder.path(), kind);
    config.objective.label_smoothing = 0.1;
    std::vector<std::vector<Tensor>> weights;
    std::vector<Tensor> sums;
    std::vector<std::string> names;
    for (const bool split : {false, true}) {
      Toy toy(folder.path(), config);
      Optimizer optimizer(toy.parameters, config.optimizer);
      UpdateStep step({0.5}, toy.model.get(), toy.objective.get(), toy.parameters, &optimizer, nullptr);
      for (int64_t update = 1; update <= 3; ++update) {
        std::vector<Batch> batches;
        for (const data::Batch& part :
             split ? std::vector<data::Batch>{{0, 1}, {2, 3, 4}, {5}} : std::vector<data::Batch>{{0, 1, 2, 3, 4, 5}})
          batches.push_back(toy.maker->make(part, update));
        step.run(batches, 0.002, update);
      }
      EXPECT_EQ(step.faults().count, 0);
      weights.push_back(weights_of(toy));
      sums.push_back(step.sums().clone());
      names.clear();
      for (const auto& [parameter, value] : toy.parameters) names.push_back(parameter);
    }
    const char* name = kObjectiveKindNames.name(kind);
    for (size_t i = 0; i < weights[0].size(); ++i) {
      // Softmax does not see the keys' bias: its gradient is rounding, which Adam makes steps of full size from.
      if (names[i].find("k_proj.bias") != std::string::npos) continue;
      EXPECT_TRUE(torch::allclose(weights[0][i], weights[1][i], 1e-3, 2e-5)) << name << ", " << names[i];
    }
    EXPECT_TRUE(torch::allclose(sums[0].narrow(0, 0, 1), sums[1].narrow(0, 0, 1), 1e-4, 1e-5)) << name;
    EXPECT_TRUE(torch::allclose(sums[0].slice(0, 4), sums[1].slice(0, 4), 1e-4, 1e-5)) << name;
  }
}

TEST(PairUpdate, ScaledLossGivesTheSameUpdates) {
  TemporaryFolder folder("litenat_scaled");
  write_pair_data(folder.path(), 30, 10);
  const TrainConfig config = pair_config(folder.path(), ObjectiveKind::kNat);
  std::vector<std::vector<Tensor>> weights;
  for (const Precision precision : {Precision::kFp32, Precision::kFp16}) {
    Toy toy(folder.path(), config);
    Optimizer optimizer(toy.parameters, config.optimizer);
    UpdateSpec spec;
    spec.clip_norm = 0.5;
    spec.precision = precision;  // on a CPU nothing is computed in fp16: only the scale is there
    spec.scale_window = 2;
    UpdateStep step(spec, toy.model.get(), toy.objective.get(), toy.parameters, &optimizer, nullptr);
    const bool scaled = precision == Precision::kFp16;
    for (int64_t update = 1; update <= 4; ++update) step.run({toy.maker->make({0, 1, 2, 3}, 1)}, 0.002, update);
    EXPECT_EQ(step.loss_scale(), scaled ? 128 * 4 : 1);
    weights.push_back(weights_of(toy));
    if (!scaled) continue;
    const double norm = step.sums()[3].item<double>();
    Tensor scale = step.state().back().second;
    scale[0] = 1e38;  // gradients overflow
    step.run({toy.maker->make({4, 5}, 1)}, 0.002, 5);
    const std::vector<Tensor> after = weights_of(toy);
    for (size_t i = 0; i < after.size(); ++i) EXPECT_TRUE(torch::equal(after[i], weights.back()[i]));
    EXPECT_FLOAT_EQ(static_cast<float>(step.loss_scale()), 5e37f);
    EXPECT_EQ(step.sums()[3].item<double>(), norm);
    EXPECT_EQ(step.faults().count, 0) << "an overflow is no fault";
    EXPECT_EQ(optimizer.state().back().second.item<float>(), 4) << "nor a step";
  }
  for (size_t i = 0; i < weights[0].size(); ++i)
    EXPECT_TRUE(torch::allclose(weights[0][i], weights[1][i], 1e-4, 1e-6)) << i;
}

// Three steps of torch 2.11's Adam and AdamW and of fairseq 0.12.2's Adam on one small loss.
TEST(Optimizer, AgreesWithPublishedImplementations) {
  const auto run = [](OptimizerKind kind, EpsConvention convention) {
    OptimizerSpec spec;
    spec.kind = kind;
    spec.eps_convention = convention;
    spec.eps = 1e-3;
    spec.weight_decay = 0.1;
    Tensor p = torch::tensor({{0.5, -1.25}, {2.0, 0.125}}, torch::kFloat32).requires_grad_();
    Optimizer optimizer({{"p", p}}, spec);
    for (int k = 0; k < 3; ++k) {
      p.mutable_grad().reset();
      ((p * p * torch::tensor({{0.1, 0.2}, {0.3, -0.4}}, torch::kFloat32)).sum() + (k + 1) * (p[0] * p[1]).sum())
          .backward();
      optimizer.step({p.grad()}, 0.01, {}, {});
    }
    return p.detach().flatten().to(torch::kFloat64);
  };
  const auto near = [](const Tensor& found, const std::vector<double>& expected) {
    return torch::allclose(found, torch::tensor(expected, torch::kFloat64), 1e-6, 1e-7);
  };
  EXPECT_TRUE(
      near(run(OptimizerKind::kAdamW, EpsConvention::kCorrected), {0.469319016, -1.21853614, 1.96410215, 0.153831571}));
  EXPECT_TRUE(
      near(run(OptimizerKind::kAdam, EpsConvention::kCorrected), {0.470765769, -1.22119772, 1.97004342, 0.154224366}));
  EXPECT_TRUE(near(run(OptimizerKind::kAdamW, EpsConvention::kUncorrected),
                   {0.469366521, -1.21891153, 1.96417212, 0.15375717}));
}

}  // namespace
}  // namespace litenat::train
