#include "data/preprocess.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "data/indexed_dataset.h"
#include "data/temporary_folder_test.h"

namespace litenat::data {
namespace {

const std::string kData = LITENAT_SOURCE_DIR "/tests/compat/data/";

class PreprocessTest : public TemporaryFolder {
 protected:
  PreprocessOptions options(const std::string& valid = "") const {
    PreprocessOptions o;
    o.source_lang = "en";
    o.target_lang = "de";
    o.trainpref = kData + "train";
    o.validpref = valid;
    o.destdir = path("out");
    return o;
  }
  /// Runs with `o` and compares all files with those that fairseq made in tests/compat/data/`golden`.
  void expect_golden(const PreprocessOptions& o, const std::string& golden) const {
    preprocess(o);
    EXPECT_EQ(names_in(o.destdir), names_in(kData + golden));
    for (const std::string& name : names_in(kData + golden))
      EXPECT_EQ(read_file(o.destdir + "/" + name), read_file(kData + golden + "/" + name)) << golden << "/" << name;
  }
  template <typename E>
  static std::string refused(const PreprocessOptions& o) {
    try {
      preprocess(o);
    } catch (const E& error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(PreprocessTest, SeparateDictionariesAreFairseqs) { expect_golden(options(kData + "valid"), "separate"); }

TEST_F(PreprocessTest, JoinedDictionaryIsFairseqs) {
  PreprocessOptions o = options();
  o.joined_dictionary = true;
  o.threshold_source = 2;
  o.padding_factor = 3;
  o.workers = 4;
  expect_golden(o, "joined");
}

TEST_F(PreprocessTest, SmallDictionariesAndSeveralValidSetsAreFairseqs) {
  PreprocessOptions o = options(kData + "valid," + kData + "train");
  o.nwords_source = 12;
  o.nwords_target = 9;
  expect_golden(o, "nwords");
}

TEST_F(PreprocessTest, OnlySourceIsFairseqs) {
  PreprocessOptions o = options();
  o.target_lang = "";
  o.only_source = true;
  expect_golden(o, "only_source");
}

TEST_F(PreprocessTest, ReadsTheLegacyFormatThatFairseqWrote) {
  for (const std::string language : {"en", "de"}) {
    const auto legacy = IndexedDataset::open(kData + "legacy/train.en-de." + language);
    const auto mapped = IndexedDataset::open(kData + "separate/train.en-de." + language);
    ASSERT_TRUE(legacy.ok()) << legacy.status().message();
    ASSERT_TRUE(mapped.ok()) << mapped.status().message();
    ASSERT_EQ(legacy.value()->size(), mapped.value()->size());
    EXPECT_EQ(legacy.value()->num_tokens(), mapped.value()->num_tokens());
    std::vector<int32_t> a, b;
    for (int64_t i = 0; i < mapped.value()->size(); ++i) {
      legacy.value()->read(i, &a);
      mapped.value()->read(i, &b);
      EXPECT_EQ(a, b);
    }
  }
}

TEST_F(PreprocessTest, ReportsWhatItDid) {
  int files = 0;
  const PreprocessReport report = preprocess(options(kData + "valid"), [&](const auto&, const auto&, int64_t bytes) {
    EXPECT_GT(bytes, 0);
    ++files;
    return BytesDone();
  });
  EXPECT_EQ(files, 6);  // two counted, four binarized
  ASSERT_EQ(report.dictionaries.size(), 2u);
  EXPECT_EQ(report.dictionaries[0].size, 56);
  ASSERT_EQ(report.datasets.size(), 4u);
  const auto& valid = report.datasets[1];
  EXPECT_EQ(valid.input, kData + "valid.en");
  EXPECT_EQ(valid.prefix, path("out/valid.en-de.en"));
  EXPECT_EQ(valid.summary.num_sentences, 2);
  EXPECT_EQ(valid.summary.num_tokens, 15);
  EXPECT_EQ(valid.summary.num_replaced, 2);  // fairseq: 13.3 %
}

TEST_F(PreprocessTest, UsesGivenDictionariesInAFolderThatExists) {
  std::filesystem::create_directories(path("out"));
  write("out/notes.txt", "mine");
  PreprocessOptions o = options();
  o.srcdict = kData + "separate/dict.en.txt";
  o.tgtdict = kData + "separate/dict.de.txt";
  preprocess(o);
  EXPECT_EQ(read_file(path("out/notes.txt")), "mine");
  EXPECT_EQ(names_in(path("out")).size(), 7u);
  EXPECT_EQ(read_file(path("out/train.en-de.de.bin")), read_file(kData + "separate/train.en-de.de.bin"));
  preprocess(o);  // again over its own files
  EXPECT_EQ(names_in(path("out")).size(), 7u);
}

TEST_F(PreprocessTest, WritesDictionariesAlone) {
  PreprocessOptions o = options();
  o.dict_only = true;
  preprocess(o);
  EXPECT_EQ(names_in(path("out")), (std::set<std::string>{"dict.de.txt", "dict.en.txt"}));
}

TEST_F(PreprocessTest, DoesNotReplaceADictionary) {
  std::filesystem::create_directories(path("out"));
  write("out/dict.de.txt", "old 1\n");
  EXPECT_NE(refused<Error>(options()).find("out/dict.de.txt exists"), std::string::npos);
  EXPECT_EQ(names_in(path("out")), std::set<std::string>{"dict.de.txt"});
}

TEST_F(PreprocessTest, LeavesNothingBehindWhenItFails) {
  write("bad.en", "fine\nbroken \xC3\n");
  write("bad.de", "fine\nfine\n");
  PreprocessOptions o = options(path("bad"));
  EXPECT_NE(refused<Error>(o).find("bad.en:2: expected UTF-8"), std::string::npos);
  EXPECT_EQ(names_in(folder_.string()), (std::set<std::string>{"bad.de", "bad.en"}));
  std::filesystem::create_directories(path("out"));
  EXPECT_NE(refused<Error>(o), "");
  EXPECT_TRUE(names_in(path("out")).empty());
}

TEST_F(PreprocessTest, RefusesContradictions) {
  PreprocessOptions o = options();
  o.target_lang = "";
  EXPECT_NE(refused<UsageError>(o).find("--target-lang"), std::string::npos);
  o.target_lang = "en";
  EXPECT_NE(refused<UsageError>(o).find("same names"), std::string::npos);
  o = options();
  o.trainpref = "";
  EXPECT_NE(refused<UsageError>(o).find("--trainpref is required without --srcdict"), std::string::npos);
  o.srcdict = kData + "separate/dict.en.txt";
  EXPECT_NE(refused<UsageError>(o).find("--trainpref is required without --tgtdict"), std::string::npos);
  o.tgtdict = o.srcdict;
  EXPECT_NE(refused<UsageError>(o).find("nothing to do"), std::string::npos);
  for (const int64_t size : {0, 3, -2}) {
    PreprocessOptions small = options(kData + "valid");
    small.nwords_target = size;
    EXPECT_NE(refused<UsageError>(small).find("--nwordstgt: expected -1 (no limit) or at least the 4 specials"),
              std::string::npos);
  }
  o.joined_dictionary = true;
  EXPECT_NE(refused<UsageError>(o).find("not both"), std::string::npos);
  o = options(path("absent"));
  EXPECT_NE(refused<Error>(o).find("absent.en: no such file (--validpref)"), std::string::npos);
  o.validpref = "";
  o.destdir = write("file", "");
  EXPECT_NE(refused<Error>(o).find("expected a folder"), std::string::npos);
  EXPECT_EQ(names_in(folder_.string()), std::set<std::string>{"file"});
}

}  // namespace
}  // namespace litenat::data
