// The C API through the shared library, with models made for the occasion.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "litenat/litenat.h"
#include "litenat/litenat.hpp"
#include "runtime/testing/ime_model.h"

namespace {

using litenat::runtime::testing::Precision;
using litenat::runtime::testing::ScopedFile;
namespace fixtures = litenat::runtime::testing;

std::vector<uint8_t> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// 64-byte aligned memory that ends where the data end (to within the alignment).
std::shared_ptr<uint8_t> aligned_copy(const std::vector<uint8_t>& bytes) {
  std::shared_ptr<uint8_t> copy(static_cast<uint8_t*>(std::aligned_alloc(64, (bytes.size() / 64 + 1) * 64)), std::free);
  std::copy(bytes.begin(), bytes.end(), copy.get());
  return copy;
}

class CApi : public ::testing::Test {
 protected:
  CApi() : file_("capi") {
    auto writer = fixtures::ime_writer(fixtures::ime_spec(), Precision::kDynamicInt8);
    EXPECT_TRUE(writer.write(file_.path()).ok());
    char message[256] = "";
    EXPECT_EQ(litenat_model_open(file_.path().c_str(), &model_, message, sizeof(message)), LITENAT_STATUS_OK)
        << message;
    EXPECT_EQ(litenat_session_new(model_, nullptr, &session_), LITENAT_STATUS_OK);
  }
  ~CApi() override {
    litenat_session_free(session_);
    litenat_model_free(model_);
  }

  litenat_status convert(const std::string& line, const litenat_convert_options* options) {
    return litenat_session_convert(session_, line.data(), line.size(), options, &candidates_, &count_);
  }
  litenat_status convert_with(int32_t num_best, int32_t beam) {
    litenat_convert_options options = litenat_convert_default_options();
    options.num_best = num_best;
    options.beam = beam;
    return convert("nihao", &options);
  }

  ScopedFile file_;
  litenat_model* model_ = nullptr;
  litenat_session* session_ = nullptr;
  const litenat_candidate* candidates_ = nullptr;
  size_t count_ = 0;
};

TEST_F(CApi, ConvertsKeys) {
  litenat_convert_options options = litenat_convert_default_options();
  options.num_best = 4;
  ASSERT_EQ(convert("nihao", &options), LITENAT_STATUS_OK) << litenat_session_error(session_);
  ASSERT_EQ(count_, 4u);
  std::vector<std::string> texts;
  for (size_t i = 0; i < count_; ++i) {
    EXPECT_EQ(std::strlen(candidates_[i].text), candidates_[i].text_size);
    EXPECT_EQ(candidates_[i].input_consumed, 5);
    EXPECT_LE(candidates_[i].score, candidates_[i == 0 ? 0 : i - 1].score);
    texts.push_back(candidates_[i].text);
  }
  std::sort(texts.begin(), texts.end());
  std::vector<std::string> expected = {"你好", "你号", "泥好", "泥号"};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(texts, expected);
  EXPECT_STREQ(litenat_session_error(session_), "");
}

TEST_F(CApi, KeepsOtherTextUnlessStrict) {
  ASSERT_EQ(convert("A1 zhongguo!", nullptr), LITENAT_STATUS_OK) << litenat_session_error(session_);
  const std::string text = candidates_[0].text;
  EXPECT_EQ(text.substr(0, 3), "A1 ");
  EXPECT_EQ(text.back(), '!');
  litenat_convert_options options = litenat_convert_default_options();
  options.strict = 1;
  EXPECT_EQ(convert("A1 zhongguo!", &options), LITENAT_STATUS_INVALID_ARGUMENT);
  EXPECT_STRNE(litenat_session_error(session_), "");
  EXPECT_EQ(candidates_, nullptr);
  EXPECT_EQ(count_, 0u);
}

TEST_F(CApi, AnyBytesAreALine) {
  EXPECT_EQ(convert("", nullptr), LITENAT_STATUS_OK);
  EXPECT_EQ(litenat_session_convert(session_, nullptr, 0, nullptr, &candidates_, &count_), LITENAT_STATUS_OK);
  EXPECT_EQ(litenat_session_convert(session_, nullptr, 5, nullptr, &candidates_, &count_),
            LITENAT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(convert("\xff\xfe", nullptr), LITENAT_STATUS_INVALID_ARGUMENT);
  ASSERT_EQ(convert(std::string("ni\0ni", 5), nullptr), LITENAT_STATUS_OK);
  EXPECT_EQ(candidates_[0].text_size, 7u) << "a hanzi, the NUL, a hanzi";
  EXPECT_EQ(convert(std::string((1 << 20) + 1, 'a'), nullptr), LITENAT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(convert("nihao", nullptr), LITENAT_STATUS_OK) << "an error must not break the session";
}

TEST_F(CApi, ChecksOptions) {
  EXPECT_EQ(convert_with(1, 0), LITENAT_STATUS_OK);
  EXPECT_EQ(convert_with(256, 256), LITENAT_STATUS_OK);
  EXPECT_EQ(convert_with(0, 0), LITENAT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(convert_with(257, 0), LITENAT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(convert_with(1, -1), LITENAT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(convert_with(1, 257), LITENAT_STATUS_INVALID_ARGUMENT);
  EXPECT_NE(std::string(litenat_session_error(session_)).find("found 257"), std::string::npos);
}

TEST_F(CApi, ChecksStructSizes) {
  litenat_convert_options options = litenat_convert_default_options();
  options.num_best = -7;
  options.struct_size = sizeof(size_t);  // an old caller, whose struct ended here
  EXPECT_EQ(convert("ni", &options), LITENAT_STATUS_OK);
  for (const size_t bad : {size_t{0}, size_t{1}, sizeof(size_t) - 1, SIZE_MAX}) {
    options.struct_size = bad;
    EXPECT_EQ(convert("ni", &options), LITENAT_STATUS_INVALID_ARGUMENT);
    litenat_session_options session_options = {bad, 1};
    litenat_session* session = session_;
    EXPECT_EQ(litenat_session_new(model_, &session_options, &session), LITENAT_STATUS_INVALID_ARGUMENT);
    EXPECT_EQ(session, nullptr);
    litenat_model_info info{};
    info.struct_size = bad;
    EXPECT_EQ(litenat_model_get_info(model_, &info), LITENAT_STATUS_INVALID_ARGUMENT);
  }
  for (const int32_t threads : {0, -1, 1 << 20}) {
    litenat_session_options session_options = {sizeof(litenat_session_options), threads};
    litenat_session* session = nullptr;
    EXPECT_EQ(litenat_session_new(model_, &session_options, &session), LITENAT_STATUS_INVALID_ARGUMENT);
  }
}

TEST_F(CApi, InfoFillsNoMoreThanItsSize) {
  std::vector<uint8_t> memory(sizeof(litenat_model_info), 0xAB);
  auto* info = reinterpret_cast<litenat_model_info*>(memory.data());
  info->struct_size = offsetof(litenat_model_info, isa);
  ASSERT_EQ(litenat_model_get_info(model_, info), LITENAT_STATUS_OK);
  EXPECT_STREQ(info->family, "tagger");
  for (size_t i = offsetof(litenat_model_info, isa); i < memory.size(); ++i) EXPECT_EQ(memory[i], 0xAB) << i;
  struct {
    litenat_model_info known;
    uint64_t later = 77;
  } wide{};
  wide.known.struct_size = sizeof(wide);
  ASSERT_EQ(litenat_model_get_info(model_, &wide.known), LITENAT_STATUS_OK);
  EXPECT_EQ(wide.later, 0u);
  EXPECT_EQ(wide.known.is_quantized, 1);
  EXPECT_EQ(wide.known.target_vocabulary, 15);
  EXPECT_EQ(wide.known.file_size_bytes, read_file(file_.path()).size());
  EXPECT_GT(wide.known.multiply_adds_16, 0u);
}

TEST_F(CApi, NullsAreErrors) {
  EXPECT_EQ(litenat_session_convert(nullptr, "ni", 2, nullptr, &candidates_, &count_), LITENAT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(litenat_session_convert(session_, "ni", 2, nullptr, nullptr, &count_), LITENAT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(litenat_session_convert(session_, "ni", 2, nullptr, &candidates_, nullptr),
            LITENAT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(litenat_session_new(model_, nullptr, nullptr), LITENAT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(litenat_model_open(file_.path().c_str(), nullptr, nullptr, 0), LITENAT_STATUS_INVALID_ARGUMENT);
  litenat_model* other = model_;
  EXPECT_EQ(litenat_model_open_memory(nullptr, 10, &other, nullptr, 0), LITENAT_STATUS_INVALID_ARGUMENT);
  EXPECT_EQ(other, nullptr);
  EXPECT_EQ(litenat_model_get_info(nullptr, nullptr), LITENAT_STATUS_INVALID_ARGUMENT);
  EXPECT_STREQ(litenat_session_error(nullptr), "");
  litenat_session_free(nullptr);
  litenat_model_free(nullptr);
}

TEST(CApiOpen, MessagesFitTheirBuffer) {
  litenat_model* model = nullptr;
  for (const size_t size : {size_t{0}, size_t{1}, size_t{2}, size_t{20}}) {
    std::vector<char> message(size + 1, 'x');
    EXPECT_EQ(litenat_model_open("/nonexistent/模型.litenat", &model, message.data(), size), LITENAT_STATUS_NOT_FOUND);
    EXPECT_EQ(message[size], 'x');
    EXPECT_LT(size == 0 ? 0 : std::strlen(message.data()), std::max<size_t>(size, 1));
  }
}

TEST(CApiOpen, DamagedFilesAreErrors) {
  const ScopedFile file("damaged");
  ASSERT_TRUE(fixtures::ime_writer(fixtures::ime_spec(), Precision::kF32).write(file.path()).ok());
  const std::vector<uint8_t> valid = read_file(file.path());
  litenat_model* model = nullptr;
  char message[256];
  for (size_t step = 0; step < 64; ++step) {
    const std::vector<uint8_t> cut(valid.begin(), valid.begin() + static_cast<int64_t>(valid.size() * step / 64));
    const auto bytes = aligned_copy(cut);
    const litenat_status status = litenat_model_open_memory(bytes.get(), cut.size(), &model, message, sizeof(message));
    EXPECT_EQ(status, LITENAT_STATUS_CORRUPT) << step;
    EXPECT_EQ(model, nullptr);
    EXPECT_GT(std::strlen(message), 0u);
  }
  const auto bytes = aligned_copy(valid);
  EXPECT_EQ(litenat_model_open_memory(bytes.get() + 1, valid.size() - 1, &model, message, sizeof(message)),
            LITENAT_STATUS_INVALID_ARGUMENT);
  ASSERT_EQ(litenat_model_open_memory(bytes.get(), valid.size(), &model, message, sizeof(message)), LITENAT_STATUS_OK)
      << message;
  litenat_model_free(model);
}

TEST(CApiOpen, AModelWithoutLexiconDoesNotConvert) {
  const ScopedFile file("tokens");
  litenat::graph::ModelSpec spec = fixtures::ime_spec();
  spec.input = litenat::graph::InputKind::kTokens;
  litenat::format::ContainerWriter writer;
  fixtures::set_model_metadata(spec, &writer);
  auto weights = fixtures::random_weights(spec, 1);
  fixtures::add_weights(&writer, Precision::kF32, &weights);
  ASSERT_TRUE(writer.write(file.path()).ok());
  litenat::Session session{litenat::Model(file.path())};
  try {
    session.convert("ni");
    FAIL() << "converted without a lexicon";
  } catch (const litenat::ApiError& error) {
    EXPECT_EQ(error.status(), LITENAT_STATUS_UNSUPPORTED);
  }
}

TEST_F(CApi, CppWrapperKeepsTheModelAlive) {
  auto model = std::make_unique<litenat::Model>(file_.path());
  EXPECT_STREQ(model->info().family, "tagger");
  litenat::Session session(*model);
  model.reset();
  const std::vector<litenat::Candidate> candidates = session.convert("zhongguo", 3);
  ASSERT_EQ(candidates.size(), 3u);
  EXPECT_THROW(session.convert("zhongguo", 0), litenat::ApiError);
}

TEST_F(CApi, ThreadsShareAModel) {
  const litenat::Model model(file_.path());
  const std::string expected = litenat::Session(model).convert("zhongguoshini")[0].text;
  std::vector<std::string> found(4);
  std::vector<std::thread> threads;
  for (std::string& text : found)
    threads.emplace_back([&model, &text] {
      litenat::Session session(model);
      for (int i = 0; i < 50; ++i) text = session.convert("zhongguoshini")[0].text;
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& text : found) EXPECT_EQ(text, expected);
}

TEST(CApiText, EveryStatusHasAText) {
  for (int status = 0; status <= 7; ++status)
    EXPECT_GT(std::strlen(litenat_status_text(static_cast<litenat_status>(status))), 0u);
  EXPECT_STREQ(litenat_version(), "0.1.0");
}

}  // namespace
