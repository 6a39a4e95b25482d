#include "export/fairseq_import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>

#include "base/error.h"
#include "base/json.h"
#include "base/mapped_file.h"
#include "data/text_tokenizer.h"
#include "export/checkpoint_export.h"
#include "export/fairseq_names.h"
#include "export/resolve_model.h"
#include "export/testing/tiny_run.h"
#include "runtime/sequence_executor.h"

namespace litenat::export_model {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::ScopedFolder;

/// Checkpoints of every architecture and the logits that their own code computes (tests/compat/make_golden_import.py).
std::string golden(const std::string& file) {
  return std::string(LITENAT_SOURCE_DIR) + "/tests/compat/data/import/" + file;
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::vector<int32_t> ids_of(const Json& json) {
  std::vector<int32_t> ids;
  for (const Json& id : json.items()) ids.push_back(static_cast<int32_t>(id.integer()));
  return ids;
}

struct Architecture {
  const char* name;
  const char* arch;
  const char* family;
  int64_t parameters;
  int skipped;  // tensors of the file that hold nothing of their own
};

class EveryArchitecture : public ::testing::TestWithParam<Architecture> {
 protected:
  /// Largest difference of our logits of a golden sentence to its code's.
  static double difference(runtime::SequenceExecutor* engine, const Json& row) {
    const std::vector<int32_t> source = ids_of(*row.find("source"));
    const std::vector<int32_t> target = ids_of(*row.find("target"));
    const std::vector<int32_t> source_length = {static_cast<int32_t>(source.size())};
    const std::vector<int32_t> target_length = {static_cast<int32_t>(target.size())};
    const std::vector<int32_t> sentence = {0};
    const int32_t vocabulary = engine->traits().target_vocabulary;
    throw_if_error(engine->encode(source, source_length));
    double largest = 0;
    const auto& lengths = row.find("length")->items();
    if (!lengths.empty()) {
      const auto found = value_or_throw(engine->length_logits());
      if (found.size() != lengths.size()) return INFINITY;
      for (size_t i = 0; i < found.size(); ++i) largest = std::max(largest, std::abs(found[i] - lengths[i].number()));
    }
    const auto out = value_or_throw(engine->decode(target, target_length, sentence, vocabulary, {}));
    const auto& rows = row.find("logits")->items();
    if (out.logits.size() != rows.size() * static_cast<size_t>(vocabulary)) return INFINITY;
    for (size_t i = 0; i < out.logits.size(); ++i) {
      const Json& expected = rows[i / static_cast<size_t>(vocabulary)].items()[static_cast<size_t>(out.tokens[i])];
      largest = std::max(largest, std::abs(out.logits[i] - expected.number()));
    }
    return largest;
  }
};

TEST_P(EveryArchitecture, ComputesTheLogitsOfItsOwnCode) {
  const Architecture& expected = GetParam();
  ScopedFolder run;
  const FairseqImport import(golden(std::string(expected.name) + ".pt"), {});
  EXPECT_THAT(import.report().unused, IsEmpty());
  EXPECT_THAT(import.report().missing, IsEmpty());
  EXPECT_THAT(import.report().mismatched, IsEmpty());
  EXPECT_EQ(import.report().skipped.size(), static_cast<size_t>(expected.skipped));
  EXPECT_EQ(import.architecture(), expected.arch);
  EXPECT_EQ(graph::kFamilyNames.name(import.spec().family), std::string(expected.family));
  EXPECT_EQ(import.num_parameters(), expected.parameters);
  EXPECT_GE(import.update(), 100);
  import.write(run / "checkpoints/best.safetensors", run / "resources.litenat");

  const ResolvedModel resolved = resolve_model(run.path());
  EXPECT_NE(resolved.model->source_dictionary(), nullptr);
  EXPECT_NE(resolved.model->target_dictionary(), nullptr);
  const auto engine = value_or_throw(runtime::SequenceExecutor::create(resolved.model));
  const auto file = value_or_throw(MappedFile::open(golden("logits.json")));
  const auto json =
      value_or_throw(Json::parse({reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size()}));
  const Json* rows = json.find(expected.name);
  ASSERT_NE(rows, nullptr);
  ASSERT_EQ(rows->items().size(), 3u);
  for (const Json& row : rows->items()) EXPECT_LT(difference(engine.get(), row), 2e-5);
}

INSTANTIATE_TEST_SUITE_P(
    FairseqImport, EveryArchitecture,
    ::testing::Values(Architecture{"transformer", "transformer_iwslt_de_en", "sequence", 1456, 14},
                      Architecture{"transformer_prenorm", "transformer", "sequence", 1928, 11},
                      Architecture{"transformer_early", "transformer_iwslt_de_en", "sequence", 1544, 4},
                      Architecture{"dynamicconv", "lightconv", "sequence", 2968, 4},
                      Architecture{"lightconv", "lightconv_iwslt_de_en", "sequence", 2312, 5},
                      Architecture{"nat", "nonautoregressive_transformer", "non_autoregressive", 4032, 10},
                      Architecture{"nacrf", "nacrf_transformer", "non_autoregressive", 3800, 12},
                      Architecture{"lite", "transformer_multibranch_v2_wmt_en_de", "sequence", 2360, 5},
                      Architecture{"lite_lightweight", "transformer_multibranch_v2_iwslt_de_en", "sequence", 2360, 4},
                      Architecture{"glat", "glat", "non_autoregressive", 2192, 3},
                      Architecture{"conv_crf", "conv_crf_transformer", "non_autoregressive", 4656, 2}),
    [](const auto& architecture) { return std::string(architecture.param.name); });

/// A copy of a golden checkpoint (of the older format, which has no checksums) that can be changed.
class ChangedCheckpoint {
 public:
  explicit ChangedCheckpoint(const std::string& name) {
    const auto file = value_or_throw(MappedFile::open(golden(name + ".pt")));
    bytes_.assign(file->bytes().begin(), file->bytes().end());
    for (const char* dictionary : {"dict.de.txt", "dict.en.txt"}) fs::copy(golden(dictionary), folder_ / dictionary);
  }
  /// Puts `to`, of the same size, in the place of `from`.
  void replace(const std::string& from, const std::string& to) {
    const size_t at = bytes_.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    ASSERT_EQ(from.size(), to.size());
    bytes_.replace(at, to.size(), to);
  }
  /// Changes the pickled value of a setting.
  void set(const std::string& setting, const std::string& from, const std::string& to) {
    const size_t key = bytes_.find(setting);
    ASSERT_NE(key, std::string::npos) << setting;
    const size_t at = bytes_.find(from, key + setting.size());
    ASSERT_LT(at, key + setting.size() + 8) << setting;
    bytes_.replace(at, from.size(), to);
  }
  std::string& bytes() { return bytes_; }
  FairseqImport import(const FairseqImportOptions& options = {}) const {
    std::ofstream(folder_ / "x.pt", std::ios::binary) << bytes_;
    return FairseqImport(folder_ / "x.pt", options);
  }
  std::string error(const FairseqImportOptions& options = {}) const {
    return error_of([&] { import(options).write(folder_ / "run/x.safetensors", folder_ / "run/resources.litenat"); });
  }
  bool wrote() const { return fs::exists(folder_ / "run"); }

 private:
  ScopedFolder folder_;
  std::string bytes_;
};

const std::string kTrue = "\x88";
const std::string kFalse = "\x89";
/// The pickled number `value` below 256.
std::string number(char value) { return {'K', value}; }

TEST(FairseqImport, ListsWhatDoesNotMatch) {
  ChangedCheckpoint renamed("transformer");
  renamed.replace("decoder.layers.0.fc2.bias", "decoder.layers.0.fcx.bias");
  const ImportReport report = renamed.import().report();
  EXPECT_THAT(report.unused, ElementsAre("decoder.layers.0.fcx.bias"));
  EXPECT_THAT(report.missing, ElementsAre("decoder.layers.0.fc2.bias"));
  EXPECT_THAT(report.mismatched, IsEmpty());
  EXPECT_THAT(renamed.error(), HasSubstr("1 parameters are missing and 0 do not fit"));
  EXPECT_FALSE(renamed.wrote());

  ChangedCheckpoint wide("transformer");
  wide.set("encoder_ffn_embed_dim", number(12), number(13));
  EXPECT_THAT(wide.import().report().mismatched,
              Contains("encoder.layers.0.fc1.weight: expected [13, 8], found [12, 8]"));

  ChangedCheckpoint untied("dynamicconv");
  untied.set("share_all_embeddings", kFalse, kTrue);
  EXPECT_THAT(untied.import().report().mismatched, Contains(HasSubstr("which it is shared with, found others")));

  ChangedCheckpoint more("transformer");
  more.set("decoder_layers", number(1), number(2));
  EXPECT_THAT(more.import().report().missing, Contains("decoder.layers.1.encoder_attn.q_proj.weight"));
}

TEST(FairseqImport, RefusesWhatItHasNoEqualOf) {
  const auto error_with = [](const char* name, const char* setting, const std::string& from, const std::string& to) {
    ChangedCheckpoint changed(name);
    changed.set(setting, from, to);
    return changed.error();
  };
  EXPECT_THAT(error_with("transformer", "layernorm_embedding", kFalse, kTrue),
              HasSubstr("setting layernorm_embedding: expected False, the only value that is imported, found True"));
  EXPECT_THAT(error_with("nat", "src_embedding_copy", kFalse, kTrue), HasSubstr("uniform copy"));
  EXPECT_THAT(error_with("transformer", "decoder_embed_dim", number(8), number(9)),
              HasSubstr("encoder_embed_dim = 8, found 9"));
  EXPECT_THAT(error_with("transformer", "encoder_layers", number(1), number(0)),
              HasSubstr("a number from 1 to 256, found 0"));
  EXPECT_THAT(error_with("transformer", "encoder_attention_heads", number(2), number(3)),
              HasSubstr("divisor of the 8 channels"));
  EXPECT_THAT(error_with("conv_crf", "weight_softmax", kTrue, kFalse), HasSubstr("setting weight_softmax"));
  ChangedCheckpoint other("transformer");
  other.replace("transformer_iwslt_de_en", "transformer_lm_big_____");
  EXPECT_THAT(other.error(), HasSubstr("architecture 'transformer_lm_big_____' is not imported"));
  FairseqImportOptions options;
  options.architecture = "transformer";
  EXPECT_EQ(other.error(options), "no error");
  ChangedCheckpoint activation("transformer_prenorm");
  activation.replace("gelu", "tanh");
  EXPECT_THAT(activation.error(), HasSubstr("'relu' or 'gelu', found 'tanh'"));
  ChangedCheckpoint branches("lite");
  branches.replace("attn:1:4:2", "dyna:1:4:2");
  EXPECT_THAT(branches.error(), HasSubstr("attn:... as the first of two branches"));
}

TEST(FairseqImport, WantsTheDictionariesOfTheModel) {
  ScopedFolder folder;
  const auto error = [&](const std::string& source) {
    FairseqImportOptions options;
    options.data_folder = folder.path();
    options.source_language = source;
    return error_of([&] { FairseqImport(golden("transformer.pt"), options); });
  };
  EXPECT_THAT(error(""), HasSubstr("dict.de.txt: does not exist"));
  std::ofstream(folder / "dict.fr.txt") << "un 1\n";
  EXPECT_THAT(error("fr"), HasSubstr("dict.fr.txt: has 5 tokens, expected 11 as the checkpoint's source table"));
  ChangedCheckpoint nameless("transformer");
  nameless.replace("source_lang", "soucre_lang");
  EXPECT_THAT(nameless.error(), HasSubstr("does not say its languages"));
}

TEST(FairseqImport, FindsTheLanguagesAsFairseqDoes) {
  ScopedFolder folder;
  for (const char* name : {"dict.de.txt", "dict.en.txt"}) fs::copy(golden(name), folder / name);
  std::ofstream(folder / "train.de-en.de.idx");
  std::ofstream(folder / "valid.de-en.en.bin");
  ChangedCheckpoint nameless("transformer");
  nameless.replace("source_lang", "soucre_lang");
  FairseqImportOptions options;
  options.data_folder = folder.path();
  EXPECT_EQ(nameless.error(options), "no error");
  std::ofstream(folder / "valid.de-fr.fr.bin");
  EXPECT_THAT(nameless.error(options), HasSubstr("data of 2 pairs of languages"));
}

TEST(FairseqImport, RefusesNumbersThatAreNotFinite) {
  ChangedCheckpoint changed("dynamicconv");
  for (size_t i = changed.bytes().size() - 4; i < changed.bytes().size(); ++i) changed.bytes()[i] = '\xff';
  EXPECT_THAT(changed.error(), HasSubstr("is not finite"));
  EXPECT_FALSE(changed.wrote());
}

TEST(FairseqImport, KeepsTheTokenizer) {
  ScopedFolder folder;
  const auto pair = data::make_pair_tokenizer(data::make_whitespace_tokenizer(), data::make_whitespace_tokenizer());
  std::ofstream(folder / "tokenizer.model", std::ios::binary) << pair->blob();
  FairseqImportOptions options;
  options.tokenizer = folder / "tokenizer.model";
  FairseqImport(golden("glat.pt"), options).write(folder / "x.safetensors", folder / "resources.litenat");
  const auto resources = value_or_throw(format::Container::open(folder / "resources.litenat"));
  EXPECT_EQ(resources->find(runtime::kTokenizer)->bytes.size(), pair->blob().size());
  std::ofstream(folder / "tokenizer.model", std::ios::binary) << "no tokenizer";
  EXPECT_THAT(error_of([&] { FairseqImport(golden("glat.pt"), options); }), HasSubstr("tokenizer.model"));
}

TEST(FairseqImport, NeverCrashesOnDamagedFiles) {
  // Truncations, and one wrong byte after the other, of both formats; every seventh to save time.
  for (const char* name : {"transformer", "glat"}) {
    const auto file = value_or_throw(MappedFile::open(golden(std::string(name) + ".pt")));
    const std::vector<uint8_t> good(file->bytes().begin(), file->bytes().end());
    const auto attempt = [&](const std::vector<uint8_t>& bytes) {
      return error_of([&] {
        const TorchArchive archive = TorchArchive::from_memory(bytes, nullptr, "file");
        const Pickle& pickle = archive.pickle();
        for (const auto& [key, value] : pickle[pickle.find(pickle.root(), "model")].entries)
          if (const auto tensor = archive.tensor(value, std::string(pickle[key].text))) tensor->to_floats();
        FairseqSettings settings(pickle, "file");
        settings.integers("encoder_kernel_size_list", {});
      });
    };
    ASSERT_EQ(attempt(good), "no error");
    for (size_t size = 0; size < good.size(); size += 7)
      EXPECT_NE(attempt({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)}), "no error") << size;
    for (size_t at = 0; at < good.size(); at += 7) {
      std::vector<uint8_t> bad = good;
      bad[at] = static_cast<uint8_t>(bad[at] ^ (1u << (at % 8)));
      attempt(bad);
      bad[at] = 0xff;
      attempt(bad);
    }
  }
}

TEST(FairseqNames, MapsOldAndNewNames) {
  graph::ModelSpec spec;
  spec.family = graph::Family::kSequence;
  spec.decoder.share = graph::Sharing::kNone;
  const auto names = [&](const char* name) { return name_of_fairseq(name, spec).names; };
  EXPECT_THAT(names("decoder.layers.3.self_attn.in_proj_weight"),
              ElementsAre("decoder.layers.3.self_attn.q_proj.weight", "decoder.layers.3.self_attn.k_proj.weight",
                          "decoder.layers.3.self_attn.v_proj.weight"));
  EXPECT_THAT(names("encoder.layers.0.self_attn.in_proj_bias"), Contains("encoder.layers.0.self_attn.k_proj.bias"));
  EXPECT_THAT(names("encoder.layers.0.in_proj_bias"), IsEmpty());
  EXPECT_THAT(names("decoder.layers.0.layer_norms.1.bias"),
              ElementsAre("decoder.layers.0.encoder_attn_layer_norm.bias"));
  EXPECT_THAT(names("decoder.layers.0.layer_norms.2.bias"), ElementsAre("decoder.layers.0.layer_norms.1.bias"));
  EXPECT_THAT(names("encoder.layers.11.layer_norms.1.bias"), ElementsAre("encoder.layers.11.layer_norms.1.bias"));
  EXPECT_THAT(names("decoder.layers.0.conv_layer_norm.bias"), ElementsAre("decoder.layers.0.layer_norms.0.bias"));
  EXPECT_THAT(names("decoder.embed_out"), ElementsAre("head.output.weight"));
  spec.decoder.share = graph::Sharing::kAll;
  EXPECT_THAT(names("decoder.output_projection.weight"), ElementsAre("encoder.embed_tokens.weight"));
  EXPECT_THAT(names("decoder.embed_tokens.weight"), ElementsAre("encoder.embed_tokens.weight"));
  EXPECT_THAT(names("encoder.embed_positions._float_tensor"), IsEmpty());
  EXPECT_THAT(names("decoder.version"), IsEmpty());
}

}  // namespace
}  // namespace litenat::export_model
