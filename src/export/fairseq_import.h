// From a checkpoint of fairseq to one of ours.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "export/fairseq_settings.h"
#include "export/torch_archive.h"
#include "graph/graph.h"
#include "graph/model_spec.h"
#include "text/dictionary.h"

namespace litenat::export_model {

struct FairseqImportOptions {
  std::string data_folder;      // of dict.<language>.txt; empty = the checkpoint's folder
  std::string source_language;  // empty = the checkpoint's
  std::string target_language;
  std::string architecture;  // empty = the checkpoint's
  std::string tokenizer;     // file to be kept as the run's tokenizer; empty = text is split at spaces
};

/// What of a checkpoint and its model did not fit together.
struct ImportReport {
  std::vector<std::string> unused;      // parameters of the file that the model has no place for
  std::vector<std::string> missing;     // parameters of the model that the file has not
  std::vector<std::string> mismatched;  // "name: expected [2, 3], found [3, 2]", and shared tables that differ
  std::vector<std::string> skipped;     // tensors that are known to hold no parameter of their own
  /// Nothing is missing or mismatched, so the model can be written.
  bool complete() const { return missing.empty() && mismatched.empty(); }
};

/// A fairseq checkpoint that was read and matched with a model, ready to be written.
class FairseqImport {
 public:
  /// Reads `path`. Throws Error for files that are damaged, are no checkpoint of fairseq-train, or hold a model that
  /// LiteNAT has no equal of, and for dictionaries that are not there or do not fit. What parameters do not match is no
  /// error but in report().
  FairseqImport(const std::string& path, const FairseqImportOptions& options);

  const graph::ModelSpec& spec() const { return spec_; }
  const ImportReport& report() const { return report_; }
  const std::string& architecture() const { return architecture_; }
  int64_t num_parameters() const;  // of the model, shared tables once
  int64_t update() const { return update_; }

  /// Writes the checkpoint (docs/formats.md) and the text resources, each atomically; folders are made. Throws Error
  /// unless report().complete(), and where a parameter holds a number that is not finite.
  void write(const std::string& checkpoint_path, const std::string& resources_path) const;

 private:
  /// One parameter of the model: rows [first_row, first_row + shape[0]) of a tensor of the file.
  struct Source {
    std::string name;  // fairseq's
    TorchTensor tensor;
    size_t part = 0;  // which of `parts` equal parts along the first dimension
    size_t parts = 1;
  };
  void load_tensors(PickleId model);
  void load_dictionaries(const FairseqSettings& settings, const FairseqImportOptions& options);
  void match();
  void add_source(const std::string& parameter, const Source& source);
  void check_shapes();
  std::vector<float> values_of(const graph::Weight& weight, const Source& source) const;

  std::string path_;
  TorchArchive archive_;
  std::string architecture_;
  int64_t update_ = 0;
  int64_t epoch_ = 1;
  graph::ModelSpec spec_;
  std::vector<graph::Weight> weights_;  // what a model of spec_ has
  std::map<std::string, TorchTensor> tensors_;
  std::map<std::string, Source> sources_;  // by the model's names
  ImportReport report_;
  std::string source_dictionary_;  // text of dict.txt
  std::string target_dictionary_;
  std::string tokenizer_;
};

}  // namespace litenat::export_model
