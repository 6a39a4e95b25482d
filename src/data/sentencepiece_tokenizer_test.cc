// Round trips, golden results of the Python module, and damaged models.
#include "data/sentencepiece_tokenizer.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/random.h"
#include "data/corpus_mt_reader.h"
#include "data/text_cleaning.h"

namespace litenat::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<std::string> kSentences{
    "the cat sat on the mat",   "a cat and a dog sat on a log", "the dog ate the cat food", "the rat ran on the mat",
    "\u732b\u304c\u5ea7\u308b", "\u732b\u3068\u72ac",           "\u7532\u5b50 and the rat"};

// What SentencePiece 0.2.3 for Python trained on three copies of kSentences: bpe, 44 pieces, identity, coverage 1.
constexpr const char* kPythonModel =
    "0a0e0a053c756e6b3e150000000018020a0c0a033c733e150000000018030a0d0a043c2f733e150000000018030a090a0261741500000080"
    "0a090a02686515000080bf0a0b0a04e296817415000000c00a0d0a06e2968174686515000040c00a0b0a04e296816115000080c00a090a02"
    "6f67150000a0c00a090a026f6e150000c0c00a0b0a04e2968163150000e0c00a0b0a04e296817215000000c10a0c0a05e296816f6e150000"
    "10c10a0d0a06e2968163617415000020c10a090a026e6415000030c10a0b0a04e296816415000040c10a0b0a04e296816d15000050c10a0b"
    "0a04e296817315000060c10a0d0a06e29681e78cab15000070c10a0d0a06e29681616e6415000080c10a0d0a06e29681646f6715000088c1"
    "0a0a0a03e2968115000090c10a080a017415000098c10a080a0161150000a0c10a080a0165150000a8c10a080a016f150000b0c10a080a01"
    "68150000b8c10a080a016e150000c0c10a080a0164150000c8c10a080a0163150000d0c10a080a0167150000d8c10a080a0172150000e0c1"
    "0a080a016d150000e8c10a080a0173150000f0c10a0a0a03e78cab150000f8c10a080a016615000000c20a080a016c15000004c20a0a0a03"
    "e3818c15000008c20a0a0a03e381a81500000cc20a0a0a03e3828b15000010c20a0a0a03e5ad9015000014c20a0a0a03e5baa715000018c2"
    "0a0a0a03e78aac1500001cc20a0a0a03e794b215000020c21218120d2f746d702f74696e795f6270651802202c550000803f1a0c0a086964"
    "656e746974791200";

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

std::string train(const PieceTrainingOptions& options, const std::vector<std::string>& sentences, int copies = 3) {
  size_t next = 0;
  return train_pieces(options, [&](std::string* sentence) {
    if (next == sentences.size() * static_cast<size_t>(copies)) return false;
    *sentence = sentences[next++ % sentences.size()];
    return true;
  });
}

PieceTrainingOptions small_options(int vocab_size, PieceModel model = PieceModel::kBpe) {
  PieceTrainingOptions options;
  options.model = model;
  options.vocab_size = vocab_size;
  options.coverage = 1;
  options.normalization = Normalization::kIdentity;
  return options;
}

template <typename Function>
std::string error_of(const Function& function) {
  try {
    function();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string load_error(const std::string& proto) {
  return error_of([&] { make_piece_tokenizer(proto, "file"); });
}

TEST(PieceTokenizer, EncodesAsPythonDoes) {
  const auto tokenizer = make_piece_tokenizer(from_hex(kPythonModel), "golden");
  EXPECT_EQ(count_pieces(tokenizer->blob()), 44);
  EXPECT_THAT(tokenizer->encode("the cat ate a log"),
              ElementsAre("\u2581the", "\u2581cat", "\u2581", "at", "e", "\u2581a", "\u2581", "l", "og"));
  EXPECT_THAT(tokenizer->encode("\u732b\u306e rat"), ElementsAre("\u2581\u732b", "\u306e", "\u2581r", "at"));
  EXPECT_THAT(tokenizer->encode("dogs and cats \u72ac"),
              ElementsAre("\u2581dog", "s", "\u2581and", "\u2581cat", "s", "\u2581", "\u72ac"));
  EXPECT_THAT(tokenizer->encode(""), IsEmpty());
  EXPECT_EQ(tokenizer->decode(std::vector<std::string>{"\u2581the", "<unk>", "\u2581c", "<s>", "zz"}),
            "the \u2047  czz");
}

TEST(PieceTokenizer, TrainsThePiecesThatPythonTrains) {
  const auto ours = make_piece_tokenizer(train(small_options(44), kSentences), "ours");
  const auto theirs = make_piece_tokenizer(from_hex(kPythonModel), "theirs");
  for (const std::string& sentence : kSentences)
    EXPECT_EQ(ours->encode(sentence), theirs->encode(sentence)) << sentence;
}

TEST(PieceTokenizer, DecodesWhatItEncodes) {
  for (const PieceModel model : {PieceModel::kBpe, PieceModel::kUnigram}) {
    const auto tokenizer = make_piece_tokenizer(train(small_options(30, model), kSentences), "trained");
    for (const std::string text : {"the cat", "\u732b\u3068 dog, \u72ac!", "\u0645\u0631\u062d\u0628\u0627",
                                   "e\u0301 \U0001F431", "\u0928\u092e\u0938\u094d\u0924\u0947", ""})
      EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
    EXPECT_EQ(tokenizer->decode(tokenizer->encode(" the\t\xFF \u3000cat ")), "the \uFFFD cat");
    EXPECT_NE(tokenizer->decode(tokenizer->encode(std::string("a\0b", 3))).find('b'), std::string::npos);
  }
}

TEST(PieceTokenizer, NormalisesAndFoldsCase) {
  PieceTrainingOptions options = small_options(40);
  options.normalization = Normalization::kNmtNfkc;
  options.lower_case = true;
  const auto tokenizer = make_piece_tokenizer(train(options, kSentences), "trained");
  EXPECT_EQ(tokenizer->decode(tokenizer->encode("\uFF34\uFF28\uFF25 Cat\u3000MAT")), "the cat mat");
  options.normalization = Normalization::kIdentity;
  EXPECT_THAT(error_of([&] { train(options, kSentences); }), HasSubstr("nmt_nfkc"));
}

TEST(PieceTokenizer, SpellsUnknownCharactersInBytes) {
  PieceTrainingOptions options = small_options(300);
  options.byte_fallback = true;
  const auto tokenizer = make_piece_tokenizer(train(options, kSentences), "trained");
  EXPECT_THAT(tokenizer->encode("\u00E9"), ElementsAre("\u2581", "<0xC3>", "<0xA9>"));
  EXPECT_EQ(tokenizer->decode(tokenizer->encode("\u9F98")), "\u9F98");
}

TEST(PieceTokenizer, TrainingIsDeterministic) {
  for (const PieceModel model : {PieceModel::kBpe, PieceModel::kUnigram})
    EXPECT_EQ(train(small_options(30, model), kSentences), train(small_options(30, model), kSentences));
}

TEST(PieceTokenizer, TrainingSaysWhatIsWrong) {
  EXPECT_THAT(error_of([] { train(small_options(5000), kSentences); }), HasSubstr("Vocabulary size too high (5000)"));
  EXPECT_THAT(error_of([] { train(small_options(5), kSentences); }), HasSubstr("smaller than required_chars"));
  EXPECT_THAT(error_of([] { train(small_options(5), {}); }), HasSubstr("expected sentences, found none"));
  EXPECT_THAT(error_of([] { train(small_options(9), {std::string(5000, 'x')}); }), HasSubstr("no sentence is left"));
}

TEST(PieceTokenizer, RefusesWhatIsNoModel) {
  EXPECT_THAT(load_error(""), HasSubstr("file: expected a SentencePiece model, found one without pieces"));
  EXPECT_THAT(load_error("hello, world"), HasSubstr("file: "));
  EXPECT_THAT(load_error("\x0A\x03\x0A\x01"), HasSubstr("found one that is cut"));
  EXPECT_THAT(load_error(std::string("\x0A\x04\x0A\x02\0a", 6)), HasSubstr("has a NUL"));
  EXPECT_THAT(load_error(std::string("\x0A\x02\x0A\0", 4)), HasSubstr("a piece that is empty"));
  EXPECT_THAT(load_error(std::string("\x0A\x08\x0A\x01"
                                     "a\x15\0\0\xC0\x7F",
                                     10)),
              HasSubstr("a score that is no number"));
  // Two equal pieces, no <unk>: the library's own complaints.
  EXPECT_THAT(load_error("\x0A\x03\x0A\x01"
                         "a\x0A\x03\x0A\x01"
                         "a"),
              HasSubstr("not a usable SentencePiece model"));
}

// Bytes of a model, changed at random: an error or a tokenizer that works, never a crash. The first model has no
// normalisation table; the second is little else.
TEST(PieceTokenizer, SurvivesDamage) {
  PieceTrainingOptions options = small_options(30);
  options.normalization = Normalization::kNfkc;
  const std::string with_table = train(options, kSentences);
  SplitMix64 random(1);
  int refused = 0, taken = 0;
  for (int round = 0; round < 400; ++round) {
    std::string proto = round % 20 == 0 ? with_table : from_hex(kPythonModel);
    const uint64_t changes = round % 20 == 0 ? 50 : 1 + random.below(4);
    for (uint64_t i = 0; i < changes; ++i) proto[random.below(proto.size())] = static_cast<char>(random.below(256));
    if (round % 7 == 0) proto.resize(random.below(proto.size()));
    try {
      const auto tokenizer = make_piece_tokenizer(proto, "damaged");
      for (const std::string& sentence : kSentences) tokenizer->decode(tokenizer->encode(sentence + " \uFF21\u00BD"));
      ++taken;
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 50);
  EXPECT_GT(taken, 20);
}

TEST(PieceTokenizer, KeepsRealSentencesWhole) {
  const char* corpora = std::getenv("LITENAT_CORPORA");
  if (corpora == nullptr) GTEST_SKIP() << "needs LITENAT_CORPORA, a folder with mt/{multi30k.val,enja.dev}.*.xz";
  const std::string folder = (std::filesystem::path(corpora) / "mt").string();
  std::vector<std::string> sentences;
  PairReader reader({{folder + "/multi30k.val.en.xz", folder + "/multi30k.val.de.xz"},
                     {folder + "/enja.dev.en.xz", folder + "/enja.dev.ja.xz"}},
                    1, 2);
  for (PairBlock block; reader.next(&block);)
    for (size_t i = 0; i < block.size(); ++i)
      for (const std::string_view line : {block.source_line(i), block.target_line(i)})
        sentences.push_back(clean_line(line));
  ASSERT_GT(sentences.size(), 3000u);
  for (const PieceModel model : {PieceModel::kBpe, PieceModel::kUnigram}) {
    const auto tokenizer = make_piece_tokenizer(train(small_options(3000, model), sentences, 1), "trained");
    for (const std::string& text : sentences) ASSERT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
  }
}

}  // namespace
}  // namespace litenat::data
