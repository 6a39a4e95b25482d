// ModelSpec: the typed description of a model, from which both of its definitions are built: the
// libtorch modules (nn) and the inference graph (graph/build_*.h). It is written into every checkpoint
// and every deployable model as JSON. Fields are append-only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fields.h"
#include "base/status.h"

namespace litenat::graph {

enum class Family { kTagger, kSequence, kNonAutoregressive };
inline const EnumNames<Family> kFamilyNames{
    {{Family::kTagger, "tagger"}, {Family::kSequence, "sequence"}, {Family::kNonAutoregressive, "non_autoregressive"}}};

/// What one row of the tagger's input is. kUnits: what was typed for one syllable (a full syllable, an
/// initial, their 9-key digits); kKeys: one key, the output then stands at each syllable's first key.
enum class InputKind { kTokens, kUnits, kKeys };
inline const EnumNames<InputKind> kInputKindNames{
    {{InputKind::kTokens, "tokens"}, {InputKind::kUnits, "units"}, {InputKind::kKeys, "keys"}}};

enum class Positions { kNone, kLearned, kSinusoidal };
inline const EnumNames<Positions> kPositionsNames{
    {{Positions::kNone, "none"}, {Positions::kLearned, "learned"}, {Positions::kSinusoidal, "sinusoidal"}}};

enum class Activation { kRelu, kGelu };  // kGelu is the exact erf form
inline const EnumNames<Activation> kActivationNames{{{Activation::kRelu, "relu"}, {Activation::kGelu, "gelu"}}};

enum class BlockKind { kConv, kAttention, kLsra };
inline const EnumNames<BlockKind> kBlockKindNames{
    {{BlockKind::kConv, "conv"}, {BlockKind::kAttention, "attention"}, {BlockKind::kLsra, "lsra"}}};

enum class ConvKind { kLightweight, kDynamic, kDepthwise };
inline const EnumNames<ConvKind> kConvKindNames{
    {{ConvKind::kLightweight, "lightweight"}, {ConvKind::kDynamic, "dynamic"}, {ConvKind::kDepthwise, "depthwise"}}};

enum class HeadKind { kSoftmax, kCrf, kJoint };
inline const EnumNames<HeadKind> kHeadKindNames{
    {{HeadKind::kSoftmax, "softmax"}, {HeadKind::kCrf, "crf"}, {HeadKind::kJoint, "joint"}}};

/// Tokens to vectors of width D (ModelSpec::dim): E[token], a window of neighbours when asked for, and a
/// projection where the table's width differs from what the first block takes.
struct EmbeddingSpec {
  int dim = 0;           // width e of the table; 0 = D. e != D: factorised (table [V, e], projection e -> D)
  int window_left = 0;   // rows before and after that are concatenated (zeros outside the sentence):
  int window_right = 0;  // [(left + 1 + right) e] -> Linear -> D
  bool scale = false;    // multiply the table's rows by sqrt(D)
  Positions positions = Positions::kNone;
  int max_positions = 256;  // rows of a learned table, less the two of padding

  template <class V>
  void visit(V& v) {
    v("dim", dim, "width of the embedding table; 0 = the model's width, smaller = factorised", between(0, 65536));
    v("window_left", window_left, "neighbours before each token that are read with it", between(0, 64));
    v("window_right", window_right, "neighbours after each token that are read with it", between(0, 64));
    v("scale", scale, "multiply embeddings by the square root of the model's width");
    v("positions", positions, "position embeddings", kPositionsNames);
    v("max_positions", max_positions, "rows of a learned position table", between(1, 1 << 20));
  }
};

/// spec: LightweightConv and DynamicConv of Wu et al. 2019 (arXiv:1901.10430).
/// sub-layer: linear1 D -> 2C, GLU (or D -> C without `gated_input`); convolution; linear2 C -> D.
/// `inner_linear` adds the convolution's own linear1 (C -> 2C + GLU when inner_glu, else C -> C) and linear2 (C -> C).
struct ConvSpec {
  ConvKind kind = ConvKind::kDynamic;
  int kernel = 3;
  int look_ahead = -1;  // taps to the right of the current row: kernel / 2 when -1 ("same"), 0 = causal
  int heads = 8;        // heads share taps: channel c uses head c / (C / heads); depthwise: heads = C
  int dim = 0;          // C; 0 = D
  bool gated_input = true;
  bool inner_linear = false;
  bool inner_glu = false;

  int pad_left() const { return kernel - 1 - (look_ahead < 0 ? kernel / 2 : look_ahead); }

  template <class V>
  void visit(V& v) {
    v("kind", kind, "how the taps are made", kConvKindNames);
    v("kernel", kernel, "number of taps", between(1, 255));
    v("look_ahead", look_ahead, "taps to the right of the current position; -1 = kernel / 2", between(-1, 254));
    v("heads", heads, "groups of channels that share taps", between(1, 65536));
    v("dim", dim, "channels of the convolution; 0 = the model's width", between(0, 65536));
    v("gated_input", gated_input, "project to twice the channels and apply GLU before the convolution");
    v("inner_linear", inner_linear, "the convolution has linear layers of its own before and after");
    v("inner_glu", inner_glu, "the inner linear layer is gated");
  }
};

struct AttentionSpec {
  int heads = 8;
  int dim = 0;  // width of the branch; 0 = D (in an LSRA block: its share of the channels)

  template <class V>
  void visit(V& v) {
    v("heads", heads, "attention heads", between(1, 1024));
    v("dim", dim, "channels of the attention branch; 0 = all", between(0, 65536));
  }
};

/// One block: a mixing sub-layer (conv, attention, or LSRA = both on a split of the channels), then a
/// feed-forward sub-layer D -> ffn_dim -> D, each with a residual and a LayerNorm.
struct BlockSpec {
  BlockKind kind = BlockKind::kConv;
  ConvSpec conv;
  AttentionSpec attention;
  int ffn_dim = 512;  // 0 = no feed-forward sub-layer
  Activation activation = Activation::kRelu;

  template <class V>
  void visit(V& v) {
    v("kind", kind, "what mixes positions", kBlockKindNames);
    v("conv", conv, "the convolution of a conv or lsra block");
    v("attention", attention, "the attention of an attention or lsra block");
    v("ffn_dim", ffn_dim, "inner width of the feed-forward sub-layer; 0 = none", between(0, 1 << 20));
    v("activation", activation, "non-linearity of the feed-forward sub-layer", kActivationNames);
  }
};

struct StackSpec {
  bool pre_norm = false;  // x + f(LN(x)) and one LayerNorm after the stack; false: LN(x + f(x))
  std::vector<BlockSpec> blocks;
  std::vector<int> kernels;  // if given: kernel of block i's convolution (a short way to vary it)
  int repeat = 0;            // > 0: blocks has one entry, repeated so often

  template <class V>
  void visit(V& v) {
    v("pre_norm", pre_norm, "normalise before each sub-layer instead of after it");
    v("blocks", blocks, "the blocks, first to last");
    v("kernels", kernels, "convolution kernel of each block, overriding blocks[i].conv.kernel");
    v("repeat", repeat, "repeat the single entry of blocks so often", between(0, 256));
  }
};

struct HeadSpec {
  HeadKind kind = HeadKind::kSoftmax;
  int dim = 0;            // factorised output: D -> dim (no bias) -> V; 0 = D
  bool bias = true;       // of the output projection
  int crf_rank = 32;      // transition M[a, b] = E1[a] . E2[b], E1 and E2 [V, rank]
  int crf_beam = 32;      // candidates per position in the partition sum and in Viterbi
  bool boundary = false;  // one more output: logit of "a syllable starts at this key" (kKeys)
  bool syllable = false;  // auxiliary training target: the full syllable (joint training; not exported)

  template <class V>
  void visit(V& v) {
    v("kind", kind, "how outputs are scored", kHeadKindNames);
    v("dim", dim, "inner width of a factorised output projection; 0 = the model's width", between(0, 65536));
    v("bias", bias, "output projection has a bias");
    v("crf_rank", crf_rank, "rank of the CRF's transition matrix", between(1, 1024));
    v("crf_beam", crf_beam, "candidates a position in the CRF's sums", between(2, 65536));
    v("boundary", boundary, "predict where syllables start (input = keys)");
    v("syllable", syllable, "train on the full syllables too");
  }
};

/// Which of the three tables (source embedding, target embedding, output projection) are one and the same.
enum class Sharing {
  kNone,
  kOutput,  // target embedding = output projection
  kAll,     // all three; the sides share a dictionary
};
inline const EnumNames<Sharing> kSharingNames{
    {{Sharing::kNone, "none"}, {Sharing::kOutput, "output"}, {Sharing::kAll, "all"}}};

/// How a non-autoregressive model knows how long its output is.
enum class LengthKind {
  kPredicted,  // a classifier on the mean of the encoder's states
  kRatio,      // so many output positions a source position, blanks (<unk>) included: for CTC
};
inline const EnumNames<LengthKind> kLengthKindNames{
    {{LengthKind::kPredicted, "predicted"}, {LengthKind::kRatio, "ratio"}}};

/// The decoder of families sequence and non_autoregressive: blocks as the encoder's, each with an attention over the
/// encoder's states between its mixing and its feed-forward sub-layer. sequence: nothing looks ahead (attention is
/// causal, convolutions have look_ahead 0); its input is the target shifted right, </s> first. non_autoregressive:
/// attention sees all positions, convolutions follow their look_ahead; its input is <s>, <unk> ..., </s> (spec of GLAT,
/// Qian et al. 2021, arXiv:2008.07905).
struct DecoderSpec {
  EmbeddingSpec embedding;
  StackSpec stack;
  int cross_heads = 8;  // heads of the attention over the encoder's states
  Sharing share = Sharing::kAll;
  // non_autoregressive:
  LengthKind length = LengthKind::kPredicted;
  int length_classes = 256;     // class = target length, <s> and </s> included (or relative: see length_offset)
  bool length_offset = false;   // class = target length - source length + length_classes / 2
  double length_ratio = 2.0;    // kRatio: output positions a source position
  bool source_copy = true;      // <unk> inputs become softmax(W p_t . (e_s + p_s)) e_s, attention over the source
  bool layer_positions = true;  // positions are added before every block, not only the first

  template <class V>
  void visit(V& v) {
    v("embedding", embedding, "the target embedding");
    v("stack", stack, "the decoder's blocks");
    v("cross_heads", cross_heads, "heads of the attention over the encoder's states", between(1, 1024));
    v("share", share, "tables that are the same: none, output (with the target embedding), all", kSharingNames);
    v("length", length, "how the output's length is found (non_autoregressive)", kLengthKindNames);
    v("length_classes", length_classes, "classes of the length predictor", between(2, 65536));
    v("length_offset", length_offset, "predict the difference to the source's length");
    v("length_ratio", length_ratio, "output positions a source position (length = ratio)", between(1, 8));
    v("source_copy", source_copy, "decoder inputs are copied softly from the source (non_autoregressive)");
    v("layer_positions", layer_positions, "add positions before every block (non_autoregressive)");
  }
};

/// How parameters start; of interest to training only.
enum class Init {
  kFairseq,  // Xavier-uniform layers, N(0, 1 / D) tables
  kBert,     // N(0, 0.02) layers and tables, zero biases; GLAT's
};
inline const EnumNames<Init> kInitNames{{{Init::kFairseq, "fairseq"}, {Init::kBert, "bert"}}};

/// Vocabulary sizes include the four specials <s> 0, <pad> 1, </s> 2, <unk> 3. They are set from the
/// data, not by hand.
struct ModelSpec {
  Family family = Family::kTagger;
  InputKind input = InputKind::kTokens;
  int dim = 256;  // D
  int64_t source_vocabulary = 0;
  int64_t target_vocabulary = 0;
  int64_t syllable_vocabulary = 0;  // classes of the auxiliary syllable target; 0 = none
  EmbeddingSpec embedding;
  StackSpec encoder;
  HeadSpec head;
  DecoderSpec decoder;  // sequence, non_autoregressive
  Init init = Init::kFairseq;

  template <class V>
  void visit(V& v) {
    v("family", family, "kind of model", kFamilyNames);
    v("input", input, "what one input position is", kInputKindNames);
    v("dim", dim, "width of the model", between(1, 65536));
    v("source_vocabulary", source_vocabulary, "input tokens (set from the data)", between(0, 1 << 30));
    v("target_vocabulary", target_vocabulary, "output tokens (set from the data)", between(0, 1 << 30));
    v("syllable_vocabulary", syllable_vocabulary, "auxiliary syllable classes (set from the data)",
      between(0, 1 << 20));
    v("embedding", embedding, "the input embedding");
    v("encoder", encoder, "the encoder's blocks");
    v("head", head, "the output");
    v("decoder", decoder, "the decoder (sequence, non_autoregressive)");
    v("init", init, "how parameters start", kInitNames);
  }
};

/// Whether the family has a decoder of its own, which reads the encoder's states.
inline bool has_decoder(const ModelSpec& spec) { return spec.family != Family::kTagger; }

/// Expands `repeat` and `kernels`, fills every 0 that means "the model's width", and checks that the parts
/// fit together (heads divide channels, LSRA's channels add up, ...). The error names the field.
Result<ModelSpec> resolve(const ModelSpec& spec);

/// JSON, with every field written. from_json reports unknown and ill-typed fields by path.
std::string to_json(const ModelSpec& spec);
Result<ModelSpec> model_spec_from_json(const std::string& json);

}  // namespace litenat::graph
