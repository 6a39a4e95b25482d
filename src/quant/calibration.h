// The sample that quantisation looks at: what decoding asks of the network for real text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "decode/ime_decoder.h"
#include "runtime/model.h"

namespace litenat::quant {

/// One run of the network: sentences packed one after the other.
struct CalibrationBatch {
  std::vector<int32_t> ids;
  std::vector<int32_t> lengths;
  // of models with a decoder: what it reads, one input for each sentence
  std::vector<int32_t> target_ids;
  std::vector<int32_t> target_lengths;
};

struct CalibrationSample {
  std::vector<CalibrationBatch> batches;
  int64_t num_lines = 0;
  int64_t num_rows = 0;
};

/// Reads input lines from `path`: a text file of one input a line, a .tsv file (first column), or a corpus folder (its
/// valid.*.tsv, else its test.*.tsv; all key modes in turn). At most `max_lines`, spread evenly over the lines there
/// are. Throws Error when there is none.
std::vector<std::string> read_calibration_lines(const std::string& path, int64_t max_lines);

/// Converts `lines` with `model` (an input-method model) and records every run of the network.
CalibrationSample record_calibration(std::shared_ptr<const runtime::Model> model,
                                     const std::vector<std::string>& lines);

}  // namespace litenat::quant
