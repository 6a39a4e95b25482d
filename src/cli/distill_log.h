// The outputs of a distillation that is not complete yet, in a file beside its output.
//
//     {"distill":1,"model":"...","input":"...","settings":{...}}      what it belongs to
//     <number of the input line> <tab> <output>                       in the order in which batches were done
//
// A record counts when its line feed is there. So the work may be killed at any moment: what follows the last whole
// record is cut off when it goes on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace litenat::cli {

class DistillLog {
 public:
  /// Opens or creates `path` for the outputs of `num_lines` lines and locks it. A log that belongs to something else
  /// than `identity` (one line), or that another process is writing, is an Error; with `restart` what it holds is
  /// forgotten.
  DistillLog(const std::string& path, const std::string& identity, size_t num_lines, bool restart = false);
  ~DistillLog();
  DistillLog(const DistillLog&) = delete;
  DistillLog& operator=(const DistillLog&) = delete;

  /// By line: its output, where there is one.
  const std::vector<std::optional<std::string>>& outputs() const { return outputs_; }
  size_t num_done() const { return num_done_; }
  /// Adds outputs (without line feeds) of lines that have none. They are in the file when this returns.
  void add(const std::vector<size_t>& lines, const std::vector<std::string>& outputs);
  /// Removes the file.
  void remove();

 private:
  void read(const std::string& identity);
  void cut(size_t size);
  size_t read_records(const std::string& text, size_t begin);
  bool take_record(const std::string& record);
  void write(const std::string& text);

  std::string path_;
  int file_ = -1;
  std::vector<std::optional<std::string>> outputs_;
  size_t num_done_ = 0;
};

}  // namespace litenat::cli
