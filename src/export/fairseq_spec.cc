#include "export/fairseq_spec.h"

#include <algorithm>
#include <cstdlib>

#include "base/error.h"

namespace litenat::export_model {
namespace {

using graph::BlockKind;
using graph::BlockSpec;
using graph::ConvKind;
using graph::EmbeddingSpec;
using graph::ModelSpec;
using graph::StackSpec;

enum class Kind { kUnsupported, kTransformer, kLite, kLightConv, kNat, kNatCrf, kGlat, kGlatCtc, kConvCrf };

struct KindRow {
  const char* prefix;  // of the architecture's name; the first row that fits counts
  Kind kind;
};
constexpr KindRow kKinds[] = {{"transformer_multibranch_v2", Kind::kLite},
                              {"transformer_lm", Kind::kUnsupported},
                              {"transformer", Kind::kTransformer},
                              {"lightconv_lm", Kind::kUnsupported},
                              {"lightconv", Kind::kLightConv},
                              {"nonautoregressive_transformer", Kind::kNat},
                              {"nacrf_transformer", Kind::kNatCrf},
                              {"glat_ctc", Kind::kGlatCtc},
                              {"glat", Kind::kGlat},
                              {"conv_crf_transformer", Kind::kConvCrf}};

constexpr int64_t kMaxLayers = 256;
constexpr int64_t kMaxWidth = 1 << 20;
constexpr int64_t kPaddingRows = 2;         // of a learned position table
constexpr int kFairseqLengthClasses = 256;  // relative lengths are counted from half of these

Kind kind_of(const std::string& arch, const std::string& name) {
  for (const KindRow& row : kKinds)
    if (arch.compare(0, std::string(row.prefix).size(), row.prefix) == 0 && row.kind != Kind::kUnsupported)
      return row.kind;
    else if (arch.compare(0, std::string(row.prefix).size(), row.prefix) == 0)
      break;
  throw Error(name + ": architecture '" + arch +
              "' is not imported, expected transformer*, transformer_multibranch_v2*, lightconv*, "
              "nonautoregressive_transformer*, nacrf_transformer*, glat*, glat_ctc* or conv_crf_transformer* "
              "(--arch says which of these another name stands for)");
}

/// "attn:1:100:4": kind, kernel or "default", channels, heads.
struct Branch {
  std::string type;
  std::string kernel;
  int64_t dim = 0;
  int64_t heads = 0;
};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

class SpecBuilder {
 public:
  SpecBuilder(Kind kind, const FairseqSettings& settings, const FairseqShapes& shapes, const std::string& name)
      : kind_(kind), settings_(settings), shapes_(shapes), name_(name) {}

  ModelSpec build() {
    check_settings();
    spec_.dim = count("encoder_embed_dim", 512, kMaxWidth);
    if (count("decoder_embed_dim", spec_.dim, kMaxWidth) != spec_.dim)
      settings_.refuse("decoder_embed_dim", "encoder_embed_dim = " + std::to_string(spec_.dim));
    spec_.init = settings_.boolean("apply_bert_init", false) ? graph::Init::kBert : graph::Init::kFairseq;
    set_tables();
    spec_.encoder = stack("encoder_");
    spec_.decoder.stack = stack("decoder_");
    spec_.decoder.cross_heads = count("decoder_attention_heads", 8, kMaxWidth);
    spec_.family = is_parallel() ? graph::Family::kNonAutoregressive : graph::Family::kSequence;
    if (is_parallel()) set_parallel();
    if (kind_ == Kind::kNatCrf || kind_ == Kind::kConvCrf) set_crf();
    const Result<ModelSpec> resolved = graph::resolve(spec_);
    throw_if_error(resolved.status().with_context(name_ + ": its settings make no model of LiteNAT"));
    return resolved.value();
  }

 private:
  bool is_parallel() const { return kind_ != Kind::kTransformer && kind_ != Kind::kLite && kind_ != Kind::kLightConv; }
  bool is_conv() const { return kind_ == Kind::kLightConv || kind_ == Kind::kConvCrf; }
  bool has(const char* parameter) const { return shapes_.count(parameter) != 0; }
  /// GLAT's way of making decoder inputs: soft copies of the source.
  bool has_soft_copy() const { return has("decoder.copy_attn.weight"); }
  /// GLAT and what was built on it leave embeddings as they are, the others scale them.
  bool scales_embeddings() const {
    const bool plain = kind_ == Kind::kGlat || kind_ == Kind::kGlatCtc || kind_ == Kind::kConvCrf;
    return !plain && !has_soft_copy() && !settings_.boolean("no_scale_embedding", false);
  }

  int count(const std::string& key, int64_t fallback, int64_t most) const {
    const int64_t value = settings_.integer(key, fallback);
    if (value < 1 || value > most) settings_.refuse(key, "a number from 1 to " + std::to_string(most));
    return static_cast<int>(value);
  }
  int64_t rows_of(const char* parameter) const {
    const auto it = shapes_.find(parameter);
    if (it == shapes_.end() || it->second.empty())
      throw Error(name_ + ": has no parameter " + parameter + ", so it holds no model with an encoder and a decoder");
    return it->second[0];
  }

  /// Refuses what fairseq has and LiteNAT has not.
  void check_settings() const {
    for (const char* key : {"adaptive_input", "layernorm_embedding", "no_cross_attention", "cross_self_attention",
                            "char_inputs", "no_decoder_final_norm"})
      if (settings_.boolean(key, false)) settings_.refuse(key, "False, the only value that is imported");
    for (const char* key : {"adaptive_softmax_cutoff", "encoder_layers_to_keep", "decoder_layers_to_keep"})
      if (settings_.has(key)) settings_.refuse(key, "None, the only value that is imported");
    if (settings_.integer("base_layers", 0) != 0) settings_.refuse("base_layers", "0, the only value that is imported");
    if (settings_.real("quant_noise_pq", 0) != 0)
      settings_.refuse("quant_noise_pq", "0, the only value that is imported");
    if (!settings_.boolean("weight_softmax", true))
      settings_.refuse("weight_softmax", "True, the only value that is imported");
  }

  EmbeddingSpec embedding(const std::string& side, const std::string& max_positions, const char* table) const {
    EmbeddingSpec embedding;
    embedding.scale = scales_embeddings();
    embedding.max_positions = count(max_positions, 1024, kMaxWidth);
    if (settings_.boolean("no_token_positional_embeddings", false)) return embedding;
    embedding.positions = graph::Positions::kSinusoidal;
    if (!settings_.boolean(side + "learned_pos", false)) return embedding;
    embedding.positions = graph::Positions::kLearned;
    // A run may give other limits than the checkpoint's own; the table does not lie.
    if (has(table))
      embedding.max_positions = static_cast<int>(std::clamp<int64_t>(rows_of(table) - kPaddingRows, 1, kMaxWidth));
    return embedding;
  }

  void set_tables() {
    spec_.source_vocabulary = rows_of("encoder.embed_tokens.weight");
    spec_.target_vocabulary = rows_of("decoder.embed_tokens.weight");
    spec_.embedding = embedding("encoder_", "max_source_positions", "encoder.embed_positions.weight");
    spec_.decoder.embedding = embedding("decoder_", "max_target_positions", "decoder.embed_positions.weight");
    spec_.head.bias = false;
    spec_.decoder.share = graph::Sharing::kNone;
    if (settings_.boolean("share_decoder_input_output_embed", false)) spec_.decoder.share = graph::Sharing::kOutput;
    if (settings_.boolean("share_all_embeddings", false)) spec_.decoder.share = graph::Sharing::kAll;
    if (spec_.decoder.share == graph::Sharing::kNone)
      spec_.head.dim = count("decoder_output_dim", spec_.dim, kMaxWidth);
  }

  graph::Activation activation() const {
    if (is_conv()) return graph::Activation::kRelu;  // whatever the setting says
    const std::string name = settings_.text("activation_fn", "relu");
    if (name == "relu") return graph::Activation::kRelu;
    if (name != "gelu") settings_.refuse("activation_fn", "'relu' or 'gelu'");
    return graph::Activation::kGelu;
  }

  StackSpec stack(const std::string& side) const {
    StackSpec stack;
    stack.pre_norm = settings_.boolean(side + "normalize_before", false);
    const int layers = count(side + "layers", 6, kMaxLayers);
    for (int i = 0; i < layers; ++i) {
      BlockSpec block = is_conv() ? conv_block(side, i, layers) : attention_block(side, i, layers);
      block.ffn_dim = count(side + "ffn_embed_dim", 2048, kMaxWidth);
      block.activation = activation();
      stack.blocks.push_back(block);
    }
    return stack;
  }

  BlockSpec attention_block(const std::string& side, int index, int layers) const {
    const std::vector<std::string> branches = settings_.texts(side + "branch_type");
    if (kind_ == Kind::kLite && !branches.empty()) return lsra_block(side, branches, index, layers);
    BlockSpec block;
    block.kind = BlockKind::kAttention;
    block.attention.heads = count(side + "attention_heads", 8, kMaxWidth);
    return block;
  }

  /// Entry `index` of a list of kernels; one entry counts for all layers, entries beyond the layers for none.
  int kernel(const std::string& side, int index, int layers) const {
    const std::string key = side + "kernel_size_list";
    const std::vector<int64_t> kernels = settings_.integers(key, {3, 7, 15, 31, 31, 31, 31});
    const auto at = kernels.size() == 1 ? size_t{0} : static_cast<size_t>(index);
    if (kernels.size() != 1 && kernels.size() < static_cast<size_t>(layers))
      settings_.refuse(key, "a kernel for each of " + std::to_string(layers) + " layers");
    if (kernels[at] < 1 || kernels[at] > 255) settings_.refuse(key, "kernels from 1 to 255");
    return static_cast<int>(kernels[at]);
  }
  static int look_ahead(const std::string& side) { return side == "decoder_" ? 0 : -1; }

  ConvKind conv_kind(const std::string& key, const std::string& name) const {
    if (name == "dynamic") return ConvKind::kDynamic;
    if (name != "lightweight") settings_.refuse(key, "'dynamic' or 'lightweight'");
    return ConvKind::kLightweight;
  }

  BlockSpec conv_block(const std::string& side, int index, int layers) const {
    BlockSpec block;
    block.kind = BlockKind::kConv;
    const std::string type = side + "conv_type";
    block.conv.kind = conv_kind(type, settings_.text(type, "dynamic"));
    block.conv.kernel = kernel(side, index, layers);
    block.conv.look_ahead = look_ahead(side);
    block.conv.heads = count(side + "attention_heads", 8, kMaxWidth);
    block.conv.dim = count(side + "conv_dim", spec_.dim, kMaxWidth);
    block.conv.gated_input = settings_.boolean(side + "glu", true);
    block.conv.inner_linear = kind_ == Kind::kConvCrf && settings_.boolean("conv_linear", false);
    // The lightweight convolution is never told of the GLU.
    block.conv.inner_glu = block.conv.inner_linear && block.conv.gated_input && block.conv.kind == ConvKind::kDynamic;
    return block;
  }

  Branch branch(const std::string& key, const std::string& text) const {
    const std::vector<std::string> parts = split(text, ':');
    if (parts.size() != 4) settings_.refuse(key, "branches TYPE:KERNEL:CHANNELS:HEADS");
    Branch branch{parts[0], parts[1], std::atoll(parts[2].c_str()), std::atoll(parts[3].c_str())};
    if (branch.dim < 1 || branch.dim > kMaxWidth || branch.heads < 1 || branch.heads > branch.dim)
      settings_.refuse(key, "branches with channels and heads above 0");
    return branch;
  }

  BlockSpec lsra_block(const std::string& side, const std::vector<std::string>& branches, int index, int layers) const {
    const std::string key = side + "branch_type";
    if (branches.size() != 2) settings_.refuse(key, "two branches, attention and convolution");
    const Branch attention = branch(key, branches[0]);
    const Branch conv = branch(key, branches[1]);
    if (attention.type != "attn") settings_.refuse(key, "attn:... as the first of two branches");
    if (!settings_.boolean("conv_linear", false))
      settings_.refuse("conv_linear", "True, the only value that is imported");
    BlockSpec block;
    block.kind = BlockKind::kLsra;
    block.attention.dim = static_cast<int>(attention.dim);
    block.attention.heads = static_cast<int>(attention.heads);
    block.conv.dim = static_cast<int>(conv.dim);
    block.conv.heads = static_cast<int>(conv.heads);
    block.conv.kind = conv_kind(key, conv.type);
    block.conv.kernel = conv.kernel == "default" ? kernel(side, index, layers) : std::atoi(conv.kernel.c_str());
    block.conv.look_ahead = look_ahead(side);
    block.conv.gated_input = block.conv.kind == ConvKind::kDynamic && settings_.boolean(side + "glu", true);
    return block;
  }

  void set_parallel() {
    graph::DecoderSpec& decoder = spec_.decoder;
    const bool copies = settings_.boolean("src_embedding_copy", false);
    if (copies && !has_soft_copy())
      settings_.refuse("src_embedding_copy",
                       "False where there is no decoder.copy_attn.weight (a uniform copy is not "
                       "imported)");
    decoder.source_copy = has_soft_copy();
    decoder.layer_positions = has_soft_copy() || kind_ == Kind::kConvCrf;
    if (kind_ == Kind::kGlatCtc) {
      decoder.length = graph::LengthKind::kRatio;
      decoder.length_ratio = 2;
      return;
    }
    decoder.length_offset = settings_.boolean("pred_length_offset", false);
    decoder.length_classes = static_cast<int>(std::clamp<int64_t>(rows_of("decoder.embed_length.weight"), 2, 65536));
    if (decoder.length_offset && decoder.length_classes != kFairseqLengthClasses)
      settings_.refuse("pred_length_offset", "False where there are other than 256 length classes");
  }

  void set_crf() {
    spec_.head.kind = graph::HeadKind::kCrf;
    spec_.head.crf_rank = count("crf_lowrank_approx", 32, 1024);
    spec_.head.crf_beam = count("crf_beam_approx", 64, 65536);
  }

  const Kind kind_;
  const FairseqSettings& settings_;
  const FairseqShapes& shapes_;
  const std::string& name_;
  ModelSpec spec_;
};

}  // namespace

ModelSpec spec_of_fairseq(const std::string& arch, const FairseqSettings& settings, const FairseqShapes& shapes,
                          const std::string& name) {
  return SpecBuilder(kind_of(arch, name), settings, shapes, name).build();
}

}  // namespace litenat::export_model
