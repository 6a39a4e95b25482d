// Zip archives whose entries are stored without compression, as PyTorch writes them.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/span.h"

namespace litenat::export_model {

/// The entries of an archive; they point into the bytes that it was opened on.
class StoredZip {
 public:
  /// Reads the directory (zip64 too). Throws Error that names `name` and what is wrong: every offset and size is
  /// checked before it is used, entries must be named once and stored.
  static StoredZip open(Span<const uint8_t> bytes, const std::string& name);
  /// True when `bytes` begin as a zip archive does.
  static bool is_zip(Span<const uint8_t> bytes);

  /// The bytes of an entry, its checksum verified; throws Error when it is damaged or not there.
  Span<const uint8_t> read(const std::string& entry) const;
  bool has(const std::string& entry) const { return entries_.count(entry) != 0; }

  struct Entry {
    Span<const uint8_t> bytes;
    uint32_t checksum = 0;
  };
  const std::map<std::string, Entry>& entries() const { return entries_; }

 private:
  friend class ZipDirectoryReader;
  std::string name_;
  std::map<std::string, Entry> entries_;
};

}  // namespace litenat::export_model
