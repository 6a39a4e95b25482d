#include "quant/calibration_pairs.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/interrupt.h"
#include "data/indexed_dataset.h"
#include "decode/parallel_decoder.h"
#include "runtime/sequence_executor.h"

namespace litenat::quant {
namespace {

namespace fs = std::filesystem;
using runtime::Model;

constexpr size_t kBatchSentences = 16;

/// "en-de" of the files "<split>.en-de.<language>.idx" of a folder; more than one: several corpora.
std::set<std::string> language_pairs(const std::string& folder, const std::string& split) {
  std::set<std::string> pairs;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const size_t end = name.find('.', split.size() + 1);
    if (name.compare(0, split.size() + 1, split + ".") != 0 || end == std::string::npos) continue;
    if (entry.path().extension() != ".idx") continue;
    const std::string pair = name.substr(split.size() + 1, end - split.size() - 1);
    if (pair.find('-') != std::string::npos) pairs.insert(pair);
  }
  return pairs;
}

struct PairNames {
  std::string prefix;  // FOLDER/valid.en-de
  std::string source;
  std::string target;
};

PairNames find_pairs(const std::string& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error))
    throw Error(folder + ": is no folder, expected one that `litenat preprocess` wrote");
  for (const std::string split : {"valid", "test", "train"}) {
    const std::set<std::string> pairs = language_pairs(folder, split);
    if (pairs.size() > 1)
      throw Error(folder + ": has " + split + " data of several language pairs (" + *pairs.begin() + ", " +
                  *std::next(pairs.begin()) + "), expected one: keep each in a folder of its own");
    if (pairs.empty()) continue;
    const std::string& pair = *pairs.begin();
    const size_t dash = pair.find('-');
    return {folder + "/" + split + "." + pair, pair.substr(0, dash), pair.substr(dash + 1)};
  }
  throw Error(folder + ": holds none of {valid,test,train}.<source>-<target>.<language>.idx: name a folder that " +
              "`litenat preprocess` wrote");
}

/// The data's ids mean what the model's ids mean.
void check_dictionary(const std::string& path, const text::Dictionary* expected, const std::string& model) {
  if (expected == nullptr) return;
  const text::Dictionary found = value_or_throw(text::Dictionary::load(path));
  bool equal = found.size() == expected->size();
  for (int32_t id = 0; equal && id < found.size(); ++id) equal = found.token(id) == expected->token(id);
  if (!equal)
    throw Error(path + ": its " + std::to_string(found.size()) + " tokens are not those of " + model + " (" +
                std::to_string(expected->size()) + "): calibrate with data of the same dictionary");
}

std::shared_ptr<const data::IndexedDataset> open_side(const std::string& prefix, int64_t vocabulary) {
  auto dataset = value_or_throw(data::IndexedDataset::open(prefix));
  throw_if_error(dataset->check_ids(vocabulary).with_context(prefix));
  return dataset;
}

/// Makes what a model of a family reads of a pair.
class PairMaker {
 public:
  explicit PairMaker(const std::shared_ptr<const Model>& model) : spec_(model->spec()) {
    if (graph::has_decoder(spec_)) traits_ = value_or_throw(runtime::SequenceExecutor::create(model))->traits();
  }

  /// Appends a pair, each side with its </s>; false: the model does not take it.
  bool add(std::vector<int32_t> source, const std::vector<int32_t>& target, CalibrationBatch* batch) const {
    if (source.empty() || (graph::has_decoder(spec_) && target.empty())) return false;
    if (spec_.family == graph::Family::kNonAutoregressive) source.insert(source.begin(), decode::kBeginToken);
    const std::vector<int32_t> input = decoder_input(static_cast<int32_t>(source.size()), target);
    if (is_too_long(source.size(), traits_.max_source) || is_too_long(input.size(), traits_.max_target)) return false;
    append(source, &batch->ids, &batch->lengths);
    if (graph::has_decoder(spec_)) append(input, &batch->target_ids, &batch->target_lengths);
    return true;
  }

 private:
  static bool is_too_long(size_t length, int32_t limit) { return limit > 0 && length > static_cast<size_t>(limit); }

  static void append(const std::vector<int32_t>& sentence, std::vector<int32_t>* ids, std::vector<int32_t>* lengths) {
    ids->insert(ids->end(), sentence.begin(), sentence.end());
    lengths->push_back(static_cast<int32_t>(sentence.size()));
  }

  std::vector<int32_t> decoder_input(int32_t source_length, const std::vector<int32_t>& target) const {
    std::vector<int32_t> input;
    switch (spec_.family) {
      case graph::Family::kTagger:
        break;
      case graph::Family::kSequence:  // the target shifted right
        input.push_back(decode::kEndToken);
        input.insert(input.end(), target.begin(), target.end() - 1);
        break;
      case graph::Family::kNonAutoregressive: {
        const size_t rows = traits_.predicts_length
                                ? target.size() + 1
                                : static_cast<size_t>(decode::rows_by_ratio(traits_.length_ratio, source_length));
        input.assign(std::max<size_t>(rows, 2), decode::kUnknownToken);
        input.front() = decode::kBeginToken;
        input.back() = decode::kEndToken;
        break;
      }
    }
    return input;
  }

  const graph::ModelSpec& spec_;
  decode::SequenceTraits traits_;
};

}  // namespace

CalibrationSample read_calibration_pairs(const std::shared_ptr<const Model>& model, const std::string& folder,
                                         int64_t max_sentences) {
  const PairNames names = find_pairs(folder);
  const std::string& model_name = model->container().name();
  check_dictionary(folder + "/dict." + names.source + ".txt", model->source_dictionary(), model_name);
  check_dictionary(folder + "/dict." + names.target + ".txt", model->target_dictionary(), model_name);
  const auto sources = open_side(names.prefix + "." + names.source, model->spec().source_vocabulary);
  const auto targets = open_side(names.prefix + "." + names.target, model->spec().target_vocabulary);
  if (sources->size() != targets->size())
    throw Error(names.prefix + ": has " + std::to_string(sources->size()) + " source and " +
                std::to_string(targets->size()) + " target sentences, expected as many: run preprocess again");

  const PairMaker maker(model);
  CalibrationSample sample;
  CalibrationBatch batch;
  const int64_t count = std::min(max_sentences, sources->size());
  std::vector<int32_t> source;
  std::vector<int32_t> target;
  for (int64_t i = 0; i < count; ++i) {
    throw_if_interrupted();
    const int64_t number = i * sources->size() / count;
    sources->read(number, &source);
    targets->read(number, &target);
    if (maker.add(source, target, &batch)) ++sample.num_lines;
    if (batch.lengths.size() < kBatchSentences && i + 1 < count) continue;
    sample.num_rows += static_cast<int64_t>(batch.ids.size() + batch.target_ids.size());
    if (!batch.lengths.empty()) sample.batches.push_back(std::move(batch));
    batch = {};
  }
  if (sample.num_lines == 0)
    throw Error(names.prefix + ": none of its " + std::to_string(sources->size()) +
                " pairs fits the model, expected sentences within its positions");
  return sample;
}

}  // namespace litenat::quant
