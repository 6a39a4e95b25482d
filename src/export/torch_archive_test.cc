#include "export/torch_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstring>
#include <functional>
#include <limits>

#include "base/error.h"

namespace litenat::export_model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <typename T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}
std::string little(uint64_t value, int size) {
  return bytes_of<uint64_t>({value}).substr(0, static_cast<size_t>(size));
}

/// A pickled integer of 64 bits, a text, a tuple.
std::string integer(int64_t value) { return "\x8a\x08" + little(static_cast<uint64_t>(value), 8); }
std::string text(const std::string& value) { return "X" + little(value.size(), 4) + value; }
std::string tuple(const std::vector<std::string>& items) {
  std::string all = "(";
  for (const std::string& item : items) all += item;
  return all + "t";
}
std::string sizes(const std::vector<int64_t>& values) {
  std::vector<std::string> items;
  for (const int64_t value : values) items.push_back(integer(value));
  return tuple(items);
}

/// What torch.save pickles for one tensor.
struct Saved {
  std::string storage = "FloatStorage";
  std::string key = "0";
  int64_t offset = 0;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;

  std::string pickle() const {
    return "ctorch._utils\n_rebuild_tensor_v2\n" +
           tuple({tuple({text("storage"), "ctorch\n" + storage + "\n", text(key), text("cpu"), integer(1)}) + "Q",
                  integer(offset), sizes(shape), sizes(strides), "\x89", "}"}) +
           "R";
  }
};

/// Stored entries and their directory.
class ZipWriter {
 public:
  void add(const std::string& name, const std::string& data, int method = 0) {
    const uint64_t crc = crc32(0, reinterpret_cast<const Bytef*>(data.data()), static_cast<uInt>(data.size()));
    const std::string common = little(static_cast<uint64_t>(method), 2) + little(0, 4) + little(crc, 4) +
                               little(data.size(), 4) + little(data.size(), 4) + little(name.size(), 2) + little(0, 2);
    directory_ += "PK\x01\x02" + little(0, 6) + common + std::string(10, '\0') + little(data_.size(), 4) + name;
    data_ += "PK\x03\x04" + little(0, 4) + common + name + data;
    ++count_;
  }
  /// As `finish`, with every size and offset in zip64's fields, as in archives beyond 4 GiB.
  static std::string wide(const std::string& name, const std::string& data) {
    const uint64_t crc = crc32(0, reinterpret_cast<const Bytef*>(data.data()), static_cast<uInt>(data.size()));
    const std::string start =
        little(0, 6) + little(crc, 4) + little(0xffffffff, 4) + little(0xffffffff, 4) + little(name.size(), 2);
    const std::string local = "PK\x03\x04" + little(0, 4) + start + little(0, 2) + name + data;
    const std::string field = little(0x5455, 2) + little(1, 2) + "x" + little(1, 2) + little(24, 2) +
                              little(data.size(), 8) + little(data.size(), 8) + little(0, 8);
    const std::string entry = "PK\x01\x02" + little(0, 6) + start + little(field.size(), 2) + std::string(10, '\0') +
                              little(0xffffffff, 4) + name + field;
    const std::string end = "PK\x06\x06" + little(44, 8) + little(0, 4) + little(0, 8) + little(1, 8) + little(1, 8) +
                            little(entry.size(), 8) + little(local.size(), 8);
    return local + entry + end + "PK\x06\x07" + little(0, 4) + little(local.size() + entry.size(), 8) + little(1, 4) +
           "PK\x05\x06" + little(0, 4) + std::string(12, '\xff') + little(0, 2);
  }
  std::string finish() const {
    return data_ + directory_ + "PK\x05\x06" + little(0, 4) + little(count_, 2) + little(count_, 2) +
           little(directory_.size(), 4) + little(data_.size(), 4) + little(0, 2);
  }

 private:
  std::string data_;
  std::string directory_;
  uint64_t count_ = 0;
};

std::string archive_of(const Saved& saved, const std::string& storage, const std::string& order = "little") {
  ZipWriter zip;
  zip.add("x/data.pkl", "\x80\x02" + saved.pickle() + ".");
  zip.add("x/byteorder", order);
  zip.add("x/data/" + saved.key, storage);
  return zip.finish();
}

TorchArchive open(const std::string& bytes) {
  const auto owner = std::make_shared<const std::string>(bytes);
  return TorchArchive::from_memory({reinterpret_cast<const uint8_t*>(owner->data()), owner->size()}, owner, "file");
}
TorchTensor tensor_of(const TorchArchive& archive) { return *archive.tensor(archive.pickle().root(), "t"); }
std::vector<float> values_of(const std::string& bytes) { return tensor_of(open(bytes)).to_floats(); }

std::string error_of(const std::string& bytes) {
  try {
    values_of(bytes);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

const std::vector<float> kSix = {0, 1, 2, 3, 4, 5};

TEST(TorchArchive, ReadsStridedViews) {
  const std::string storage = bytes_of(kSix);
  const TorchArchive whole = open(archive_of({"FloatStorage", "0", 0, {2, 3}, {3, 1}}, storage));
  EXPECT_EQ(tensor_of(whole).to_floats(), kSix);
  EXPECT_TRUE(tensor_of(whole).is_contiguous());
  const TorchArchive transposed = open(archive_of({"FloatStorage", "0", 0, {3, 2}, {1, 3}}, storage));
  EXPECT_THAT(tensor_of(transposed).to_floats(), ElementsAre(0, 3, 1, 4, 2, 5));
  EXPECT_FALSE(tensor_of(transposed).is_contiguous());
  EXPECT_THAT(values_of(archive_of({"FloatStorage", "0", 2, {2}, {3}}, storage)), ElementsAre(2, 5));
  EXPECT_THAT(values_of(archive_of({"FloatStorage", "0", 1, {2, 2}, {0, 1}}, storage)), ElementsAre(1, 2, 1, 2));
  EXPECT_THAT(values_of(archive_of({"FloatStorage", "0", 5, {}, {}}, storage)), ElementsAre(5));
  EXPECT_THAT(values_of(archive_of({"FloatStorage", "0", 6, {0, 9}, {9, 1}}, storage)), ElementsAre());
  constexpr int64_t kLargest = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(values_of(archive_of({"FloatStorage", "0", 0, {1, 6, 1}, {kLargest, 1, kLargest}}, storage)), kSix);
}

TEST(TorchArchive, ConvertsEveryType) {
  const auto values = [](const std::string& storage, const std::string& bytes) {
    return values_of(archive_of({storage, "0", 0, {3}, {1}}, bytes));
  };
  EXPECT_THAT(values("DoubleStorage", bytes_of<double>({1.5, -2, 1e9})), ElementsAre(1.5f, -2.0f, 1e9f));
  EXPECT_THAT(values("HalfStorage", bytes_of<uint16_t>({0x3e00, 0xc000, 0x0001})),
              ElementsAre(1.5f, -2.0f, 5.9604644775390625e-8f));
  EXPECT_THAT(values("HalfStorage", bytes_of<uint16_t>({0x7bff, 0x8000, 0x7c00})),
              ElementsAre(65504.0f, -0.0f, std::numeric_limits<float>::infinity()));
  EXPECT_THAT(values("BFloat16Storage", bytes_of<uint16_t>({0x3fc0, 0xc000, 0x4e6e})),
              ElementsAre(1.5f, -2.0f, 998244352.0f));
  EXPECT_THAT(values("LongStorage", bytes_of<int64_t>({1, -2, 1 << 20})), ElementsAre(1, -2, 1 << 20));
  EXPECT_THAT(values("IntStorage", bytes_of<int32_t>({1, -2, 1 << 20})), ElementsAre(1, -2, 1 << 20));
  EXPECT_THAT(values("ShortStorage", bytes_of<int16_t>({1, -2, 300})), ElementsAre(1, -2, 300));
  EXPECT_THAT(values("CharStorage", bytes_of<int8_t>({1, -2, 3})), ElementsAre(1, -2, 3));
  EXPECT_THAT(values("ByteStorage", bytes_of<uint8_t>({1, 254, 3})), ElementsAre(1, 254, 3));
  EXPECT_THAT(values("BoolStorage", bytes_of<uint8_t>({1, 0, 1})), ElementsAre(1, 0, 1));
}

TEST(TorchArchive, KeepsTensorsInsideTheirStorage) {
  const std::string storage = bytes_of(kSix);
  const auto error = [&](int64_t offset, const std::vector<int64_t>& shape, const std::vector<int64_t>& strides) {
    return error_of(archive_of({"FloatStorage", "0", offset, shape, strides}, storage));
  };
  constexpr int64_t kLargest = std::numeric_limits<int64_t>::max();
  const auto outside = HasSubstr("file: tensor t: reaches outside the");
  EXPECT_THAT(error(0, {7}, {1}), outside);
  EXPECT_THAT(error(1, {6}, {1}), outside);
  EXPECT_THAT(error(0, {2, 3}, {4, 1}), outside);
  EXPECT_THAT(error(0, {int64_t{1} << 32, int64_t{1} << 32}, {0, 0}), outside);
  EXPECT_THAT(error(0, {kLargest}, {0}), outside);
  EXPECT_THAT(error(0, {2}, {kLargest}), outside);
  EXPECT_THAT(error(0, {3, 2}, {kLargest, 1}), outside);
  EXPECT_THAT(error(6, {1}, {1}), outside);
  EXPECT_THAT(error(7, {0}, {1}), HasSubstr("begins outside the 6 elements"));
  EXPECT_THAT(error(-1, {1}, {1}), HasSubstr("begins outside"));
  EXPECT_THAT(error(0, {-1}, {1}), HasSubstr("numbers from 0 on"));
  EXPECT_THAT(error(0, {2}, {-1}), HasSubstr("numbers from 0 on"));
  EXPECT_THAT(error(0, {2}, {1, 1}), HasSubstr("a stride for each of its 1 dimensions, found 2"));
  EXPECT_THAT(error(0, std::vector<int64_t>(17, 1), std::vector<int64_t>(17, 1)), HasSubstr("17 dimensions"));
}

TEST(TorchArchive, NamesWhatIsWrong) {
  const std::string good = archive_of({"FloatStorage", "0", 0, {6}, {1}}, bytes_of(kSix));
  EXPECT_THAT(error_of(archive_of({"QInt8Storage", "0", 0, {6}, {1}}, bytes_of(kSix))), HasSubstr("type QInt8Storage"));
  EXPECT_THAT(error_of(archive_of({"FloatStorage", "0", 0, {6}, {1}}, bytes_of(kSix), "big")), HasSubstr("big-endian"));
  EXPECT_THAT(error_of("text"), HasSubstr("is no file of torch.save"));
  EXPECT_THAT(error_of(""), HasSubstr("is no file of torch.save"));
  EXPECT_THAT(error_of("\x80\x02N."), HasSubstr("magic number"));
  std::string damaged = good;
  damaged[good.find(bytes_of<float>({1, 2})) + 2] = 'x';
  EXPECT_THAT(error_of(damaged), HasSubstr("entry x/data/0 has the checksum"));
  ZipWriter compressed;
  compressed.add("x/data.pkl", "", 8);
  EXPECT_THAT(error_of(compressed.finish()), HasSubstr("entry x/data.pkl is compressed"));
  ZipWriter twice;
  twice.add("x/data.pkl", "N.");
  twice.add("x/data.pkl", "N.");
  EXPECT_THAT(error_of(twice.finish()), HasSubstr("two entries"));
  ZipWriter other;
  other.add("word/document.xml", "");
  EXPECT_THAT(error_of(other.finish()), HasSubstr("no entry data.pkl"));
}

TEST(TorchArchive, ReadsSizesOf64Bits) {
  const std::string bytes = ZipWriter::wide("x/data.pkl", "\x80\x02K\x07.");
  const TorchArchive archive = open(bytes);
  EXPECT_EQ(archive.pickle()[archive.pickle().root()].integer, 7);
  std::string short_field = bytes;
  short_field[bytes.find(little(24, 2) + little(5, 8))] = 8;  // bytes of the zip64 field
  EXPECT_THAT(error_of(short_field), HasSubstr("no 64-bit size"));
  for (size_t size = 0; size < bytes.size(); ++size) EXPECT_NE(error_of(bytes.substr(0, size)), "no error") << size;
}

TEST(TorchArchive, SurvivesEveryTruncationAndEveryDamagedByte) {
  const std::string good = archive_of({"FloatStorage", "0", 0, {2, 3}, {3, 1}}, bytes_of(kSix));
  for (size_t size = 0; size < good.size(); ++size) EXPECT_NE(error_of(good.substr(0, size)), "no error") << size;
  int refused = 0;
  for (size_t at = 0; at < good.size(); ++at)
    for (int value = 0; value < 256; value += 3) {
      std::string bad = good;
      bad[at] = static_cast<char>(value);
      refused += error_of(bad) != "no error" ? 1 : 0;
    }
  EXPECT_GT(refused, static_cast<int>(good.size()) * 40);
}

}  // namespace
}  // namespace litenat::export_model
