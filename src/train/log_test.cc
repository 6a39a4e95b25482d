#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "train/json_log.h"
#include "train/schedule.h"
#include "train/tensorboard_writer.h"

namespace litenat::train {
namespace {

std::string read_file(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

ScheduleSpec spec(ScheduleKind kind, int64_t warmup, double init) {
  ScheduleSpec result;
  result.kind = kind;
  result.warmup_updates = warmup;
  result.warmup_init_lr = init;
  return result;
}

TEST(Schedule, InverseSquareRootAsPublished) {
  const Schedule schedule(spec(ScheduleKind::kInverseSqrt, 4000, 1e-7), 5e-4, 0);
  EXPECT_NEAR(schedule.rate(1), 2.24975e-7, 1e-15);
  EXPECT_NEAR(schedule.rate(2000), 2.5005e-4, 1e-12);
  EXPECT_NEAR(schedule.rate(4000), 5e-4, 1e-15);
  EXPECT_NEAR(schedule.rate(16000), 2.5e-4, 1e-15);
  EXPECT_NEAR(schedule.rate(300000), 5.7735e-5, 1e-10);
}

TEST(Schedule, CosineAsPublished) {
  ScheduleSpec cosine = spec(ScheduleKind::kCosine, 10000, 1e-7);
  cosine.min_lr = 1e-7;
  cosine.period = 40000;
  const Schedule schedule(cosine, 1e-3, 0);
  EXPECT_NEAR(schedule.rate(5000), 5.0005e-4, 1e-12);
  EXPECT_NEAR(schedule.rate(10000), 1e-3, 1e-15);
  EXPECT_NEAR(schedule.rate(30000), 5.0005e-4, 1e-12);
  EXPECT_NEAR(schedule.rate(49999), 1.0000154e-7, 1e-14);
  EXPECT_NEAR(schedule.rate(50000), 1e-3, 1e-15);  // restart
}

TEST(Schedule, CosineRestartsGrowAndShrink) {
  ScheduleSpec cosine = spec(ScheduleKind::kCosine, 0, 0);
  cosine.period = 100;
  cosine.t_mult = 2;
  cosine.shrink = 0.5;
  const Schedule schedule(cosine, 1.0, 0);
  EXPECT_NEAR(schedule.rate(50), 0.5, 1e-12);
  EXPECT_NEAR(schedule.rate(100), 0.5, 1e-12);   // second period: 200 updates, half as high
  EXPECT_NEAR(schedule.rate(200), 0.25, 1e-12);  // its middle
  EXPECT_NEAR(schedule.rate(300), 0.25, 1e-12);  // third period
  EXPECT_NEAR(schedule.rate(500), 0.125, 1e-12);
}

TEST(Schedule, CosineWithoutPeriodStaysAtItsEnd) {
  ScheduleSpec cosine = spec(ScheduleKind::kCosine, 10, 0);
  cosine.min_lr = 0.1;
  const Schedule schedule(cosine, 1.1, 110);
  EXPECT_NEAR(schedule.rate(60), 0.6, 1e-12);
  EXPECT_NEAR(schedule.rate(110), 0.1, 1e-12);
  EXPECT_NEAR(schedule.rate(130), 0.1, 1e-12);
}

TEST(Schedule, PolynomialAndConstant) {
  ScheduleSpec polynomial = spec(ScheduleKind::kPolynomial, 10, 0);
  polynomial.min_lr = 0.1;
  polynomial.power = 2;
  const Schedule schedule(polynomial, 1.1, 110);
  EXPECT_NEAR(schedule.rate(5), 0.55, 1e-12);
  EXPECT_NEAR(schedule.rate(60), 0.1 + 0.25, 1e-12);
  EXPECT_NEAR(schedule.rate(110), 0.1, 1e-12);
  EXPECT_NEAR(schedule.rate(1000), 0.1, 1e-12);
  EXPECT_NEAR(Schedule(spec(ScheduleKind::kConstant, 4, 0.2), 1.0, 0).rate(1000000), 1.0, 1e-12);
  EXPECT_THROW(Schedule(polynomial, 1.0, 0), Error);
  EXPECT_THROW(Schedule(spec(ScheduleKind::kCosine, 10, 0), 1.0, 0), Error);
}

TEST(TensorBoard, ChecksumsAndRecordsAsPublished) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);  // RFC 3720, B.4
  const std::string record = event_record("abc");
  ASSERT_EQ(record.size(), 8u + 4 + 3 + 4);
  EXPECT_EQ(record.substr(0, 8), std::string("\x03\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(record.substr(12, 3), "abc");
}

TEST(TensorBoard, ScalarsAreEncodedAsProtocolBuffers) {
  const std::string event = scalar_event(1.0, 300, {{"a", 0.5}});
  const std::string expected(
      "\x09\x00\x00\x00\x00\x00\x00\xF0\x3F"  // 1: double 1.0
      "\x10\xAC\x02"                          // 2: varint 300
      "\x2A\x0A"                              // 5: message of 10 bytes
      "\x0A\x08"                              //   1: message of 8 bytes
      "\x0A\x01"                              //     1: text of 1 byte
      "a"
      "\x15\x00\x00\x00\x3F",  //     2: float 0.5
      24);
  EXPECT_EQ(event, expected);
}

TEST(TensorBoard, WritesAFileThatBeginsWithItsVersion) {
  const std::string folder = ::testing::TempDir() + "/litenat_events." + std::to_string(getpid());
  {
    TensorBoardWriter writer(folder, 0);
    writer.write(10, {{"train/loss", 2.5}});
  }
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    ++files;
    const std::string data = read_file(entry.path());
    EXPECT_NE(data.find("brain.Event:2"), std::string::npos);
    EXPECT_NE(data.find("train/loss"), std::string::npos);
  }
  EXPECT_EQ(files, 1);
  std::filesystem::remove_all(folder);
  EXPECT_THROW(TensorBoardWriter("/dev/null/folder", 0), Error);
}

TEST(JsonLog, ForgetsWhatCameAfterTheCheckpoint) {
  const std::string path = ::testing::TempDir() + "/litenat_log." + std::to_string(getpid());
  std::ofstream(path) << "{\"update\":5,\"nll\":1.5}\n{\"update\":10}\nbroken\n{\"update\":15}\n{\"update\":1";
  {
    JsonLog log(path, 10);
    Json line = Json::object();
    line.set("update", Json(11));
    log.write(line);
  }
  EXPECT_EQ(read_file(path), "{\"update\":5,\"nll\":1.5}\n{\"update\":10}\n{\"update\":11}\n");
  std::filesystem::remove(path);
  JsonLog full("/dev/full", 0);
  try {
    full.write(Json::object());
    FAIL() << "a full disk is an error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("No space left"), std::string::npos);
  }
}

}  // namespace
}  // namespace litenat::train
