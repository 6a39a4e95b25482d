#include "train/tensorboard_writer.h"

#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.h"

namespace litenat::train {
namespace {

std::array<uint32_t, 256> make_crc_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0);
    table[i] = crc;
  }
  return table;
}

uint32_t masked_crc(std::string_view data) {
  const uint32_t crc = crc32c(data);
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
}

template <typename T>
void append_bytes(T value, std::string* out) {  // little endian, as all machines that we build for
  out->append(reinterpret_cast<const char*>(&value), sizeof value);
}

// ---- protocol buffers: a field is its number and wire type, then the value

void append_varint(uint64_t value, std::string* out) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<char>(value | 0x80));
  out->push_back(static_cast<char>(value));
}
void append_varint_field(int field, uint64_t value, std::string* out) {
  append_varint(static_cast<uint64_t>(field) << 3, out);
  append_varint(value, out);
}
void append_double_field(int field, double value, std::string* out) {
  append_varint(static_cast<uint64_t>(field) << 3 | 1, out);
  append_bytes(value, out);
}
void append_float_field(int field, float value, std::string* out) {
  append_varint(static_cast<uint64_t>(field) << 3 | 5, out);
  append_bytes(value, out);
}
void append_bytes_field(int field, std::string_view value, std::string* out) {
  append_varint(static_cast<uint64_t>(field) << 3 | 2, out);
  append_varint(value.size(), out);
  out->append(value);
}

// Field numbers of Event: wall_time 1, step 2, file_version 3, summary 5, session_log 7.
std::string event_head(double wall_time, int64_t step) {
  std::string event;
  append_double_field(1, wall_time, &event);
  append_varint_field(2, static_cast<uint64_t>(step), &event);
  return event;
}

double now() {
  timeval time{};
  gettimeofday(&time, nullptr);
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

std::string event_file_name() {
  char host[256] = "host";
  gethostname(host, sizeof host - 1);
  return "events.out.tfevents." + std::to_string(static_cast<int64_t>(now())) + "." + host + "." +
         std::to_string(getpid());
}

}  // namespace

uint32_t crc32c(std::string_view data) {
  static const std::array<uint32_t, 256> table = make_crc_table();
  uint32_t crc = 0xFFFFFFFFu;
  for (const char c : data) crc = (crc >> 8) ^ table[(crc ^ static_cast<unsigned char>(c)) & 0xFF];
  return ~crc;
}

std::string event_record(std::string_view event) {
  std::string record;
  append_bytes(static_cast<uint64_t>(event.size()), &record);
  append_bytes(masked_crc(record), &record);
  record.append(event);
  append_bytes(masked_crc(event), &record);
  return record;
}

std::string scalar_event(double wall_time, int64_t step, const std::vector<std::pair<std::string, double>>& scalars) {
  std::string summary;
  for (const auto& [tag, number] : scalars) {
    std::string value;  // Summary.Value: tag 1, simple_value 2
    append_bytes_field(1, tag, &value);
    append_float_field(2, static_cast<float>(number), &value);
    append_bytes_field(1, value, &summary);
  }
  std::string event = event_head(wall_time, step);
  append_bytes_field(5, summary, &event);
  return event;
}

TensorBoardWriter::TensorBoardWriter(const std::string& folder, int64_t first_step) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  path_ = folder + "/" + event_file_name();
  file_ = std::fopen(path_.c_str(), "wb");
  if (file_ == nullptr) throw Error(path_ + ": cannot create: " + std::strerror(errno));
  std::string version = event_head(now(), 0);
  append_bytes_field(3, "brain.Event:2", &version);
  append(version);
  if (first_step <= 0) return;
  std::string restart = event_head(now(), first_step);
  std::string session;  // SessionLog: status 1 = START
  append_varint_field(1, 1, &session);
  append_bytes_field(7, session, &restart);
  append(restart);
}

TensorBoardWriter::~TensorBoardWriter() { std::fclose(file_); }

void TensorBoardWriter::write(int64_t step, const std::vector<std::pair<std::string, double>>& scalars) {
  append(scalar_event(now(), step, scalars));
}

void TensorBoardWriter::append(const std::string& event) {
  const std::string record = event_record(event);
  if (std::fwrite(record.data(), 1, record.size(), file_) != record.size() || std::fflush(file_) != 0)
    throw Error(path_ + ": cannot write: " + std::strerror(errno));
}

}  // namespace litenat::train
