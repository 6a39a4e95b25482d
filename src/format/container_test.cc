#include "format/container.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/json.h"
#include "base/random.h"

namespace litenat::format {
namespace {

/// A file name in the test's own temporary folder, removed at the end.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& name)
      : path_(testing::TempDir() + "litenat." + std::to_string(getpid()) + "." + name) {}
  ~TemporaryFile() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::vector<uint8_t> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A copy of exactly these bytes on the heap, so that AddressSanitizer sees any read beyond them.
Result<std::shared_ptr<const Container>> open_bytes(const std::vector<uint8_t>& bytes) {
  std::shared_ptr<uint8_t[]> copy(new uint8_t[bytes.size()]);
  if (!bytes.empty()) std::memcpy(copy.get(), bytes.data(), bytes.size());
  return Container::from_memory({copy.get(), bytes.size()}, copy, "test");
}

std::vector<uint8_t> file_of(const std::string& header, const std::string& data) {
  std::vector<uint8_t> bytes(8);
  for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<uint8_t>(static_cast<uint64_t>(header.size()) >> (8 * i));
  bytes.insert(bytes.end(), header.begin(), header.end());
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

/// The error of a file with this header (padded to 8 bytes) and `size` bytes of data.
std::string error_of(std::string header, size_t size) {
  header.resize((header.size() + 7) / 8 * 8, ' ');
  return open_bytes(file_of(header, std::string(size, 'x'))).status().message();
}

std::vector<uint8_t> sample_file() {
  const TemporaryFile file("sample");
  ContainerWriter writer;
  const float values[] = {1.5f, -2.0f, 0.0f, 3.0f, 4.0f, 5.0f};
  const int8_t small[] = {1, -2, 3};
  writer.add_copy("a.weight", TensorType::kF32, {2, 3}, values, sizeof(values));
  writer.add_copy("b", TensorType::kI8, {3}, small, sizeof(small));
  writer.add_copy("empty", TensorType::kI64, {0, 7}, nullptr, 0);
  writer.add_copy("scalar", TensorType::kF32, {}, values, 4);
  writer.set_metadata("litenat.spec", "{\"dim\": 3}");
  writer.set_metadata("名", "值\n");
  EXPECT_TRUE(writer.write(file.path()).ok());
  return read_file(file.path());
}

TEST(Container, ReadsWhatItWrote) {
  auto opened = open_bytes(sample_file());
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  const Container& container = *opened.value();
  EXPECT_EQ(container.tensors().size(), 4u);
  auto weight = container.get("a.weight", TensorType::kF32, {2, -1});
  ASSERT_TRUE(weight.ok()) << weight.status().message();
  EXPECT_EQ(weight->num_elements(), 6);
  EXPECT_EQ(weight->data<float>()[1], -2.0f);
  EXPECT_EQ(container.find("b")->data<int8_t>()[1], -2);
  EXPECT_EQ(container.find("empty")->num_elements(), 0);
  EXPECT_EQ(container.find("scalar")->num_elements(), 1);
  EXPECT_EQ(*container.metadata("litenat.spec"), "{\"dim\": 3}");
  EXPECT_EQ(*container.metadata("名"), "值\n");
  EXPECT_EQ(container.metadata("none"), nullptr);
}

TEST(Container, TensorsBeginOnMultiplesOf64Bytes) {
  const std::vector<uint8_t> bytes = sample_file();
  auto opened = Container::from_memory({bytes.data(), bytes.size()}, nullptr, "test");
  ASSERT_TRUE(opened.ok());
  for (const auto& [name, tensor] : opened.value()->tensors())
    EXPECT_EQ((tensor.bytes.data() - bytes.data()) % 64, 0) << name;
}

TEST(Container, OpensMappedFiles) {
  const TemporaryFile file("mapped");
  ContainerWriter writer;
  const float value = 2.5f;
  writer.add_copy("x", TensorType::kF32, {1}, &value, 4);
  ASSERT_TRUE(writer.write(file.path()).ok());
  auto opened = Container::open(file.path());
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  EXPECT_EQ(opened.value()->find("x")->data<float>()[0], 2.5f);
  EXPECT_EQ(opened.value()->name(), file.path());
  EXPECT_EQ(Container::open(file.path() + ".none").status().code(), StatusCode::kNotFound);
}

TEST(Container, GetSaysWhatItExpectedAndFound) {
  auto opened = open_bytes(sample_file());
  ASSERT_TRUE(opened.ok());
  const Container& container = *opened.value();
  EXPECT_EQ(container.get("a.weight", TensorType::kF32, {3, -1}).status().message(),
            "test: tensor 'a.weight': expected F32 [3, any], found F32 [2, 3]");
  EXPECT_EQ(container.get("b", TensorType::kF32, {3}).status().message(),
            "test: tensor 'b': expected F32 [3], found I8 [3]");
  EXPECT_EQ(container.get("c", TensorType::kI8, {3}).status().code(), StatusCode::kNotFound);
}

TEST(Container, WriterRejectsWhatItCouldNotRead) {
  const TemporaryFile file("rejected");
  const float values[2] = {1, 2};
  auto write = [&](const char* name, const char* second, std::vector<int64_t> shape) {
    ContainerWriter writer;
    writer.add_copy(name, TensorType::kF32, std::move(shape), values, sizeof(values));
    writer.add_copy(second, TensorType::kF32, {2}, values, sizeof(values));
    return writer.write(file.path());
  };
  EXPECT_FALSE(write("a", "a", {2}).ok());
  EXPECT_FALSE(write("a", "b", {3}).ok());
  EXPECT_FALSE(write("a", "b", {-2}).ok());
  EXPECT_FALSE(write("__pad.0", "b", {2}).ok());
  EXPECT_FALSE(write("", "b", {2}).ok());
  EXPECT_FALSE(write("\xff", "b", {2}).ok());
  EXPECT_FALSE(std::ifstream(file.path()).good());
  EXPECT_TRUE(write("a", "b", {2}).ok());
}

TEST(Container, WriterStopsWhereTheReaderWould) {
  constexpr size_t kMost = (16 << 20) - 64;
  const TemporaryFile file("large");
  for (const size_t size : {kMost - 27, kMost - 26}) {  // beside {"__metadata__":{"key":"..."}}
    ContainerWriter writer;
    writer.set_metadata("key", std::string(size, 'x'));
    ASSERT_EQ(writer.write(file.path()).ok(), size == kMost - 27) << writer.write(file.path()).message();
    EXPECT_TRUE(Container::open(file.path()).ok());  // what was refused has left the file as it was
  }
}

TEST(Container, RejectsBadSizes) {
  EXPECT_NE(open_bytes({}).status().message(), "");
  EXPECT_NE(open_bytes({1, 2, 3}).status().message(), "");
  EXPECT_NE(open_bytes({0, 0, 0, 0, 0, 0, 0, 0}).status().message(), "");
  EXPECT_NE(open_bytes(std::vector<uint8_t>(8, 0xff)).status().message(), "");
  EXPECT_NE(open_bytes({0, 0, 0, 0, 0, 0, 0, 0x80, '{', '}'}).status().message(), "");
  EXPECT_EQ(error_of("{}", 0), "");
  EXPECT_NE(error_of("{}", 1), "");
  EXPECT_NE(error_of(" {}", 0), "");
  EXPECT_NE(error_of("[]", 0), "");
  EXPECT_NE(open_bytes(file_of("{" + std::string(17 << 20, ' ') + "}", "")).status().message(), "");
}

std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return "{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
}

TEST(Container, RejectsBadEntries) {
  auto one = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return error_of("{\"a\":" + entry(dtype, shape, offsets) + "}", 8);
  };
  EXPECT_EQ(one("\"F32\"", "[2]", "[0,8]"), "");
  EXPECT_EQ(one("\"F32\"", "[2,1]", "[0,8]"), "");
  EXPECT_NE(one("\"F32\"", "[3]", "[0,8]"), "");
  EXPECT_NE(one("\"F31\"", "[2]", "[0,8]"), "");
  EXPECT_NE(one("7", "[2]", "[0,8]"), "");
  EXPECT_NE(one("\"F32\"", "[2]", "[0,9]"), "");
  EXPECT_NE(one("\"F32\"", "[2]", "[8,0]"), "");
  EXPECT_NE(one("\"F32\"", "[2]", "[-8,0]"), "");
  EXPECT_NE(one("\"F32\"", "[2]", "[0]"), "");
  EXPECT_NE(one("\"F32\"", "[2]", "[0,8.0]"), "");
  EXPECT_NE(one("\"F32\"", "[1]", "[0,4]"), "") << "four bytes are left over";
  EXPECT_NE(one("\"F32\"", "[-2]", "[0,8]"), "");
  EXPECT_NE(one("\"F32\"", "[2.0]", "[0,8]"), "");
  EXPECT_NE(one("\"F32\"", "2", "[0,8]"), "");
  EXPECT_NE(one("\"F32\"", "[1,1,1,1,1,1,1,1,2]", "[0,8]"), "");
  EXPECT_NE(one("\"F32\"", "[4611686018427387904,4]", "[0,8]"), "") << "the product overflows to 0";
  EXPECT_NE(one("\"F32\"", "[9223372036854775807,9223372036854775807,0]", "[0,0]"), "");
  EXPECT_NE(one("\"F32\"", "[2]", "[9223372036854775808,9223372036854775816]"), "");
  EXPECT_NE(one("\"F32\"", "[2]", "[9223372036854775800,9223372036854775807]"), "");
  EXPECT_NE(error_of("{\"a\":5}", 8), "");
  EXPECT_NE(error_of("{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8), "");
  EXPECT_NE(error_of("{\"\xff\":" + entry("\"F32\"", "[2]", "[0,8]") + "}", 8), "");
}

TEST(Container, RejectsBadCombinations) {
  const std::string first = "\"a\":" + entry("\"F32\"", "[2]", "[0,8]");
  EXPECT_EQ(error_of("{" + first + ",\"b\":" + entry("\"F32\"", "[2]", "[8,16]") + "}", 16), "");
  EXPECT_NE(error_of("{" + first + ",\"b\":" + entry("\"F32\"", "[2]", "[4,12]") + "}", 12), "") << "overlap";
  EXPECT_NE(error_of("{" + first + ",\"b\":" + entry("\"F32\"", "[2]", "[0,8]") + "}", 8), "") << "shared bytes";
  EXPECT_NE(error_of("{" + first + ",\"b\":" + entry("\"F32\"", "[2]", "[12,20]") + "}", 20), "") << "gap";
  EXPECT_NE(error_of("{" + first + "," + first + "}", 8), "") << "duplicate name";
  EXPECT_NE(
      error_of("{\"c\":" + entry("\"U8\"", "[2]", "[0,2]") + ",\"b\":" + entry("\"F32\"", "[1]", "[2,6]") + "}", 6), "")
      << "misaligned";
  EXPECT_NE(error_of("{\"__metadata__\":{\"a\":1}}", 0), "");
  EXPECT_NE(error_of("{\"__metadata__\":[]}", 0), "");
  EXPECT_EQ(error_of("{\"__metadata__\":{\"a\":\"1\"}}", 0), "");
}

/// Reads everything that an accepted file offers.
int64_t touch(const Container& container) {
  int64_t sum = 0;
  for (const auto& [name, tensor] : container.tensors()) {
    for (const uint8_t byte : tensor.bytes) sum += byte;
    sum += tensor.num_elements() + static_cast<int64_t>(name.size());
  }
  for (const auto& [key, value] : container.metadata()) sum += static_cast<int64_t>(key.size() + value.size());
  return sum;
}

std::vector<uint8_t> mutate(std::vector<uint8_t> bytes, SplitMix64* random) {
  const uint64_t kind = random->below(4);
  if (kind == 0) bytes.resize(random->below(bytes.size()));
  if (kind == 1) bytes.resize(bytes.size() + 1 + random->below(200), static_cast<uint8_t>(random->below(256)));
  if (kind == 2) bytes.erase(bytes.begin() + static_cast<int64_t>(random->below(bytes.size())));
  for (uint64_t changes = random->below(4); changes > 0 && !bytes.empty(); --changes)
    bytes[random->below(bytes.size())] ^= static_cast<uint8_t>(1u << random->below(8));
  return bytes;
}

TEST(Container, SurvivesDamage) {
  const std::vector<uint8_t> valid = sample_file();
  SplitMix64 random(3);
  int rejected = 0;
  int64_t sum = 0;
  for (int i = 0; i < 20000; ++i) {
    auto opened = open_bytes(mutate(valid, &random));
    if (opened.ok())
      sum += touch(*opened.value());
    else
      ++rejected;
  }
  EXPECT_GT(rejected, 10000);
  EXPECT_NE(sum, 0);
}

TEST(Container, EveryCutIsRejected) {
  const std::vector<uint8_t> valid = sample_file();
  for (size_t size = 0; size < valid.size(); ++size) {
    const std::vector<uint8_t> cut(valid.begin(), valid.begin() + static_cast<int64_t>(size));
    EXPECT_FALSE(open_bytes(cut).ok()) << size;
  }
}

}  // namespace
}  // namespace litenat::format
