#include "nn/sequence_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "graph/graph.h"
#include "nn/sequence_testing.h"
#include "nn/tagger.h"

namespace litenat::nn {
namespace {

using graph::ModelSpec;
using testing::largest;
using testing::NamedSpec;
using testing::Rows;
using torch::Tensor;

std::unique_ptr<SequenceModel> make(const ModelSpec& spec, const DropoutSpec& dropout = {}) {
  torch::manual_seed(7);
  auto model = std::make_unique<SequenceModel>(spec, dropout);
  // Every parameter away from the zeros and ones that it starts with.
  const torch::NoGradGuard no_grad;
  for (auto& p : model->named_parameters()) p.value().add_(0.3 * at::randn_like(p.value()));
  model->eval();
  return model;
}

TEST(SequenceModel, SinusoidsHaveNoEnd) {
  const torch::NoGradGuard no_grad;
  ModelSpec spec = testing::transformer_spec();
  spec.embedding.max_positions = spec.decoder.embedding.max_positions = 4;
  const auto small = make(spec);
  spec.embedding.max_positions = spec.decoder.embedding.max_positions = 64;
  const auto large = make(spec);
  const Rows source = testing::random_rows({30, 5}, 30), input = testing::random_rows({3, 20}, 20);
  const auto expected = large->decode(input.ids, input.mask, large->encode(source.ids, source.mask));
  const Encoded encoded = small->encode(source.ids, source.mask);
  EXPECT_TRUE(
      at::equal(small->decode(input.ids, input.mask, encoded).index({input.mask}), expected.index({input.mask})));
  // Step by step in a model whose table has not grown yet, and whose type has changed since it was made.
  const auto fresh = make(spec = testing::transformer_spec());
  fresh->to(torch::kDouble);
  large->to(torch::kDouble);
  const auto state = fresh->begin(fresh->encode(source.ids, source.mask)),
             reference = large->begin(large->encode(source.ids, source.mask));
  for (int64_t t = 0; t < 40; ++t) {
    const Tensor ids = torch::full({2}, 4 + t % 5, torch::kInt64);
    EXPECT_LT(largest(fresh->step(ids, state.get()) - large->step(ids, reference.get())), 1e-6) << t;
  }
  // What grew are the buffers, which later moves to other devices reach.
  for (const auto& buffer : fresh->named_buffers()) EXPECT_GE(buffer.value().size(0), 30 + 2) << buffer.key();
}

std::string name_of(const ::testing::TestParamInfo<NamedSpec>& entry) { return entry.param.name; }

class SequenceModelOf : public ::testing::TestWithParam<NamedSpec> {
 protected:
  std::unique_ptr<SequenceModel> model_ = make(GetParam().spec);

  Tensor logits(const Rows& source, const Rows& input) const {
    return model_->logits(model_->decode(input.ids, input.mask, model_->encode(source.ids, source.mask)));
  }
};

TEST_P(SequenceModelOf, ParametersAreTheGraphsWeights) {
  std::map<std::string, std::vector<int64_t>> ours, graphs;
  for (const auto& p : model_->named_parameters()) ours[p.key()] = p.value().sizes().vec();
  for (const auto& w : value_or_throw(graph::build_graph(GetParam().spec)).weights) graphs[w.name] = w.shape;
  if (model_->crf_from().defined()) {
    // The CRF's tables belong to the decoding; a graph may or may not list them.
    graphs["crf_layer.E1.weight"] = model_->crf_from().sizes().vec();
    graphs["crf_layer.E2.weight"] = model_->crf_to().sizes().vec();
  }
  EXPECT_EQ(ours, graphs);
}

TEST_P(SequenceModelOf, SentencesDependOnThemselvesAlone) {
  const torch::NoGradGuard no_grad;
  const Rows source = testing::random_rows({7, 2, 5, 1}, 9), input = testing::random_rows({4, 6, 1, 3}, 8);
  const Tensor together = logits(source, input);
  const Tensor lengths = model_->length_logits(model_->encode(source.ids, source.mask));
  for (int64_t b = 0; b < 4; ++b) {
    const auto alone = [&](const Rows& rows) {
      const Tensor ids = rows.ids[b].index({rows.mask[b]}).unsqueeze(0);
      return Rows{ids, at::ones_like(ids, torch::kBool)};
    };
    const Rows one_source = alone(source), one_input = alone(input);
    const Tensor expected = logits(one_source, one_input)[0];
    EXPECT_LT(largest(together[b].narrow(0, 0, expected.size(0)) - expected), 1e-5) << b;
    if (!lengths.defined()) continue;
    const Tensor length = model_->length_logits(model_->encode(one_source.ids, one_source.mask));
    EXPECT_LT(largest(lengths[b] - length[0]), 1e-5) << b;
  }
}

TEST_P(SequenceModelOf, PaddingIdsDoNotMatter) {
  const torch::NoGradGuard no_grad;
  const Rows source = testing::random_rows({7, 2}, 9), input = testing::random_rows({4, 6}, 8);
  const auto with_other_padding = [](const Rows& rows) {
    return Rows{rows.ids.masked_fill(rows.mask.logical_not(), 8), rows.mask};
  };
  const Tensor expected = logits(source, input).index({input.mask});
  const Tensor found = logits(with_other_padding(source), with_other_padding(input)).index({input.mask});
  EXPECT_TRUE(at::equal(found, expected));
}

TEST_P(SequenceModelOf, SelectedSourcesAreThoseSentences) {
  const torch::NoGradGuard no_grad;
  const Rows source = testing::random_rows({7, 2, 4}, 7), input = testing::random_rows({3, 3, 3, 3}, 3);
  const Tensor index = at::tensor({2, 0, 0, 1}, torch::kLong);
  const Tensor found = model_->decode(input.ids, input.mask, model_->encode(source.ids, source.mask).select(index));
  const Encoded repeated = model_->encode(source.ids.index_select(0, index), source.mask.index_select(0, index));
  EXPECT_LT(largest(found - model_->decode(input.ids, input.mask, repeated)), 1e-5);
}

TEST_P(SequenceModelOf, GradientsReachEveryParameter) {
  const Rows source = testing::random_rows({7, 4}, 7), input = testing::random_rows({5, 6}, 6);
  const Encoded encoded = model_->encode(source.ids, source.mask);
  const Tensor rows = model_->decode(input.ids, input.mask, encoded).index({input.mask});
  Tensor loss = at::log_softmax(model_->logits(rows), -1).select(-1, 5).mean();
  const Tensor length = model_->length_logits(encoded);
  if (length.defined()) loss = loss + at::log_softmax(length, -1).select(-1, 2).mean();
  if (model_->crf_from().defined()) loss = loss + (model_->crf_from() * model_->crf_to()).sum();
  loss.backward();
  for (const auto& p : model_->named_parameters()) {
    ASSERT_TRUE(p.value().grad().defined()) << p.key();
    EXPECT_TRUE(at::isfinite(p.value().grad()).all().item<bool>()) << p.key();
    // The bias of the keys moves all scores of a query alike; one tap has no choice.
    const bool moot = p.key().find("k_proj.bias") != std::string::npos;
    if (!moot) {
      EXPECT_GT(largest(p.value().grad()), 0.0) << p.key();
    }
  }
}

TEST_P(SequenceModelOf, AutocastStaysClose) {
  const Rows source = testing::random_rows({7, 4}, 7), input = testing::random_rows({5, 6}, 6);
  const Tensor full = logits(source, input).index({input.mask});
  at::autocast::set_autocast_dtype(at::kCPU, torch::kBFloat16);
  at::autocast::set_autocast_enabled(at::kCPU, true);
  const Tensor half = logits(source, input).index({input.mask});
  at::autocast::set_autocast_enabled(at::kCPU, false);
  at::autocast::clear_cache();
  EXPECT_EQ(half.scalar_type(), torch::kBFloat16);
  EXPECT_LT(((half.to(torch::kFloat) - full).norm() / full.norm()).item<double>(), 0.03);
  half.to(torch::kFloat).square().sum().backward();
  EXPECT_EQ(model_->named_parameters()["encoder.embed_tokens.weight"].grad().scalar_type(), torch::kFloat);
}

TEST_P(SequenceModelOf, AllDropoutsActInTrainingAndOneSeedRepeatsThem) {
  const torch::NoGradGuard no_grad;
  const auto model = make(GetParam().spec, {0.1, 0.1, 0.1, 0.1, 0.1});
  const Rows source = testing::random_rows({7, 4}, 7), input = testing::random_rows({5, 6}, 6);
  const Encoded encoded = model->encode(source.ids, source.mask);
  const auto seeded = [&](uint64_t seed) {
    torch::manual_seed(seed);
    return model->decode(input.ids, input.mask, encoded).index({input.mask});
  };
  EXPECT_TRUE(at::equal(seeded(1), seeded(2)));
  model->train();
  EXPECT_TRUE(at::equal(seeded(1), seeded(1)));
  EXPECT_FALSE(at::equal(seeded(1), seeded(2)));
}

/// With dropout, attention is computed in another way: a rate that drops nothing must change nothing.
TEST_P(SequenceModelOf, AttentionThatDropsNothingIsTheSame) {
  const auto dropping = make(GetParam().spec, {0.0, 1e-12, 0.0, 0.0, 0.0});
  dropping->train();
  const Rows source = testing::random_rows({7, 4, 0}, 7), input = testing::random_rows({5, 6, 2}, 6);
  const auto run = [&](SequenceModel& model) {
    const Encoded encoded = model.encode(source.ids, source.mask);
    const Tensor result = model.logits(model.decode(input.ids, input.mask, encoded)).index({input.mask});
    at::log_softmax(result, -1).square().sum().backward();
    return result.detach();
  };
  const Tensor expected = run(*model_);
  EXPECT_LT(largest(run(*dropping) - expected), 1e-5 * (1 + largest(expected)));
  for (const auto& p : model_->named_parameters()) {
    const Tensor& gradient = p.value().grad();
    if (!gradient.defined()) continue;  // length table, CRF
    EXPECT_LT(largest(dropping->named_parameters()[p.key()].grad() - gradient), 1e-4 * (1 + largest(gradient)))
        << p.key();
  }
}

INSTANTIATE_TEST_SUITE_P(Specs, SequenceModelOf, ::testing::ValuesIn(testing::all_specs()), name_of);

// ---- autoregressive --------------------------------------------------------------------------------------------

class AutoregressiveModelOf : public SequenceModelOf {};

TEST_P(AutoregressiveModelOf, LaterTokensNeverChangeEarlierRows) {
  const torch::NoGradGuard no_grad;
  const Rows source = testing::random_rows({7, 4}, 7), input = testing::random_rows({6, 6}, 6);
  const Tensor before = logits(source, input);
  for (int64_t t = 0; t < 6; ++t) {
    Rows changed = input;
    changed.ids = input.ids.clone();
    changed.ids.select(1, t).copy_((input.ids.select(1, t) - 3 + 4) % 8 + 3);
    const Tensor difference = (logits(source, changed) - before).abs().amax(at::IntArrayRef{0, 2});  // [T]
    EXPECT_EQ(difference.narrow(0, 0, t).sum().item<double>(), 0.0) << t;
    EXPECT_GT(difference[t].item<double>(), 0.0) << t;
  }
}

TEST_P(AutoregressiveModelOf, StepsEqualTheWholePass) {
  const torch::NoGradGuard no_grad;
  const Rows source = testing::random_rows({7, 2, 5}, 7), input = testing::random_rows({9, 9, 9}, 9);
  const Encoded encoded = model_->encode(source.ids, source.mask);
  const Tensor expected = model_->decode(input.ids, input.mask, encoded);
  const auto state = model_->begin(encoded);
  for (int64_t t = 0; t < 9; ++t)
    EXPECT_LT(largest(model_->step(input.ids.select(1, t), state.get()) - expected.select(1, t)), 1e-5) << t;
}

/// A beam of two rows a sentence whose rows move about, against the whole pass over what each row has read.
TEST_P(AutoregressiveModelOf, StepsFollowTheirParents) {
  const torch::NoGradGuard no_grad;
  const Rows source = testing::random_rows({7, 3}, 7);
  const Encoded encoded = model_->encode(source.ids, source.mask);
  Tensor sources = at::tensor({0, 0, 1, 1}, torch::kLong);
  const auto state = model_->begin(encoded.select(sources));
  const std::vector<std::vector<int64_t>> within = {{1, 0, 2, 3}, {0, 0, 3, 2}, {1, 1, 2, 2}};
  const std::vector<std::vector<int64_t>> across = {{2, 3, 0, 1}, {0, 1, 3}, {2, 2, 0, 1}};
  Tensor read = at::empty({4, 0}, torch::kLong);
  for (size_t i = 0; i < within.size() + across.size(); ++i) {
    const Tensor tokens = at::randint(3, 11, {read.size(0)}, torch::kLong);
    read = at::cat({read, tokens.unsqueeze(1)}, 1);
    const Tensor found = model_->step(tokens, state.get());
    const Tensor whole = model_->decode(read, at::ones_like(read, torch::kBool), encoded.select(sources));
    EXPECT_LT(largest(found - whole.select(1, read.size(1) - 1)), 1e-5) << i;
    const bool stays = i < within.size();
    const Tensor parents = at::tensor(stays ? within[i] : across[i - within.size()], torch::kLong);
    if (stays)
      state->select_within_sources(parents);
    else
      state->select(parents);
    read = read.index_select(0, parents);
    sources = sources.index_select(0, parents);
  }
}

TEST_P(AutoregressiveModelOf, StepsStayCloseUnderAutocast) {
  const torch::NoGradGuard no_grad;
  const Rows source = testing::random_rows({7, 2}, 7), input = testing::random_rows({5, 5}, 5);
  const Encoded encoded = model_->encode(source.ids, source.mask);
  const Tensor expected = model_->decode(input.ids, input.mask, encoded);
  at::autocast::set_autocast_dtype(at::kCPU, torch::kBFloat16);
  at::autocast::set_autocast_enabled(at::kCPU, true);
  const auto state = model_->begin(encoded);
  for (int64_t t = 0; t < 5; ++t) {
    const Tensor error = model_->step(input.ids.select(1, t), state.get()).to(torch::kFloat) - expected.select(1, t);
    EXPECT_LT((error.norm() / expected.select(1, t).norm()).item<double>(), 0.03) << t;
  }
  at::autocast::set_autocast_enabled(at::kCPU, false);
  at::autocast::clear_cache();
}

INSTANTIATE_TEST_SUITE_P(Specs, AutoregressiveModelOf, ::testing::ValuesIn(testing::autoregressive_specs()), name_of);

// ---- sharing ---------------------------------------------------------------------------------------------------

/// Gradients of one loss, with the tables of `shared` copied to wherever `share` keeps them apart.
std::map<std::string, Tensor> gradients_with(graph::Sharing share, const SequenceModel& shared) {
  ModelSpec spec = shared.spec();
  spec.decoder.share = share;
  const auto model = make(spec);
  const auto source_parameters = shared.named_parameters();
  const torch::NoGradGuard no_grad;
  for (auto& p : model->named_parameters()) {
    const Tensor* found = source_parameters.find(p.key());
    const bool table = p.key() == "decoder.embed_tokens.weight" || p.key() == "head.output.weight";
    p.value().copy_(found != nullptr && !table ? *found : source_parameters["encoder.embed_tokens.weight"]);
  }
  torch::manual_seed(11);
  const Rows source = testing::random_rows({7, 4}, 7), input = testing::random_rows({5, 6}, 6);
  {
    const torch::AutoGradMode with_grad(true);
    const Encoded encoded = model->encode(source.ids, source.mask);
    const Tensor rows = model->decode(input.ids, input.mask, encoded).index({input.mask});
    at::log_softmax(model->logits(rows), -1).square().sum().backward();
  }
  std::map<std::string, Tensor> gradients;
  for (const auto& p : model->named_parameters()) gradients[p.key()] = p.value().grad();
  return gradients;
}

TEST(SequenceModelSharing, SharedTablesGetTheSumOfTheirGradients) {
  const auto shared = make(testing::transformer_spec());
  const auto all = gradients_with(graph::Sharing::kAll, *shared);
  const auto output = gradients_with(graph::Sharing::kOutput, *shared);
  const auto none = gradients_with(graph::Sharing::kNone, *shared);
  EXPECT_EQ(all.size() + 1, output.size());
  EXPECT_EQ(output.size() + 1, none.size());
  const char *source = "encoder.embed_tokens.weight", *target = "decoder.embed_tokens.weight";
  const Tensor apart = none.at(target) + none.at("head.output.weight");
  EXPECT_TRUE(at::allclose(output.at(target), apart, 1e-5, 1e-5));
  EXPECT_TRUE(at::allclose(all.at(source), apart + none.at(source), 1e-5, 1e-5));
  // The softmax pushes the logit of <pad> like any other; looking a row up never does.
  EXPECT_GT(largest(all.at(source)[testing::kPad]), 0.0);
  EXPECT_EQ(largest(none.at(source)[testing::kPad]), 0.0);
}

TEST(SequenceModelSharing, SurvivesAChangeOfType) {
  const auto model = make(testing::transformer_spec());
  model->to(torch::kDouble);
  const Rows rows = testing::random_rows({4}, 4);
  model->logits(model->decode(rows.ids, rows.mask, model->encode(rows.ids, rows.mask))).sum().backward();
  const Tensor table = model->named_parameters()["encoder.embed_tokens.weight"];
  EXPECT_EQ(table.grad().scalar_type(), torch::kDouble);
  EXPECT_GT(largest(table.grad()[10]), 0.0);
}

// ---- the rest --------------------------------------------------------------------------------------------------

TEST(SequenceModel, EmptySentencesStayFinite) {
  for (const NamedSpec& named : testing::all_specs()) {
    const auto model = make(named.spec);
    const Rows source = testing::random_rows({0, 4}, 4), input = testing::random_rows({2, 3}, 3);
    const Encoded encoded = model->encode(source.ids, source.mask);
    const Tensor logits = model->logits(model->decode(input.ids, input.mask, encoded));
    EXPECT_TRUE(at::isfinite(logits).all().item<bool>()) << named.name;
    logits.sum().backward();
    for (const auto& p : model->named_parameters())
      if (p.value().grad().defined()) {
        EXPECT_TRUE(at::isfinite(p.value().grad()).all().item<bool>()) << p.key();
      }
  }
}

TEST(SequenceModel, InputsThatAreKnownAreNotCopied) {
  const torch::NoGradGuard no_grad;
  const auto model = make(testing::parallel_spec());
  const Rows source = testing::random_rows({5}, 5);
  const Encoded encoded = model->encode(source.ids, source.mask);
  Encoded other = encoded;
  other.tokens = encoded.tokens + 1;
  const auto states = [&](const std::vector<int64_t>& ids, const Encoded& from) {
    const Rows rows = testing::pad({ids}, 4);
    return model->decode(rows.ids, rows.mask, from);
  };
  EXPECT_TRUE(at::equal(states({0, 5, 6, 2}, encoded), states({0, 5, 6, 2}, other)));
  EXPECT_FALSE(at::equal(states({0, 3, 6, 2}, encoded), states({0, 3, 6, 2}, other)));
}

TEST(SequenceModel, BertInitialisationFollowsGlat) {
  ModelSpec spec = testing::parallel_spec();
  spec.dim = 64;
  spec.source_vocabulary = 2000;
  spec.init = graph::Init::kBert;
  torch::manual_seed(1);
  const SequenceModel model(spec, DropoutSpec());
  const auto parameters = model.named_parameters();
  for (const char* name : {"encoder.embed_tokens.weight", "encoder.layers.0.fc1.weight", "decoder.copy_attn.weight",
                           "decoder.layers.0.encoder_attn.q_proj.weight", "decoder.embed_length.weight"})
    EXPECT_NEAR(parameters[name].std().item<double>(), 0.02, 0.002) << name;
  EXPECT_EQ(largest(parameters["encoder.embed_tokens.weight"][testing::kPad]), 0.0);
  EXPECT_EQ(largest(parameters["encoder.embed_positions.weight"][testing::kPad]), 0.0);
  EXPECT_EQ(largest(parameters["encoder.layers.0.fc1.bias"]), 0.0);
  EXPECT_EQ(largest(parameters["encoder.layers.0.layer_norms.0.weight"] - 1), 0.0);
}

TEST(SequenceModel, LengthsStartWithDifferentLogits) {
  const SequenceModel model(testing::parallel_spec(), DropoutSpec());
  const Rows rows = testing::random_rows({4}, 4);
  EXPECT_GT(model.length_logits(model.encode(rows.ids, rows.mask)).std().item<double>(), 0.0);
}

TEST(SequenceModel, FamiliesMakeTheirModels) {
  ModelSpec tagger = testing::base_spec(graph::Family::kTagger, graph::Positions::kNone);
  tagger.encoder.blocks = {testing::attention_block()};
  EXPECT_NE(dynamic_cast<Tagger*>(make_model(tagger, {}).get()), nullptr);
  EXPECT_NE(dynamic_cast<SequenceModel*>(make_model(testing::crf_spec(), {}).get()), nullptr);
  EXPECT_THROW(SequenceModel(tagger, {}), Error);
  EXPECT_THROW(Tagger(testing::crf_spec(), {}), Error);
}

TEST(SequenceModel, WrongUseIsAnError) {
  const auto parallel = make(testing::parallel_spec());
  const Rows rows = testing::random_rows({4}, 4), longer = testing::random_rows({13}, 13);
  const Encoded encoded = parallel->encode(rows.ids, rows.mask);
  EXPECT_THROW(parallel->begin(encoded), Error);
  EXPECT_THROW(parallel->encode(longer.ids, longer.mask), Error);
  EXPECT_THROW(parallel->decode(longer.ids, longer.mask, encoded), Error);
  ModelSpec learned = testing::transformer_spec();
  learned.decoder.embedding.positions = graph::Positions::kLearned;
  const auto sequence = make(learned);
  const auto state = sequence->begin(sequence->encode(rows.ids, rows.mask));
  const Tensor token = at::tensor({4}, torch::kLong);
  for (int t = 0; t < 12; ++t) sequence->step(token, state.get());
  EXPECT_THROW(sequence->step(token, state.get()), Error);
  ModelSpec boundary = testing::transformer_spec();
  boundary.head.boundary = true;
  EXPECT_THROW(SequenceModel(boundary, {}), Error);
}

}  // namespace
}  // namespace litenat::nn
