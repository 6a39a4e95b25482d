// A deployable model in memory: the container, its graph, and the weights ready for the executor.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "decode/beam_search.h"
#include "decode/ime_decoder.h"
#include "decode/parallel_decoder.h"
#include "format/container.h"
#include "graph/graph.h"
#include "text/dictionary.h"

namespace litenat::kernels {
struct Kernels;
}

namespace litenat::runtime {

/// Names in a deployable container (docs/formats.md has the whole list).
constexpr const char* kMetaVersion = "litenat.version";              // "1"
constexpr const char* kMetaSpec = "litenat.spec";                    // ModelSpec as JSON
constexpr const char* kMetaQuantization = "litenat.quantization";    // QuantizationSpec as JSON; absent = fp32
constexpr const char* kMetaDecode = "litenat.decode";                // settings of the decoder as JSON
constexpr const char* kMetaTraining = "litenat.training";            // where it was trained: free JSON
constexpr const char* kTargetDictionary = "text.target_dictionary";  // U8: dict.txt
constexpr const char* kSourceDictionary = "text.source_dictionary";  // U8: dict.txt; absent for units and keys
constexpr const char* kLexicon = "text.lexicon";                     // U8 blob of text/lexicon.h
constexpr const char* kWordModel = "text.word_ngram";                // U8 blob of text/ngram_model.h
constexpr const char* kUnitModel = "text.unit_ngram";
constexpr const char* kTokenizer = "text.tokenizer";  // U8: how raw text becomes tokens; absent = split at spaces

// An int8 weight "x" [n, k] is stored as
//   x            I8  [packed_size]           order k4n16 (a kLinear, alone or sharing it with a kEmbedding), or
//                    [n, k] row-major        (a kEmbedding alone)
//   x.scale      F32 [n]
//   x.input      F32 [2] = {scale, zero}     (kLinear with static activations; absent = dynamic per row)

/// Immutable; shared by sessions. Everything points into the container; only fp32 kLinear weights are re-packed, and
/// the column sums of int8 ones made, at load. Loading checks every weight: type and shape against the graph, every
/// float finite, scales above 0, no transition that could overflow. What fails is kCorrupt: nothing later has to expect
/// it.
class Model {
 public:
  static Result<std::shared_ptr<const Model>> open(const std::string& path);
  static Result<std::shared_ptr<const Model>> from_container(std::shared_ptr<const format::Container> container);

  const format::Container& container() const { return *container_; }
  const graph::ModelSpec& spec() const { return spec_; }
  const graph::Graph& graph() const { return graph_; }
  bool is_quantized() const { return is_quantized_; }
  /// Dictionaries of the two sides; null where the file has none (the units and keys of text entry need none). A model
  /// whose sides share their tables may hold one for both.
  const text::Dictionary* source_dictionary() const { return source_dictionary_; }
  const text::Dictionary* target_dictionary() const { return target_dictionary_; }
  /// The section kTokenizer, into the container; empty when there is none.
  Span<const uint8_t> tokenizer() const { return tokenizer_; }
  /// Present for input-method models (those with a lexicon), else null.
  const decode::ImeResources* ime() const { return ime_.get(); }
  /// The settings of kMetaDecode, those of the model's family; defaults where the file has none.
  const decode::ImeOptions& ime_options() const { return ime_options_; }
  const decode::BeamOptions& beam_options() const { return beam_options_; }              // sequence
  const decode::ParallelOptions& parallel_options() const { return parallel_options_; }  // non_autoregressive
  /// ln-scale transition of the CRF head between two target ids; 0 without one, and for ids outside the vocabulary.
  float transition(int32_t previous, int32_t next) const;
  bool has_transitions() const { return has_transitions_; }

  struct LinearWeights;     // per kLinear node: packed fp32 or int8
  struct EmbeddingWeights;  // per kEmbedding / kPositions node
  struct Weights;
  const Weights& weights() const { return *weights_; }
  ~Model();

 private:
  Model();
  Status load_network();
  Status load_transitions();
  Status load_decode_options();
  Status load_dictionaries();
  Status load_text();
  std::shared_ptr<const format::Container> container_;
  graph::ModelSpec spec_;
  graph::Graph graph_;
  bool is_quantized_ = false;
  bool has_transitions_ = false;
  const kernels::Kernels* kernels_ = nullptr;  // of the transitions
  std::unique_ptr<Weights> weights_;
  std::unique_ptr<decode::ImeResources> ime_;
  std::unique_ptr<text::NgramModel> word_model_;
  std::unique_ptr<text::NgramModel> unit_model_;
  std::unique_ptr<text::Dictionary> owned_source_;  // unless it is the target's
  std::unique_ptr<text::Dictionary> owned_target_;  // unless ime_ has it
  const text::Dictionary* source_dictionary_ = nullptr;
  const text::Dictionary* target_dictionary_ = nullptr;
  Span<const uint8_t> tokenizer_;
  decode::ImeOptions ime_options_;
  decode::BeamOptions beam_options_;
  decode::ParallelOptions parallel_options_;
};

}  // namespace litenat::runtime
