#include "data/indexed_dataset.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "base/random.h"
#include "data/temporary_folder_test.h"

namespace litenat::data {
namespace {

using Sentences = std::vector<std::vector<int32_t>>;

template <typename T>
void append(T value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <typename T>
std::string pack(const Sentences& sentences, int shift = 0) {
  std::string data;
  for (const auto& sentence : sentences)
    for (const int32_t id : sentence) append(static_cast<T>(id + shift), &data);
  return data;
}

/// The layout written down independently of the writer: magic, version, type, count, sizes, byte offsets.
std::string mapped_index(uint8_t code, int64_t bytes, const Sentences& sentences) {
  std::string index("MMIDIDX\0\0", 9);
  append(uint64_t{1}, &index);
  append(code, &index);
  append(static_cast<uint64_t>(sentences.size()), &index);
  int64_t offset = 0;
  for (const auto& s : sentences) append(static_cast<int32_t>(s.size()), &index);
  for (const auto& s : sentences) {
    append(offset, &index);
    offset += static_cast<int64_t>(s.size()) * bytes;
  }
  return index;
}

std::string legacy_index(int64_t code, int64_t bytes, const Sentences& sentences) {
  std::string index("TNTIDX\0\0", 8);
  const int64_t count = static_cast<int64_t>(sentences.size());
  for (const int64_t word : {int64_t{1}, code, bytes, count, count}) append(word, &index);
  for (int64_t i = 0; i <= count; ++i) append(i, &index);
  int64_t offset = 0;
  append(offset, &index);
  for (const auto& s : sentences) append(offset += static_cast<int64_t>(s.size()), &index);
  for (const auto& s : sentences) append(static_cast<int64_t>(s.size()), &index);
  return index;
}

const Sentences kSentences = {{5, 6, 7, 2}, {2}, {}, {100, 4, 2}};

class IndexedDatasetTest : public TemporaryFolder {
 protected:
  Result<std::shared_ptr<const IndexedDataset>> open(const std::string& index, const std::string& data) const {
    write("d.idx", index);
    write("d.bin", data);
    return IndexedDataset::open(path("d"));
  }
  void expect_sentences(const std::string& index, const std::string& data, const Sentences& sentences) const {
    const auto set = open(index, data);
    ASSERT_TRUE(set.ok()) << set.status().message();
    EXPECT_EQ(read_all(*set.value()), sentences);
  }
  static Sentences read_all(const IndexedDataset& set) {
    Sentences result(static_cast<size_t>(set.size()));
    for (int64_t i = 0; i < set.size(); ++i) {
      set.read(i, &result[static_cast<size_t>(i)]);
      EXPECT_EQ(static_cast<size_t>(set.length(i)), result[static_cast<size_t>(i)].size());
    }
    return result;
  }
  /// Expects a refusal whose message names the file and holds `part`.
  void expect_refused(const std::string& index, const std::string& data, const std::string& part) const {
    const auto set = open(index, data);
    ASSERT_FALSE(set.ok()) << part;
    EXPECT_NE(set.status().message().find(path("d.idx")), std::string::npos) << set.status().message();
    EXPECT_NE(set.status().message().find(part), std::string::npos) << set.status().message();
  }
};

TEST_F(IndexedDatasetTest, ReadsEveryIntegerType) {
  expect_sentences(mapped_index(1, 1, kSentences), pack<uint8_t>(kSentences), kSentences);
  expect_sentences(mapped_index(2, 1, kSentences), pack<int8_t>(kSentences), kSentences);
  expect_sentences(mapped_index(3, 2, kSentences), pack<int16_t>(kSentences), kSentences);
  expect_sentences(mapped_index(4, 4, kSentences), pack<int32_t>(kSentences), kSentences);
  expect_sentences(mapped_index(5, 8, kSentences), pack<int64_t>(kSentences), kSentences);
  expect_sentences(mapped_index(8, 2, kSentences), pack<uint16_t>(kSentences), kSentences);
  expect_sentences(mapped_index(9, 4, kSentences), pack<uint32_t>(kSentences), kSentences);
  expect_sentences(mapped_index(10, 8, kSentences), pack<uint64_t>(kSentences), kSentences);
}

TEST_F(IndexedDatasetTest, ReadsTheLegacyFormatWhoseIdsCountFromOne) {
  expect_sentences(legacy_index(4, 4, kSentences), pack<int32_t>(kSentences, 1), kSentences);
  expect_sentences(legacy_index(1, 1, kSentences), pack<uint8_t>(kSentences, 1), kSentences);
  expect_sentences(legacy_index(5, 8, kSentences), pack<int64_t>(kSentences, 1), kSentences);
  expect_sentences(legacy_index(4, 4, {}), "", {});
}

TEST_F(IndexedDatasetTest, ReadsAnEmptySet) {
  expect_sentences(mapped_index(8, 2, {}), "", {});
  const auto set = open(mapped_index(8, 2, {}), "");
  EXPECT_EQ(set.value()->num_tokens(), 0);
  EXPECT_TRUE(set.value()->lengths().empty());
}

TEST_F(IndexedDatasetTest, ReadsLargeIds) {
  const Sentences large = {{2147483646, 65536, 2}, {65535}};
  expect_sentences(mapped_index(9, 4, large), pack<uint32_t>(large), large);
  expect_sentences(mapped_index(10, 8, large), pack<uint64_t>(large), large);
  const auto set = open(mapped_index(9, 4, large), pack<uint32_t>(large));
  EXPECT_EQ(set.value()->num_tokens(), 4);
}

TEST_F(IndexedDatasetTest, ChecksIds) {
  const auto set = open(mapped_index(3, 2, {{1, 2}, {3, -1}}), pack<int16_t>({{1, 2}, {3, -1}}));
  ASSERT_TRUE(set.ok());
  EXPECT_NE(set.value()->check_ids(4).message().find("sentence 1 holds -1, expected a token id from 0 to 3"),
            std::string::npos);
  const auto good = open(mapped_index(8, 2, kSentences), pack<uint16_t>(kSentences));
  EXPECT_TRUE(good.value()->check_ids(101).ok());
  EXPECT_FALSE(good.value()->check_ids(100).ok());
}

TEST_F(IndexedDatasetTest, RefusesWhatIsNoTokenIds) {
  expect_refused("not an index at all", "", "magic");
  expect_refused("", "", "magic");
  expect_refused("MMIDIDX", "", "magic");
  expect_refused(mapped_index(6, 8, kSentences), pack<int64_t>(kSentences), "type code of integers");
  expect_refused(mapped_index(0, 8, kSentences), pack<int64_t>(kSentences), "found 0");
  expect_refused(mapped_index(255, 8, kSentences), pack<int64_t>(kSentences), "found 255");
  expect_refused(mapped_index(9, 4, {{-1}}), pack<int32_t>({{-1}}), "sentence 0 holds 4294967295");
  expect_refused(mapped_index(5, 8, {{-1}}), pack<int64_t>({{-1}}), "sentence 0 holds -1");
  expect_refused(mapped_index(10, 8, {{-1}}), pack<int64_t>({{-1}}), "sentence 0 holds");
  expect_refused(legacy_index(4, 4, kSentences), pack<int32_t>(kSentences, -5), "sentence 0 holds 0");
}

std::string with_word(std::string index, size_t at, uint64_t value) {
  std::memcpy(&index[at], &value, 8);
  return index;
}

TEST_F(IndexedDatasetTest, RefusesLyingHeaders) {
  const std::string index = mapped_index(8, 2, kSentences), data = pack<uint16_t>(kSentences);
  expect_refused(with_word(index, 9, 2), data, "version 1, found 2");
  for (const uint64_t count : {uint64_t{3}, uint64_t{5}, uint64_t{1} << 63, ~uint64_t{0}, (uint64_t{1} << 62) + 4})
    expect_refused(with_word(index, 18, count), data, "the header says " + std::to_string(count));
  for (size_t size = 9; size < index.size(); ++size) expect_refused(index.substr(0, size), data, "bytes");
  expect_refused(index + "x", data, "the header says 4 sentences");
  expect_refused(index, data.substr(1), "outside the data of 15 bytes");
  expect_refused(index, data + "xx", "the data are 18 bytes long");
  const std::string legacy = legacy_index(4, 4, kSentences), legacy_data = pack<int32_t>(kSentences, 1);
  expect_refused(with_word(legacy, 24, 8), legacy_data, "have 4 bytes, the header says 8");
  expect_refused(with_word(legacy, 16, 7), legacy_data, "type code of integers");
  expect_refused(with_word(legacy, 32, ~uint64_t{0}), legacy_data, "one size a sentence");
  expect_refused(with_word(with_word(legacy, 32, uint64_t{1} << 63), 40, uint64_t{1} << 63), legacy_data,
                 "the header says 9223372036854775808");
  for (size_t size = 8; size < legacy.size(); ++size) expect_refused(legacy.substr(0, size), legacy_data, "bytes");
}

TEST_F(IndexedDatasetTest, RefusesLyingTables) {
  const std::string index = mapped_index(8, 2, kSentences), data = pack<uint16_t>(kSentences);
  const size_t sizes = 26, offsets = 26 + 16;
  std::string bad = index;
  const int32_t negative = -1, huge = std::numeric_limits<int32_t>::max();
  std::memcpy(&bad[sizes], &negative, 4);
  expect_refused(bad, data, "sentence 0 has the size -1");
  std::memcpy(&bad[sizes], &huge, 4);
  expect_refused(bad, data, "sentence 0 is 4294967294 bytes from byte 0");
  for (const uint64_t offset : {uint64_t{11}, uint64_t{1} << 40, uint64_t{1} << 63, ~uint64_t{0}})
    expect_refused(with_word(index, offsets + 24, offset), data, "sentence 3 is 6 bytes from byte");
  const std::string legacy = legacy_index(4, 4, kSentences), legacy_data = pack<int32_t>(kSentences, 1);
  const size_t dims = 48, values = dims + 40, lengths = values + 40;
  expect_refused(with_word(legacy, dims + 8, 2), legacy_data, "no list");
  expect_refused(with_word(legacy, values, uint64_t{1} << 61), legacy_data, "begins at value");
  expect_refused(with_word(legacy, values, ~uint64_t{0}), legacy_data, "begins at value -1");
  expect_refused(with_word(legacy, lengths, uint64_t{1} << 32), legacy_data, "has the size 4294967296");
}

TEST_F(IndexedDatasetTest, NamesMissingFiles) {
  const auto none = IndexedDataset::open(path("absent"));
  EXPECT_EQ(none.status().code(), StatusCode::kNotFound);
  write("only.idx", mapped_index(8, 2, kSentences));
  const auto half = IndexedDataset::open(path("only"));
  EXPECT_EQ(half.status().code(), StatusCode::kNotFound);
  EXPECT_NE(half.status().message().find("only.bin"), std::string::npos);
}

/// Whatever a changed index opens as must be readable without leaving the data; a sanitizer build watches.
TEST_F(IndexedDatasetTest, SurvivesMutations) {
  SplitMix64 random(1);
  int refused = 0, accepted = 0;
  for (int round = 0; round < 1500; ++round) {
    const bool legacy = round % 2 == 1;
    std::string index = legacy ? legacy_index(4, 4, kSentences) : mapped_index(8, 2, kSentences);
    std::string data = legacy ? pack<int32_t>(kSentences, 1) : pack<uint16_t>(kSentences);
    for (uint64_t changes = 1 + random.below(3); changes > 0; --changes) {
      std::string& target = random.below(8) == 0 ? data : index;
      constexpr uint8_t kBytes[] = {0, 1, 2, 0x7F, 0x80, 0xFF};
      target[random.below(target.size())] = static_cast<char>(kBytes[random.below(6)]);
    }
    if (random.below(10) == 0) index.resize(random.below(index.size()));
    const auto set = open(index, data);
    set.ok() ? ++accepted : ++refused;
    if (set.ok()) read_all(*set.value());
  }
  EXPECT_GT(refused, 500);
  EXPECT_GT(accepted, 25);
}

class WriterTest : public IndexedDatasetTest {
 protected:
  void expect_written(int64_t vocabulary, uint8_t code, int bytes, const std::string& data) const {
    IndexedDatasetWriter writer(path("w"), vocabulary);
    ASSERT_TRUE(writer.open().ok());
    EXPECT_EQ(writer.token_bytes(), bytes);
    for (const auto& sentence : kSentences) ASSERT_TRUE(writer.add(sentence).ok());
    ASSERT_TRUE(writer.commit().ok());
    EXPECT_EQ(read_file(path("w.idx")), mapped_index(code, bytes, kSentences));
    EXPECT_EQ(read_file(path("w.bin")), data);
    const auto set = IndexedDataset::open(path("w"));
    ASSERT_TRUE(set.ok()) << set.status().message();
    EXPECT_EQ(read_all(*set.value()), kSentences);
  }
};

TEST_F(WriterTest, ChoosesTheTypeByTheVocabulary) {
  expect_written(101, 8, 2, pack<uint16_t>(kSentences));
  expect_written(65499, 8, 2, pack<uint16_t>(kSentences));
  expect_written(65500, 9, 4, pack<uint32_t>(kSentences));
  expect_written(4294967294, 9, 4, pack<uint32_t>(kSentences));
  expect_written(4294967295, 5, 8, pack<int64_t>(kSentences));
}

TEST_F(WriterTest, RefusesIdsOutsideTheVocabulary) {
  IndexedDatasetWriter writer(path("w"), 10);
  ASSERT_TRUE(writer.open().ok());
  for (const int32_t id : {-1, 10})
    EXPECT_EQ(writer.add(std::vector<int32_t>{id}).code(), StatusCode::kInvalidArgument);
}

TEST_F(WriterTest, LeavesNothingWithoutCommit) {
  {
    IndexedDatasetWriter writer(path("w"), 10);
    ASSERT_TRUE(writer.open().ok());
    ASSERT_TRUE(writer.add(std::vector<int32_t>{1, 2}).ok());
  }
  EXPECT_TRUE(names_in(folder_.string()).empty());
  EXPECT_FALSE(IndexedDatasetWriter(path("no/such/folder/w"), 10).open().ok());
}

}  // namespace
}  // namespace litenat::data
