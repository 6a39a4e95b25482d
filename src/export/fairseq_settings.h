// The settings that a fairseq checkpoint was trained with, whatever shape they were saved in.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "export/pickle.h"

namespace litenat::export_model {

/// Settings by their names on fairseq's command line, with underscores. Read from "args" (an argparse.Namespace), or
/// from "cfg" (fairseq 0.10 and later): a dict or omegaconf DictConfig whose "model" is a Namespace or a dict; there
/// nested settings are joined by underscores ("encoder": {"layers": 6} is encoder_layers).
class FairseqSettings {
 public:
  /// Of a whole checkpoint. Throws Error that names `name` when it has no settings.
  FairseqSettings(const Pickle& pickle, const std::string& name);

  bool has(const std::string& key) const { return find(key) != Pickle::kNoneId; }
  /// Each returns `fallback` where the setting is absent or None, and throws Error where it is of another type.
  bool boolean(const std::string& key, bool fallback) const;
  int64_t integer(const std::string& key, int64_t fallback) const;
  double real(const std::string& key, double fallback) const;
  std::string text(const std::string& key, const std::string& fallback) const;
  /// A list of integers; also as text, "[3, 7]" or "3,7".
  std::vector<int64_t> integers(const std::string& key, const std::vector<int64_t>& fallback) const;
  std::vector<std::string> texts(const std::string& key) const;

  /// Throws Error: a setting that has another value than expected.
  [[noreturn]] void refuse(const std::string& key, const std::string& expected) const;

 private:
  using Entries = std::vector<std::pair<PickleId, PickleId>>;
  PickleId find(const std::string& key) const;
  PickleId unwrap(PickleId id) const;
  const Entries* fields_of(PickleId id) const;
  void add_fields(PickleId id, const std::string& prefix, int depth);
  std::string shown(PickleId id) const;

  const Pickle& pickle_;
  std::string name_;
  std::map<std::string, PickleId> fields_;
};

}  // namespace litenat::export_model
