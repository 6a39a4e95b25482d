#include "data/corpus_ime.h"

#include <bzlib.h>
#include <gtest/gtest.h>
#include <lzma.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/random.h"
#include "base/utf8.h"
#include "data/corpus_split.h"

namespace litenat::data {
namespace {

namespace fs = std::filesystem;

// Hanzi and readings of the tests' own dictionary.
constexpr const char* kPhrases =
    "..."
    "\n我\two\t900\n你\tni\t900\n好\thao\t900\n中\tzhong\t900\n国\tguo\t900\n人\tren\t900\n是\tshi\t900\n行\txing\t900"
    "\n"
    "银\tyin\t900\n天\ttian\t900\n地\tdi\t900\n大\tda\t900\n小\txiao\t900\n银行\tyin hang\t9\n中国\tzhong guo\t9\n";
constexpr const char* kReadings = "U+6C34: shu\u01D0\n";  // 水

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> lines_of(const fs::path& path) {
  std::istringstream text(read_file(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

std::string gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string xz(const std::string& text) {
  std::string out(text.size() * 2 + 1024, '\0');
  size_t size = 0;
  lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, nullptr, reinterpret_cast<const uint8_t*>(text.data()), text.size(),
                          reinterpret_cast<uint8_t*>(out.data()), &size, out.size());
  out.resize(size);
  return out;
}

std::string bzip2(std::string text) {
  std::string out(text.size() * 2 + 1024, '\0');
  auto size = static_cast<unsigned>(out.size());
  BZ2_bzBuffToBuffCompress(out.data(), &size, text.data(), static_cast<unsigned>(text.size()), 1, 0, 0);
  out.resize(size);
  return out;
}

class CorpusIme : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "litenat_corpus_XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    fs::create_directory(folder_ / "in");
    options_.output = (folder_ / "out").string();
    options_.phrases = {write("phrases.yaml", kPhrases)};
    options_.readings = {write("readings.txt", kReadings)};
    options_.valid_clauses = options_.test_clauses = 0;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& content) {
    const fs::path path = folder_ / name;
    std::ofstream(path, std::ios::binary) << content;
    return path.string();
  }
  CorpusImeSummary make() {
    if (options_.inputs.empty()) options_.inputs = {(folder_ / "in").string()};
    return make_ime_corpus(options_, nullptr);
  }
  std::vector<std::string> output_lines(const std::string& name) { return lines_of(folder_ / "out" / name); }
  std::map<std::string, std::string> output_files() {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(folder_ / "out"))
      files[entry.path().filename().string()] = read_file(entry.path());
    return files;
  }
  // Clauses of the tests' hanzi, many of them equal.
  std::string random_text(uint64_t seed, int clauses) {
    static const std::vector<std::string_view> kHanzi = split_characters("我你好中国人是行银天地大小水");
    SplitMix64 random(seed);
    std::string text;
    for (int i = 0; i < clauses; ++i) {
      for (uint64_t j = 0, n = 1 + random.below(5); j < n; ++j) text += kHanzi[random.below(kHanzi.size())];
      text += i % 7 == 0 ? "\n" : i % 3 == 0 ? "\u3002" : "<br>";
    }
    return text;
  }

  fs::path folder_;
  CorpusImeOptions options_;
};

TEST_F(CorpusIme, SplitsAtEverythingElse) {
  write("in/a.html", "<p>你好，中国人&#x662F;&#20013;国</p>人a大小\u3000银行 x&#65;我你&nbsp;天地&#x4F60\n是");
  const CorpusImeSummary summary = make();
  EXPECT_EQ(output_lines("train.hanzi"),
            (std::vector<std::string>{"你 好", "中 国 人 是 中 国", "大 小", "银 行", "我 你", "天 地"}));
  EXPECT_EQ(output_lines("train.pinyin"), (std::vector<std::string>{"ni hao", "zhong guo ren shi zhong guo", "da xiao",
                                                                    "yin hang", "wo ni", "tian de"}));
  EXPECT_EQ(summary.clauses.too_short, 2);
  EXPECT_EQ(summary.train.hanzi, 16);
  EXPECT_EQ(summary.text.hanzi, 18);
}

TEST_F(CorpusIme, DropsClausesWithoutReadingAndCopies) {
  write("in/a", "你好。你好。你好。你好。龘好。水大。水大");
  const CorpusImeSummary summary = make();
  EXPECT_EQ(output_lines("train.hanzi"), (std::vector<std::string>{"你 好", "你 好", "你 好", "水 大", "水 大"}));
  EXPECT_EQ(summary.duplicates, 1);
  EXPECT_EQ(summary.clauses.without_reading, 1);
  options_.max_copies = 1;
  make();
  EXPECT_EQ(output_lines("train.hanzi"), (std::vector<std::string>{"你 好", "水 大"}));
  options_.max_copies = 0;
  EXPECT_EQ(make().duplicates, 0);
}

TEST_F(CorpusIme, CutsLongRunsBetweenWords) {
  options_.max_length = 4;
  write("in/a", "我是中国人银行大");
  EXPECT_EQ(make().clauses.cut_runs, 1);
  EXPECT_EQ(output_lines("train.hanzi"), (std::vector<std::string>{"我 是 中 国", "人 银 行 大"}));
  options_.max_length = 3;
  make();
  EXPECT_EQ(output_lines("train.hanzi"), (std::vector<std::string>{"我 是", "中 国 人", "银 行 大"}));
  options_.max_length = 1;
  options_.min_length = 1;
  make();
  EXPECT_EQ(output_lines("train.hanzi").size(), 8u);
}

TEST_F(CorpusIme, ReadsEveryKindOfFile) {
  write("in/1.txt", "你好\n");
  write("in/2.gz", gzip("我是\n") + gzip("大人\n"));
  write("in/3.xz", xz("中国\n"));
  write("in/4.bz2", bzip2("银行\n") + bzip2("大小\n"));
  write("in/5.txt", "");
  fs::create_directories(folder_ / "in/zh_TW");
  write("in/zh_TW/6.txt", "天地\n");
  fs::create_symlink("1.txt", folder_ / "in/link.txt");
  options_.exclude = {"zh_TW"};
  const CorpusImeSummary summary = make();
  EXPECT_EQ(output_lines("train.hanzi"),
            (std::vector<std::string>{"你 好", "我 是", "大 人", "中 国", "银 行", "大 小"}));
  EXPECT_EQ(summary.input.documents, 5);
  EXPECT_EQ(summary.input.empty, 1);
}

TEST_F(CorpusIme, ConvertsTraditionalText) {
  options_.opencc = "t2s";
  write("in/a", "中國，銀行，你好");
  make();
  EXPECT_EQ(output_lines("train.hanzi"), (std::vector<std::string>{"中 国", "银 行", "你 好"}));
  options_.opencc = "no such conversion";
  EXPECT_THROW(make(), Error);
}

TEST_F(CorpusIme, SurvivesBrokenBytes) {
  write("in/a", std::string("你好\xFF我是\xE4\xBD\n大小\0中国\xC0\x80人是\xED\xA0\x80银行\xF5", 47));
  const CorpusImeSummary summary = make();
  EXPECT_EQ(output_lines("train.hanzi"),
            (std::vector<std::string>{"你 好", "我 是", "大 小", "中 国", "人 是", "银 行"}));
  EXPECT_EQ(summary.text.nulls, 1);
  EXPECT_EQ(summary.text.invalid_bytes, 1 + 2 + 2 + 3 + 1);
}

TEST_F(CorpusIme, LeavesOutBlocksThatAreNoText) {
  std::string noise;
  SplitMix64 random(3);
  for (int i = 0; i < 100000; ++i) noise.push_back(static_cast<char>(random.next()));
  write("in/a.png", noise + "你好" + noise);
  write("in/b.txt", "我是");
  const CorpusImeSummary summary = make();
  EXPECT_EQ(output_lines("train.hanzi"), (std::vector<std::string>{"我 是"}));
  EXPECT_EQ(summary.clauses.not_text_blocks, 1);
}

TEST_F(CorpusIme, ReadsLongLinesInPieces) {
  std::string line;
  for (int i = 0; i < 1000000; ++i) line += "我是";
  write("in/a", line + "\n你好\n" + std::string(3000000, ' ') + "大小");
  options_.max_copies = 0;
  const CorpusImeSummary summary = make();
  EXPECT_EQ(summary.input.long_lines, 2);
  EXPECT_EQ(summary.text.hanzi, 2000004);
  EXPECT_EQ(summary.train.hanzi, 2000004);
  EXPECT_EQ(output_lines("train.hanzi").back(), "大 小");
}

TEST_F(CorpusIme, KeepsWhatACutArchiveHolds) {
  const std::string text = random_text(1, 60000);
  for (const std::string& whole : {gzip(text), xz(text), bzip2(text)}) {
    write("in/a", whole.substr(0, whole.size() / 2));
    const CorpusImeSummary summary = make();
    EXPECT_EQ(summary.input.cut, 1);
    EXPECT_GT(summary.train.clauses, 1000);
    EXPECT_LT(summary.input.bytes, static_cast<int64_t>(text.size()));
  }
  std::string damaged = gzip(text);
  for (size_t i = damaged.size() / 2; i < damaged.size() / 2 + 50; ++i) damaged[i] = '\x55';
  write("in/a", damaged);
  EXPECT_EQ(make().input.cut, 1);
}

TEST_F(CorpusIme, BadInputsAreErrors) {
  options_.inputs = {(folder_ / "nothing").string()};
  EXPECT_THROW(make(), Error);
  options_.inputs = {write("in/empty", "")};
  EXPECT_THROW(make(), Error);
  options_.inputs = {write("in/latin", "hello world")};
  EXPECT_THROW(make(), Error);
  EXPECT_FALSE(fs::exists(folder_ / "out"));
  options_.inputs = {write("in/good", "你好")};
  options_.min_length = 30;
  EXPECT_THROW(make(), Error);
  options_.min_length = 2;
  options_.cut = 1.5;
  EXPECT_THROW(make(), Error);
  options_.cut = 0.3;
  options_.phrases = {(folder_ / "nothing").string()};
  EXPECT_THROW(make(), Error);
  options_.phrases = {(folder_ / "phrases.yaml").string()};
  options_.output = write("file", "x");
  EXPECT_THROW(make(), Error);
}

TEST_F(CorpusIme, UnreadableFilesOfFoldersAreCounted) {
  ::chmod(write("in/a", "你好").c_str(), 0);
  write("in/b", "我是");
  const bool is_root = ::geteuid() == 0;  // who may read everything: be nobody meanwhile
  fs::permissions(folder_, fs::perms::all);
  if (is_root) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  const int64_t unreadable = make().input.unreadable;
  options_.inputs = {(folder_ / "in/a").string()};
  EXPECT_THROW(make(), Error);
  if (is_root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  EXPECT_EQ(unreadable, 1);
}

TEST_F(CorpusIme, InterruptedLeavesNothing) {
  write("in/a", "你好");
  interrupt_flag() = 2;
  EXPECT_THROW(make(), Interrupted);
  interrupt_flag() = 0;
  EXPECT_FALSE(fs::exists(folder_ / "out"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator{}), 3);
}

TEST_F(CorpusIme, SameOutputForEveryNumberOfThreads) {
  for (int i = 0; i < 3; ++i) write("in/" + std::to_string(i), random_text(static_cast<uint64_t>(i), 110000));
  options_.valid_clauses = 300;
  options_.test_clauses = 200;
  options_.key_files = true;
  make();
  const auto expected = output_files();
  EXPECT_EQ(expected.size(), 3u * 2 + 3 * 5 + 2 * 5 + 1);
  for (const int threads : {2, 5}) {
    options_.threads = threads;
    fs::remove_all(folder_ / "out");
    make();
    EXPECT_TRUE(output_files() == expected) << threads << " threads";
  }
  options_.seed = 2;
  make();
  EXPECT_NE(output_files()["test.hanzi"], expected.at("test.hanzi"));
}

TEST_F(CorpusIme, NoHeldOutClauseOccursInTraining) {
  write("in/a", random_text(5, 50000));
  options_.valid_clauses = 500;
  options_.test_clauses = 400;
  const CorpusImeSummary summary = make();
  const auto train = output_lines("train.hanzi"), valid = output_lines("valid.hanzi"),
             test = output_lines("test.hanzi");
  EXPECT_EQ(valid.size(), 500u);
  EXPECT_EQ(test.size(), 400u);
  const std::set<std::string> trained(train.begin(), train.end());
  std::set<std::string> held_out;
  for (const auto* subset : {&valid, &test})
    for (const std::string& clause : *subset) {
      EXPECT_EQ(trained.count(clause), 0u) << clause;
      EXPECT_TRUE(held_out.insert(clause).second) << clause;
    }
  std::map<std::string, int> copies;
  for (const std::string& clause : train) EXPECT_LE(++copies[clause], 3);
  EXPECT_EQ(summary.train.clauses, static_cast<int64_t>(train.size()));
  const int64_t runs = summary.clauses.runs - summary.clauses.too_short - summary.duplicates;
  EXPECT_EQ(runs, summary.train.clauses + summary.valid.clauses + summary.test.clauses);
}

TEST_F(CorpusIme, SmallTextsHoldOutATenth) {
  write("in/a", random_text(6, 60));
  options_.valid_clauses = options_.test_clauses = 1000;
  options_.max_copies = 1;
  const CorpusImeSummary summary = make();
  const int64_t total = summary.train.clauses + summary.valid.clauses + summary.test.clauses;
  EXPECT_EQ(summary.valid.clauses, total / 10);
  EXPECT_EQ(summary.test.clauses, total / 10);
}

TEST_F(CorpusIme, KeysOfEveryMode) {
  write("in/a", random_text(7, 3000));
  options_.test_clauses = 50;
  options_.key_files = true;
  options_.keys = {KeyMode::kFull, KeyMode::kInitials, KeyMode::kNineKeyInitials};
  make();
  const auto pinyin = output_lines("test.pinyin"), hanzi = output_lines("test.hanzi");
  const auto full = output_lines("test.full.tsv"), nine = output_lines("test.9key_initials.tsv");
  const auto units = output_lines("test.initials");
  ASSERT_EQ(pinyin.size(), 50u);
  ASSERT_EQ(full.size(), 50u);
  for (size_t i = 0; i < pinyin.size(); ++i) {
    const auto strip = [](std::string text) {
      text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
      return text;
    };
    EXPECT_EQ(full[i], strip(pinyin[i]) + "\t" + strip(hanzi[i]));
    std::istringstream syllables(pinyin[i]), tokens(units[i]);
    std::string digits;
    for (std::string syllable, token; syllables >> syllable;) {
      ASSERT_TRUE(tokens >> token);
      const std::string initial(text::syllable_initial(text::find_syllable(syllable)));
      EXPECT_EQ(text::unit_name(text::find_unit_token(token)), initial);
      EXPECT_EQ(text::unit_kind(text::find_unit_token(token)), text::UnitKind::kInitial);
      for (const char letter : initial) digits.push_back(text::nine_key_digit(letter));
    }
    EXPECT_EQ(nine[i], digits + "\t" + strip(hanzi[i]));
  }
  EXPECT_EQ(output_lines("train.full").size(), output_lines("train.hanzi").size());
  EXPECT_EQ(Json::parse(read_file(folder_ / "out/summary.json")).value().find("test")->find("clauses")->integer(), 50);
}

TEST(CopyCounter, CountsWhatAMapCounts) {
  CopyCounter counter;
  std::map<uint64_t, int> expected;
  SplitMix64 random(1);
  for (int i = 0; i < 300000; ++i) {
    const uint64_t hash = SplitMix64(random.below(100000)).next();
    EXPECT_EQ(counter.add(hash), std::min(expected[hash]++, CopyCounter::kMaxCopies));
  }
  EXPECT_EQ(counter.size(), expected.size());
}

TEST(HeldOutSample, KeepsTheSmallestInAnyOrder) {
  std::vector<uint64_t> priorities;
  for (uint64_t i = 0; i < 1000; ++i) priorities.push_back(SplitMix64(i).next());
  std::vector<uint64_t> sorted = priorities;
  std::sort(sorted.begin(), sorted.end());
  HeldOutSample sample(1, 20);
  int evictions = 0;
  for (int round = 0; round < 2; ++round)
    for (const uint64_t priority : priorities) {
      HeldOutClause evicted;
      if (sample.wants(priority)) evictions += sample.add(priority, {}, &evicted) ? 1 : 0;
    }
  std::vector<HeldOutClause> rest;
  const auto kept = sample.take(15, &rest);
  ASSERT_EQ(kept.size(), 15u);
  EXPECT_EQ(rest.size(), 5u);
  EXPECT_GT(evictions, 0);
  for (size_t i = 0; i < kept.size(); ++i) {
    EXPECT_EQ(kept[i].priority, sorted[i]);
    EXPECT_EQ(kept[i].copies, 2);
  }
}

}  // namespace
}  // namespace litenat::data
