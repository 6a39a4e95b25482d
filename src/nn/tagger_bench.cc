// Times training steps of a tagger on this machine: forward, backward, no optimiser.
//   tagger_bench [width] [tokens] [vocabulary] [kind: softmax | crf | encode] [dropout]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "nn/crf.h"
#include "nn/memory.h"
#include "nn/tagger.h"

namespace litenat::nn {
namespace {

struct Setting {
  int width = 256;
  int64_t tokens = 4096, vocabulary = 4000;
  std::string kind = "softmax";
  double dropout = 0.1;
};

graph::ModelSpec spec_of(const Setting& setting) {
  graph::ModelSpec spec;
  spec.dim = setting.width;
  spec.source_vocabulary = 500;
  spec.target_vocabulary = setting.vocabulary;
  spec.encoder.blocks.resize(1);
  spec.encoder.blocks[0].ffn_dim = 2 * setting.width;
  spec.encoder.repeat = 6;
  spec.encoder.kernels = {3, 5, 7, 7, 15, 15};
  if (setting.kind == "crf") spec.head.kind = graph::HeadKind::kCrf;
  return spec;
}

torch::Tensor loss_of(Tagger& tagger, const Setting& setting, const torch::Tensor& ids, const torch::Tensor& mask) {
  const torch::Tensor states = tagger.encode(ids, mask);
  if (setting.kind == "encode") return states.sum();
  const torch::Tensor rows = states.index({mask});
  const torch::Tensor gold = at::randint(setting.vocabulary, {rows.size(0)}, torch::kLong);
  const torch::Tensor emissions = tagger.emissions(rows);
  if (setting.kind == "softmax") return at::cross_entropy_loss(emissions, gold);
  const CrfBeam beam = unpack_beam(select_beam(emissions, 32, gold), mask.flatten().nonzero().squeeze(1), mask);
  return -crf_log_likelihood(beam, mask, tagger.crf_from(), tagger.crf_to()).sum() / rows.size(0);
}

void run(const Setting& setting) {
  DropoutSpec dropout;
  dropout.dropout = setting.dropout;
  Tagger tagger(spec_of(setting), dropout);
  constexpr int64_t kLength = 16;
  const torch::Tensor ids = at::randint(4, 500, {setting.tokens / kLength, kLength}, torch::kLong);
  const torch::Tensor lengths = at::randint(kLength / 2, kLength + 1, {ids.size(0), 1}, torch::kLong);
  const torch::Tensor mask = at::arange(kLength).unsqueeze(0) < lengths;
  constexpr int kSteps = 6;
  double best = 1e9;
  const std::clock_t cpu_start = std::clock();
  for (int step = 0; step < kSteps; ++step) {
    const auto start = std::chrono::steady_clock::now();
    loss_of(tagger, setting, ids, mask).backward();
    tagger.zero_grad();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  const double real = mask.sum().item<double>();
  const double cpu = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC / kSteps;
  std::printf("%s width %d: %.0f rows in %.1f ms (%.1f ms of CPU), %.0f tokens/s on %d threads\n", setting.kind.c_str(),
              setting.width, real, best * 1e3, cpu * 1e3, real / best, at::get_num_threads());
}

}  // namespace
}  // namespace litenat::nn

int main(int argc, char** argv) {
  litenat::nn::Setting setting;
  if (argc > 1) setting.width = std::atoi(argv[1]);
  if (argc > 2) setting.tokens = std::atoi(argv[2]);
  if (argc > 3) setting.vocabulary = std::atoi(argv[3]);
  if (argc > 4) setting.kind = argv[4];
  if (argc > 5) setting.dropout = std::atof(argv[5]);
  litenat::nn::keep_freed_memory();
  litenat::nn::run(setting);
  return 0;
}
