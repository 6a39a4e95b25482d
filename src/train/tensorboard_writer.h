// TensorBoard event files: scalars over updates.
//
// A file is a sequence of records: u64 length, u32 masked CRC-32C of the length, data, u32 masked CRC-32C of the data.
// The data are Event messages of protocol buffers, of which three kinds are needed; they are encoded here.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace litenat::train {

/// CRC-32C (Castagnoli) as iSCSI uses it.
uint32_t crc32c(std::string_view data);
/// One record of an event file.
std::string event_record(std::string_view event);
/// An Event message with scalars; `step` is the update.
std::string scalar_event(double wall_time, int64_t step, const std::vector<std::pair<std::string, double>>& scalars);

class TensorBoardWriter {
 public:
  /// Creates events.out.tfevents.* in `folder` (which is made). A run that goes on at `first_step` > 0 tells
  /// TensorBoard to forget what an earlier process wrote from that step on. Throws Error.
  TensorBoardWriter(const std::string& folder, int64_t first_step);
  ~TensorBoardWriter();
  TensorBoardWriter(const TensorBoardWriter&) = delete;
  TensorBoardWriter& operator=(const TensorBoardWriter&) = delete;

  /// Appends and flushes. Throws Error when the file cannot be written.
  void write(int64_t step, const std::vector<std::pair<std::string, double>>& scalars);

 private:
  void append(const std::string& event);

  std::string path_;
  std::FILE* file_;
};

}  // namespace litenat::train
