#include "data/corpus_mt.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "data/temporary_folder_test.h"
#include "data/text_cleaning.h"
#include "data/text_tokenizer.h"

namespace litenat::data {
namespace {

using testing::HasSubstr;

class CorpusMtTest : public TemporaryFolder {
 protected:
  /// Options for inputs that are tokens already.
  CorpusMtOptions plain(std::vector<std::string> inputs) const {
    CorpusMtOptions options;
    options.inputs = std::move(inputs);
    options.tab_separated = options.inputs.size() == 1;
    options.source_lang = "en";
    options.target_lang = "zh";
    options.output = path("out");
    options.source.kind = options.target.kind = TokenizerKind::kNone;
    options.valid_pairs = options.test_pairs = 0;
    return options;
  }
  static std::string error_of(const CorpusMtOptions& options) {
    try {
      make_mt_corpus(options, {});
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
  std::string out(const std::string& name) const { return read_file(path("out") + "/" + name); }
  /// "word i" and "i word" for i below `count`: no two sources are alike.
  static std::string numbered(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += "word " + std::to_string(i) + "\t" + std::to_string(i) + " wort\n";
    return text;
  }
  static std::set<std::string> lines_of(const std::string& text) {
    std::set<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.insert(line);
    return lines;
  }
};

TEST_F(CorpusMtTest, CountsEveryPairThatItDrops) {
  std::string source = "\xEF\xBB\xBFgood  one\r\n", target = "gut\teins\n";
  source += "broken \xFF\ngood\nempty\na b c\na b c d e f g h\ngood  one\nlast";
  target += "x\nb\xC0\n \u3000 \na\na b\ngut eins\nzuletzt";
  source += std::string("\nn\0l\n", 5) + std::string(1200000, 'x') + "\nend\n";
  target += std::string("\nnul\n", 5) + "y\nende\n";
  CorpusMtOptions options = plain({write("a", source), write("b", target)});
  options.max_length = 7;
  options.max_ratio = 2;
  const CorpusMtSummary summary = make_mt_corpus(options, {});
  EXPECT_EQ(summary.pairs_read, 11);
  EXPECT_EQ(summary.dropped.of(DropReason::kBrokenUtf8), 2);
  EXPECT_EQ(summary.dropped.of(DropReason::kEmpty), 1);
  EXPECT_EQ(summary.dropped.of(DropReason::kRatio), 1);
  EXPECT_EQ(summary.dropped.of(DropReason::kLength), 1);
  EXPECT_EQ(summary.dropped.of(DropReason::kCopy), 1);
  EXPECT_EQ(summary.dropped.of(DropReason::kNul), 1);
  EXPECT_EQ(summary.dropped.of(DropReason::kTooLong), 1);
  EXPECT_EQ(summary.dropped.total(), 8);
  EXPECT_EQ(summary.train.pairs, 3);
  EXPECT_EQ(summary.train.source_tokens, 4);
  EXPECT_EQ(out("train.en"), "good one\nlast\nend\n");
  EXPECT_EQ(out("train.zh"), "gut eins\nzuletzt\nende\n");
  EXPECT_THAT(out("summary.json"), HasSubstr("\"broken_utf8\":2"));
  EXPECT_EQ(names_in(path("out")), (std::set<std::string>{"train.en", "train.zh", "valid.en", "valid.zh", "test.en",
                                                          "test.zh", "summary.json"}));
}

TEST_F(CorpusMtTest, NamesFilesOfDifferentLengths) {
  const std::string a = write("a", "1\n2\n3\n"), b = write("b", "1\n2\n");
  EXPECT_EQ(error_of(plain({a, b})),
            a + " has 3 lines, " + b + " has 2: expected as many, each the translation of the other");
  EXPECT_EQ(error_of(plain({b, a})),
            b + " has 2 lines, " + a + " has 3: expected as many, each the translation of the other");
  EXPECT_FALSE(std::filesystem::exists(path("out")));
}

TEST_F(CorpusMtTest, ReadsColumnsOfPackedTables) {
  gzFile file = gzopen(path("t.gz").c_str(), "wb");
  gzputs(file, "1\t\u4F60 \u597D\thello\n\nno tab\n2\t\u518D \u89C1\tbye\tmore\n");
  gzclose(file);
  CorpusMtOptions options = plain({path("t.gz")});
  options.source_column = 3;
  options.target_column = 2;
  const CorpusMtSummary summary = make_mt_corpus(options, {});
  EXPECT_EQ(out("train.en"), "hello\nbye\n");
  EXPECT_EQ(out("train.zh"), "\u4F60 \u597D\n\u518D \u89C1\n");
  EXPECT_EQ(summary.dropped.of(DropReason::kColumnMissing), 1);
  EXPECT_EQ(summary.dropped.of(DropReason::kEmpty), 1);
}

TEST_F(CorpusMtTest, RefusesACutArchive) {
  gzFile file = gzopen(path("t.gz").c_str(), "wb");
  for (int i = 0; i < 20000; ++i)
    gzputs(file, (std::to_string(hash_bytes("x", static_cast<uint64_t>(i))) + "\tb\n").c_str());
  gzclose(file);
  std::filesystem::resize_file(path("t.gz"), 50000);
  EXPECT_THAT(error_of(plain({path("t.gz")})), HasSubstr("t.gz: gzip data is cut after line"));
}

TEST_F(CorpusMtTest, HoldsOutWholeSourceSentences) {
  std::string text = numbered(300);
  for (int i = 0; i < 300; ++i) text += "word " + std::to_string(i) + "\tanother " + std::to_string(i) + "\n";
  CorpusMtOptions options = plain({write("t", text)});
  options.valid_pairs = 20;
  options.test_pairs = 1000;  // more than a tenth
  const CorpusMtSummary summary = make_mt_corpus(options, {});
  EXPECT_EQ(summary.valid.pairs, 20);
  EXPECT_LE(summary.test.pairs, 60);
  EXPECT_GE(summary.test.pairs, 30);
  EXPECT_EQ(summary.dropped.of(DropReason::kHeldOut), summary.valid.pairs + summary.test.pairs);
  EXPECT_EQ(summary.train.pairs + 2 * (summary.valid.pairs + summary.test.pairs), 600);
  const auto train = lines_of(out("train.en")), valid = lines_of(out("valid.en")), test = lines_of(out("test.en"));
  EXPECT_EQ(train.size() + valid.size() + test.size(), 300u);
  for (const std::string& line : valid) EXPECT_EQ(train.count(line) + test.count(line), 0u) << line;
}

TEST_F(CorpusMtTest, DependsOnTheSeedAlone) {
  CorpusMtOptions options = plain({write("t", numbered(30000))});
  options.valid_pairs = options.test_pairs = 50;
  options.source.kind = TokenizerKind::kSentencePiece;
  options.source.vocab_size = 30;
  options.tokenizer_sentences = 500;
  std::vector<std::vector<std::string>> results;
  for (const auto& [threads, seed] : {std::pair{1, 1}, {3, 1}, {2, 2}}) {
    options.threads = threads;
    options.seed = seed;
    options.output = path("out" + std::to_string(results.size()));
    make_mt_corpus(options, {});
    results.emplace_back();
    for (const char* name : {"train.en", "train.zh", "valid.en", "test.zh", "tokenizer.en.model", "summary.json"})
      results.back().push_back(read_file(options.output + "/" + name));
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_NE(results[0][2], results[2][2]);
}

TEST_F(CorpusMtTest, KeepsEveryLineOfGivenSets) {
  write("v.en", "word 3\n\nb\xFF\n" + std::string("long ") + std::string(50, 'a') + "\n");
  write("v.zh", "x\ny\n\nz\n");
  CorpusMtOptions options = plain({write("t", numbered(20))});
  options.valid_prefix = path("v");
  const CorpusMtSummary summary = make_mt_corpus(options, {});
  EXPECT_EQ(out("valid.en"), "word 3\n\nb\uFFFD\nlong " + std::string(50, 'a') + "\n");
  EXPECT_EQ(out("valid.zh"), "x\ny\n\nz\n");
  EXPECT_EQ(summary.valid.pairs, 4);
  EXPECT_EQ(summary.train.pairs, 19);
  EXPECT_EQ(summary.dropped.of(DropReason::kHeldOut), 1);
  options.keep_overlap = true;
  EXPECT_EQ(make_mt_corpus(options, {}).train.pairs, 20);
  options.valid_prefix = path("w");
  EXPECT_THAT(error_of(options), HasSubstr("w.en: expected a file"));
}

TEST_F(CorpusMtTest, TokenisesEachSideItsWay) {
  CorpusMtOptions options = plain({write("t", "Hello world\t\u4F60\u597D\u4E16\u754C\nHello\t\u4F60\u597D\n")});
  options.source.kind = TokenizerKind::kSentencePiece;
  options.source.vocab_size = 14;
  options.target.kind = TokenizerKind::kWords;
  options.target.words = write("words", "\u4F60\u597D 5\n\u4E16\u754C 5\n");
  options.lower_case = true;
  const CorpusMtSummary summary = make_mt_corpus(options, {});
  EXPECT_EQ(out("train.zh"), "\u4F60\u597D \u4E16\u754C\n\u4F60\u597D\n");
  EXPECT_EQ(summary.source.file, "tokenizer.en.model");
  EXPECT_EQ(summary.source.vocab_size, 14);
  EXPECT_EQ(summary.target.type, "words");
  const auto source = load_text_tokenizer(path("out/tokenizer.en.model"));
  EXPECT_EQ(source->decode(source->encode("HELLO World")), "hello world");

  const auto pair = load_text_tokenizer(path("out/tokenizer.model"));
  EXPECT_EQ(pair->encode("Hello"), source->encode("Hello"));
  EXPECT_EQ(pair->decode(std::vector<std::string>{"\u4F60\u597D", "\u4E16\u754C"}), "\u4F60\u597D\u4E16\u754C");

  // The same tokenizers, given.
  CorpusMtOptions again = plain(options.inputs);
  again.output = path("again");
  again.source = {TokenizerKind::kSentencePiece, path("out/tokenizer.en.model"), "", 8000};
  again.target = {TokenizerKind::kWords, path("out/tokenizer.zh.model"), "", 8000};
  make_mt_corpus(again, {});
  EXPECT_EQ(read_file(path("again/train.en")), out("train.en"));
  EXPECT_EQ(read_file(path("again/train.zh")), out("train.zh"));
  again.source.model = path("out/tokenizer.model");
  EXPECT_THAT(error_of(again), HasSubstr("found a pair of them"));
}

TEST_F(CorpusMtTest, JoinsBothSidesInOneModel) {
  CorpusMtOptions options = plain({write("t", "ab ab\tcd cd\nab\tcd\n")});
  options.source.kind = options.target.kind = TokenizerKind::kSentencePiece;
  options.source.vocab_size = options.target.vocab_size = 12;
  options.joined = true;
  const CorpusMtSummary summary = make_mt_corpus(options, {});
  EXPECT_EQ(summary.source.sentences, 4);
  const auto tokenizer = load_text_tokenizer(path("out/tokenizer.model"));
  EXPECT_EQ(tokenizer->encode("ab cd").size(), 2u);
  options.max_tokens = 1;
  options.output = path("short");
  EXPECT_EQ(make_mt_corpus(options, {}).dropped.of(DropReason::kTokens), 1);
}

TEST_F(CorpusMtTest, RefusesContradictions) {
  const std::string text = write("t", "a\tb\n");
  const auto changed = [&](const std::function<void(CorpusMtOptions*)>& change) {
    CorpusMtOptions options = plain({text});
    change(&options);
    return error_of(options);
  };
  EXPECT_THAT(changed([](auto* o) { o->target_lang = "en"; }), HasSubstr("both languages are \"en\""));
  EXPECT_THAT(changed([](auto* o) { o->source_lang = "a/b"; }), HasSubstr("expected a language"));
  EXPECT_THAT(changed([](auto* o) { o->tab_separated = false; }), HasSubstr("odd number of files"));
  EXPECT_THAT(changed([](auto* o) { o->target_column = 1; }), HasSubstr("both sides are column 1"));
  EXPECT_THAT(changed([](auto* o) { o->min_length = 300; }), HasSubstr("fewest words"));
  EXPECT_THAT(changed([](auto* o) { o->target.kind = TokenizerKind::kWords; }), HasSubstr("needs a word list"));
  EXPECT_THAT(changed([](auto* o) { o->target.model = "x"; }), HasSubstr("none takes no model"));
  EXPECT_THAT(changed([](auto* o) { o->max_ratio = 0.5; }), HasSubstr("max_ratio"));
  EXPECT_THAT(changed([](auto* o) {
                o->inputs = {"-", "-"};
                o->tab_separated = false;
              }),
              HasSubstr("read once"));
  EXPECT_THAT(changed([](auto* o) { o->min_length = 5; }), HasSubstr("no pair is left to train on"));
  EXPECT_THAT(changed([](auto* o) { o->inputs = {"/nothing"}; }), HasSubstr("/nothing: expected a file"));
  EXPECT_FALSE(std::filesystem::exists(path("out")));
}

TEST(LineReader, ReadsLongAndLastLines) {
  const std::string name = testing::TempDir() + "litenat_lines";
  std::ofstream(name, std::ios::binary) << std::string(10000000, 'z') << "\nlast \r";
  LineReader reader(name);
  std::string line;
  bool too_long = false;
  ASSERT_TRUE(reader.next(&line, &too_long));
  EXPECT_TRUE(too_long);
  EXPECT_EQ(line.size(), LineReader::kMaxLineBytes);
  line.clear();
  ASSERT_TRUE(reader.next(&line, &too_long));
  EXPECT_FALSE(too_long);
  EXPECT_EQ(line, "last ");
  EXPECT_FALSE(reader.next(&line, &too_long));
  EXPECT_EQ(reader.lines(), 2);
  std::filesystem::remove(name);
}

}  // namespace
}  // namespace litenat::data
