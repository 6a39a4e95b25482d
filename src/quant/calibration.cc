#include "quant/calibration.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

#include "base/error.h"
#include "base/interrupt.h"
#include "runtime/executor.h"

namespace litenat::quant {
namespace {

namespace fs = std::filesystem;

/// Passes runs on to another engine and keeps their inputs.
class RecordingEngine : public decode::TaggerEngine {
 public:
  RecordingEngine(decode::TaggerEngine* engine, CalibrationSample* sample) : engine_(engine), sample_(sample) {}

  Result<Output> run(Span<const int32_t> ids, Span<const int32_t> lengths) override {
    CalibrationBatch batch;
    batch.ids.assign(ids.begin(), ids.end());
    batch.lengths.assign(lengths.begin(), lengths.end());
    sample_->batches.push_back(std::move(batch));
    sample_->num_rows += static_cast<int64_t>(ids.size());
    return engine_->run(ids, lengths);
  }
  float transition(int32_t previous, int32_t next) const override { return engine_->transition(previous, next); }
  bool has_transitions() const override { return engine_->has_transitions(); }

 private:
  decode::TaggerEngine* engine_;
  CalibrationSample* sample_;
};

/// The files of a corpus folder that hold typed keys, or the path itself.
std::vector<fs::path> calibration_files(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return {path};
  for (const std::string subset : {"valid.", "test."}) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(path)) {
      const std::string name = entry.path().filename().string();
      if (name.compare(0, subset.size(), subset) == 0 && entry.path().extension() == ".tsv")
        files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    if (!files.empty()) return files;
  }
  throw Error(path + ": holds neither valid.*.tsv nor test.*.tsv: name a corpus folder or a file of input lines");
}

std::vector<std::string> read_first_column(const fs::path& path) {
  std::ifstream file(path);
  if (!file) throw Error(path.string() + ": cannot be read: name a file of input lines");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    line = line.substr(0, line.find('\t'));
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty() && line.size() <= decode::ImeDecoder::kMaxLineBytes) lines.push_back(line);
  }
  return lines;
}

/// `count` of `lines`, evenly spread.
std::vector<std::string> thinned(const std::vector<std::string>& lines, int64_t count) {
  const int64_t size = static_cast<int64_t>(lines.size());
  if (size <= count) return lines;
  std::vector<std::string> result;
  for (int64_t i = 0; i < count; ++i) result.push_back(lines[static_cast<size_t>(i * size / count)]);
  return result;
}

}  // namespace

std::vector<std::string> read_calibration_lines(const std::string& path, int64_t max_lines) {
  const std::vector<fs::path> files = calibration_files(path);
  const int64_t share = std::max<int64_t>(1, max_lines / static_cast<int64_t>(files.size()));
  std::vector<std::string> lines;
  for (const fs::path& file : files) {
    const std::vector<std::string> some = thinned(read_first_column(file), share);
    lines.insert(lines.end(), some.begin(), some.end());
  }
  if (lines.empty()) throw Error(path + ": has no line to calibrate with, expected one input a line");
  return lines;
}

CalibrationSample record_calibration(std::shared_ptr<const runtime::Model> model,
                                     const std::vector<std::string>& lines) {
  if (model->ime() == nullptr)
    throw Error(model->container().name() + ": has no lexicon, so typed keys cannot be run through it");
  const auto executor = value_or_throw(runtime::Executor::create(model));
  CalibrationSample sample;
  RecordingEngine recorder(executor.get(), &sample);
  decode::ImeDecoder decoder(&recorder, model->ime());
  for (const std::string& line : lines) {
    throw_if_interrupted();
    // A line that is no UTF-8 teaches nothing about the network; the others still do.
    if (decoder.convert(line, model->ime_options()).ok()) ++sample.num_lines;
  }
  if (sample.num_rows == 0)
    throw Error("none of the " + std::to_string(lines.size()) +
                " calibration lines reached the network, expected keys");
  return sample;
}

}  // namespace litenat::quant
