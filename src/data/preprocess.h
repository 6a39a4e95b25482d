// What fairseq-preprocess does: dictionaries of the training text, and every text as an indexed dataset.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/binarizer.h"

namespace litenat::data {

/// The flags of fairseq-preprocess; an empty string stands for a flag that is not given.
struct PreprocessOptions {
  std::string source_lang, target_lang;
  std::string trainpref, validpref, testpref;  // the latter two: one or more, separated by commas
  std::string destdir = "data-bin";
  std::string srcdict, tgtdict;  // dictionaries to use instead of building them
  bool joined_dictionary = false;
  bool only_source = false;
  bool dict_only = false;
  int64_t threshold_source = 0, threshold_target = 0;
  int64_t nwords_source = -1, nwords_target = -1;
  int padding_factor = 8;
  int workers = 1;
};

struct PreprocessReport {
  struct DictionaryFile {
    std::string language, path;
    int32_t size = 0;  // specials and padding included
  };
  struct Dataset {
    std::string language, input, prefix;
    BinarizeSummary summary;
  };
  std::vector<DictionaryFile> dictionaries;
  std::vector<Dataset> datasets;
};

/// Called when work on a file begins: what for ("dictionary", "dataset"), the file and its size in bytes; returns who
/// wants to know how far it is (may be empty).
using FileObserver = std::function<BytesDone(const std::string& activity, const std::string& path, int64_t bytes)>;

/// Runs the whole of it. The results appear in options.destdir once all of them are complete. Throws UsageError for
/// options that contradict each other, Error for the rest.
PreprocessReport preprocess(const PreprocessOptions& options, const FileObserver& observer = {});

}  // namespace litenat::data
