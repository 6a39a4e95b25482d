// Speed of a 6 + 6-layer int8 Transformer (D 512, FFN 2048, 8 heads, 32768 tokens, random weights) on one thread:
// sentences of 30 tokens encoded, then 30 steps of a beam whose rows are reordered as a search would.
#include <benchmark/benchmark.h>

#include <algorithm>

#include "runtime/sequence_executor.h"
#include "runtime/testing/random_model.h"
#include "runtime/testing/sequence_run.h"

namespace litenat::runtime {
namespace {

constexpr int32_t kVocabulary = 32768;
constexpr int kLength = 30;

graph::ModelSpec transformer_spec() {
  graph::ModelSpec spec;
  spec.family = graph::Family::kSequence;
  spec.dim = 512;
  spec.source_vocabulary = spec.target_vocabulary = kVocabulary;
  spec.embedding.scale = true;
  spec.embedding.positions = graph::Positions::kSinusoidal;
  graph::BlockSpec block;
  block.kind = graph::BlockKind::kAttention;
  block.ffn_dim = 2048;
  spec.encoder.blocks.assign(6, block);
  spec.decoder.stack = spec.encoder;
  spec.decoder.embedding = spec.embedding;
  spec.head.bias = false;
  return spec;
}

const std::shared_ptr<const Model>& shared_model() {
  static const std::shared_ptr<const Model> model = [] {
    testing::RandomWeights weights = testing::random_weights(transformer_spec(), 1);
    return testing::make_model(transformer_spec(), testing::Precision::kDynamicInt8, &weights);
  }();
  return model;
}

/// The best `beam` continuations of each sentence, whose rows lie side by side.
void choose(const decode::RowCandidates& found, size_t sentences, size_t beam, std::vector<int32_t>* tokens,
            std::vector<int32_t>* parents) {
  const size_t per_row = static_cast<size_t>(found.per_row);
  const size_t per_sentence = found.tokens.size() / sentences;
  tokens->clear();
  parents->clear();
  std::vector<size_t> order(per_sentence);
  for (size_t s = 0; s < sentences; ++s) {
    for (size_t i = 0; i < per_sentence; ++i) order[i] = s * per_sentence + i;
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return found.logits[a] - found.log_sum[a / per_row] > found.logits[b] - found.log_sum[b / per_row];
    });
    for (size_t i = 0; i < beam; ++i) {
      tokens->push_back(found.tokens[order[i]]);
      parents->push_back(static_cast<int32_t>(order[i] / per_row));
    }
  }
}

void translate(benchmark::State& state) {
  const size_t sentences = static_cast<size_t>(state.range(0));
  const size_t beam = static_cast<size_t>(state.range(1));
  const auto executor = testing::make_sequence_executor(shared_model());
  const testing::Items source = testing::random_items(kVocabulary, std::vector<int32_t>(sentences, kLength), 7);
  for (auto _ : state) {
    if (!executor->encode(source.ids, source.lengths).ok()) return state.SkipWithError("encode failed");
    std::vector<int32_t> tokens(sentences, decode::kEndToken);
    std::vector<int32_t> parents(sentences);
    for (size_t s = 0; s < sentences; ++s) parents[s] = static_cast<int32_t>(s);
    for (int step = 0; step < kLength; ++step) {
      const auto found = executor->step(tokens, parents, static_cast<int32_t>(2 * beam), {});
      if (!found.ok()) return state.SkipWithError("step failed");
      choose(found.value(), sentences, beam, &tokens, &parents);
    }
  }
  state.counters["tokens/s"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * kLength * static_cast<double>(sentences), benchmark::Counter::kIsRate);
}
BENCHMARK(translate)
    ->ArgNames({"batch", "beam"})
    ->Args({1, 1})
    ->Args({1, 4})
    ->Args({32, 1})
    ->Args({32, 4})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace litenat::runtime

BENCHMARK_MAIN();
