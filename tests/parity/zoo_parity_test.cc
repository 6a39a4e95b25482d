// Every configuration of configs/: the model that is trained (libtorch modules, padded batches) and the one that is
// deployed (inference graph, packed rows, CPU runtime) have the same weights and compute the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "config/config.h"
#include "graph/graph.h"
#include "nn/sequence_model.h"
#include "nn/tagger.h"
#include "runtime/executor.h"
#include "runtime/sequence_executor.h"
#include "runtime/testing/random_model.h"
#include "text/syllables.h"
#include "train/train_config.h"

namespace litenat {
namespace {

namespace fixtures = runtime::testing;
using torch::Tensor;

constexpr int64_t kVocabulary = 61;
constexpr int64_t kPad = 1;
const std::vector<int32_t> kSourceLengths = {7, 2, 12, 4};
const std::vector<int32_t> kTargetLengths = {5, 9, 3, 10};

std::vector<std::string> all_configurations() {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(LITENAT_SOURCE_DIR "/configs"))
    if (entry.path().extension() == ".toml") paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string name_of(const std::string& path) {
  std::string name = std::filesystem::path(path).stem().string();
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
}

/// The model of a configuration at its true widths, with small dictionaries.
graph::ModelSpec read_spec(const std::string& path) {
  train::TrainConfig config;
  config::load_config(path, {}, &config);
  config.model.source_vocabulary = kVocabulary;
  config.model.target_vocabulary = kVocabulary;
  config.model.syllable_vocabulary = config.model.head.syllable ? text::num_syllables() : 0;
  return graph::resolve(config.model).value();
}

/// Weights that only training has.
bool is_auxiliary(const std::string& name) { return name.rfind("head.syllable.", 0) == 0; }

/// The deployable model's weights as the modules' parameters. A lightweight convolution's taps are stored normalised:
/// their logarithms are taps that normalise to them.
void load(const fixtures::RandomWeights& weights, const graph::Graph& graph, nn::Model* model) {
  std::map<std::string, bool> is_normalised;
  for (const graph::Node& node : graph.nodes)
    if (node.op == graph::Op::kLightConv)
      is_normalised[graph.weights[static_cast<size_t>(node.weights[0])].name] = true;
  torch::NoGradGuard no_grad;
  for (const auto& item : model->named_parameters()) {
    if (is_auxiliary(item.key())) continue;
    const fixtures::RandomTensor& from = weights.at(item.key());
    Tensor values = torch::tensor(from.values).reshape(from.shape);
    const bool depthwise = item.value().dim() == 2 && from.shape[0] == model->spec().dim;
    if (is_normalised.count(item.key()) > 0 && !depthwise) values = values.log();
    Tensor parameter = item.value();
    parameter.copy_(values);
  }
}

struct Rows {
  Tensor ids;   // [B, T], padded
  Tensor mask;  // [B, T]
  std::vector<int32_t> packed;
};

Rows random_rows(const std::vector<int32_t>& lengths, uint64_t seed) {
  SplitMix64 random(seed);
  Rows rows;
  const int64_t longest = *std::max_element(lengths.begin(), lengths.end());
  const int64_t count = static_cast<int64_t>(lengths.size());
  rows.ids = torch::full({count, longest}, kPad, torch::kInt64);
  rows.mask = torch::zeros({count, longest}, torch::kBool);
  for (int64_t b = 0; b < count; ++b)
    for (int64_t t = 0; t < lengths[static_cast<size_t>(b)]; ++t) {
      const int64_t id = 2 + static_cast<int64_t>(random.below(kVocabulary - 2));  // </s>, <unk> and tokens
      rows.packed.push_back(static_cast<int32_t>(id));
      rows.ids.index_put_({b, t}, id);
      rows.mask.index_put_({b, t}, true);
    }
  return rows;
}

/// Largest difference, relative to the root mean square of what was expected.
double difference(Span<const float> found, const Tensor& expected) {
  const Tensor wide = expected.to(torch::kFloat64).contiguous();
  EXPECT_EQ(static_cast<int64_t>(found.size()), wide.numel());
  if (static_cast<int64_t>(found.size()) != wide.numel()) return 1;
  const double* values = wide.data_ptr<double>();
  double error = 0;
  double square = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    error = std::max(error, std::abs(static_cast<double>(found[i]) - values[i]));
    square += values[i] * values[i];
  }
  return error / std::sqrt(square / static_cast<double>(found.size()));
}

/// Candidates of every token, put back in the order of the dictionary.
std::vector<float> logits_of(const decode::RowCandidates& candidates) {
  std::vector<float> logits(candidates.tokens.size(), NAN);
  const size_t width = static_cast<size_t>(candidates.per_row);
  for (size_t i = 0; i < logits.size(); ++i)
    logits[i / width * width + static_cast<size_t>(candidates.tokens[i])] = candidates.logits[i];
  return logits;
}

class Zoo : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    torch::manual_seed(1);
    spec_ = read_spec(GetParam());
    graph_ = graph::build_graph(spec_).value();
    weights_ = fixtures::random_weights(spec_, 3);
    module_ = nn::make_model(spec_, nn::DropoutSpec());
    module_->eval();
  }

  std::map<std::string, std::vector<int64_t>> trained_weights() const {
    std::map<std::string, std::vector<int64_t>> shapes;
    for (const auto& item : module_->named_parameters())
      if (!is_auxiliary(item.key())) shapes[item.key()] = item.value().sizes().vec();
    return shapes;
  }

  std::map<std::string, std::vector<int64_t>> deployed_weights() const {
    std::map<std::string, std::vector<int64_t>> shapes;
    for (const auto& [name, tensor] : weights_) shapes[name] = tensor.shape;
    return shapes;
  }

  void compare_tagger();
  void compare_sequence();

  graph::ModelSpec spec_;
  graph::Graph graph_;
  fixtures::RandomWeights weights_;
  std::unique_ptr<nn::Model> module_;
};

void Zoo::compare_tagger() {
  const auto model = fixtures::make_model(spec_, fixtures::Precision::kF32, &weights_);
  const auto executor = runtime::Executor::create(model).value();
  const Rows source = random_rows(kSourceLengths, 5);
  const auto found = executor->run(source.packed, kSourceLengths);
  ASSERT_TRUE(found.ok()) << found.status().message();
  const auto expected = dynamic_cast<nn::Tagger&>(*module_).forward(source.ids, source.mask);
  EXPECT_LT(difference(found->emissions, expected.emissions.index({source.mask})), 2e-5);
}

void Zoo::compare_sequence() {
  const auto model = fixtures::make_model(spec_, fixtures::Precision::kF32, &weights_);
  const auto executor = runtime::SequenceExecutor::create(model).value();
  const Rows source = random_rows(kSourceLengths, 5);
  const Rows target = random_rows(kTargetLengths, 7);
  ASSERT_TRUE(executor->encode(source.packed, kSourceLengths).ok());
  const auto& sequence = dynamic_cast<const nn::SequenceModel&>(*module_);
  const nn::Encoded encoded = sequence.encode(source.ids, source.mask);
  if (executor->traits().predicts_length && !executor->traits().autoregressive) {
    const auto lengths = executor->length_logits();
    ASSERT_TRUE(lengths.ok()) << lengths.status().message();
    EXPECT_LT(difference(lengths.value(), sequence.length_logits(encoded)), 2e-5);
  }
  const auto found = executor->decode(target.packed, kTargetLengths, std::vector<int32_t>{0, 1, 2, 3},
                                      static_cast<int32_t>(kVocabulary), {});
  ASSERT_TRUE(found.ok()) << found.status().message();
  const Tensor expected = sequence.logits(sequence.decode(target.ids, target.mask, encoded).index({target.mask}));
  EXPECT_LT(difference(logits_of(found.value()), expected), 2e-5);
  const std::vector<float> sums(found->log_sum.begin(), found->log_sum.end());
  EXPECT_LT(difference(sums, torch::logsumexp(expected, 1)), 2e-5);
}

TEST_P(Zoo, ModulesAndGraphAreOneModel) {
  ASSERT_EQ(trained_weights(), deployed_weights());
  load(weights_, graph_, module_.get());
  torch::NoGradGuard no_grad;
  if (graph::has_decoder(spec_))
    compare_sequence();
  else
    compare_tagger();
}

INSTANTIATE_TEST_SUITE_P(Configurations, Zoo, ::testing::ValuesIn(all_configurations()),
                         [](const auto& parameter) { return name_of(parameter.param); });

}  // namespace
}  // namespace litenat
