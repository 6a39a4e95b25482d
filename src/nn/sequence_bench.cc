// Times training steps (forward, backward, no optimiser) and greedy decoding of sequence models on this machine.
//   sequence_bench [kind: transformer | lite | parallel] [width] [target tokens] [dropout] [attention dropout]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "nn/memory.h"
#include "nn/sequence_model.h"

namespace litenat::nn {
namespace {

struct Setting {
  std::string kind = "transformer";
  int width = 256;
  int64_t tokens = 2048;
  DropoutSpec dropout;
};

constexpr int64_t kVocabulary = 10000, kLength = 16;

graph::BlockSpec block_of(const Setting& setting) {
  graph::BlockSpec block;
  block.attention.heads = block.conv.heads = 4;
  block.conv.kernel = 7;
  block.ffn_dim = 4 * setting.width;
  if (setting.kind == "transformer") block.kind = graph::BlockKind::kAttention;
  if (setting.kind == "lite") {
    block.kind = graph::BlockKind::kLsra;
    block.ffn_dim = setting.width;
  }
  return block;
}

graph::ModelSpec spec_of(const Setting& setting) {
  graph::ModelSpec spec;
  spec.family = setting.kind == "parallel" ? graph::Family::kNonAutoregressive : graph::Family::kSequence;
  spec.dim = setting.width;
  spec.source_vocabulary = spec.target_vocabulary = kVocabulary;
  for (graph::StackSpec* stack : {&spec.encoder, &spec.decoder.stack}) {
    stack->blocks = {block_of(setting)};
    stack->repeat = 3;
  }
  for (graph::EmbeddingSpec* embedding : {&spec.embedding, &spec.decoder.embedding})
    embedding->positions = graph::Positions::kSinusoidal;
  spec.decoder.cross_heads = 4;
  spec.head.bias = false;
  return spec;
}

struct Batch {
  torch::Tensor ids, mask;
};

Batch make_batch(int64_t sentences) {
  const torch::Tensor ids = at::randint(3, kVocabulary, {sentences, kLength}, torch::kLong);
  const torch::Tensor lengths = at::randint(kLength / 2, kLength + 1, {sentences, 1}, torch::kLong);
  return {ids, at::arange(kLength).unsqueeze(0) < lengths};
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void time_training(const SequenceModel& model, const Batch& batch) {
  constexpr int kSteps = 6;
  double best = 1e9;
  const std::clock_t cpu_start = std::clock();
  for (int step = 0; step < kSteps; ++step) {
    const auto start = std::chrono::steady_clock::now();
    const Encoded encoded = model.encode(batch.ids, batch.mask);
    const torch::Tensor rows = model.decode(batch.ids, batch.mask, encoded).index({batch.mask});
    at::cross_entropy_loss(model.logits(rows), batch.ids.index({batch.mask})).backward();
    best = std::min(best, seconds_since(start));
  }
  const double real = batch.mask.sum().item<double>();
  const double cpu = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC / kSteps;
  std::printf("training: %.0f rows in %.1f ms (%.1f ms of CPU), %.0f tokens/s, %.0f a CPU second\n", real, best * 1e3,
              cpu * 1e3, real / best, real / cpu);
}

void time_decoding(const SequenceModel& model, const Batch& batch) {
  const torch::NoGradGuard no_grad;
  const Encoded encoded = model.encode(batch.ids, batch.mask);
  const auto start = std::chrono::steady_clock::now();
  const auto state = model.begin(encoded);
  torch::Tensor ids = batch.ids.select(1, 0);
  const torch::Tensor same = at::arange(ids.size(0));
  for (int64_t t = 0; t < kLength; ++t) {
    ids = model.logits(model.step(ids, state.get())).argmax(-1);
    state->select_within_sources(same);
  }
  const double seconds = seconds_since(start);
  std::printf("decoding: %.0f sentences in %.1f ms, %.0f tokens/s\n", static_cast<double>(ids.size(0)), seconds * 1e3,
              static_cast<double>(ids.size(0) * kLength) / seconds);
}

void run(const Setting& setting) {
  SequenceModel model(spec_of(setting), setting.dropout);
  const Batch batch = make_batch(setting.tokens / kLength);
  std::printf("%s width %d, %d threads\n", setting.kind.c_str(), setting.width, at::get_num_threads());
  time_training(model, batch);
  model.eval();
  if (model.spec().family == graph::Family::kSequence) time_decoding(model, batch);
}

}  // namespace
}  // namespace litenat::nn

int main(int argc, char** argv) {
  litenat::nn::Setting setting;
  if (argc > 1) setting.kind = argv[1];
  if (argc > 2) setting.width = std::atoi(argv[2]);
  if (argc > 3) setting.tokens = std::atoi(argv[3]);
  if (argc > 4) setting.dropout.dropout = std::atof(argv[4]);
  if (argc > 5) setting.dropout.attention = std::atof(argv[5]);
  litenat::nn::keep_freed_memory();
  litenat::nn::run(setting);
  return 0;
}
