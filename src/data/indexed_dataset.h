// fairseq's indexed datasets: sentences of token ids in a .bin file with an .idx beside it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "base/mapped_file.h"
#include "base/span.h"
#include "base/status.h"

namespace litenat::data {

/// Reads MMIDIDX (mapped) and the legacy TNTIDX format; which one is told by the magic. Opening checks every size,
/// offset and count in 64 bits against the files before it believes it. Reading is thread-safe.
class IndexedDataset {
 public:
  /// `prefix` as in "data-bin/train.pinyin-hanzi.hanzi" (".idx" and ".bin" are added). Errors: kNotFound or kIo for
  /// the files, kUnsupported for data that are no token ids, kCorrupt when index and data contradict each other.
  static Result<std::shared_ptr<const IndexedDataset>> open(const std::string& prefix);

  int64_t size() const { return static_cast<int64_t>(sizes_.size()); }
  /// Tokens of sentence i, </s> included.
  int32_t length(int64_t i) const { return sizes_[static_cast<size_t>(i)]; }
  Span<const int32_t> lengths() const { return sizes_; }
  int64_t num_tokens() const { return num_tokens_; }
  /// Copies sentence i, 0 <= i < size(), to *out (resized).
  void read(int64_t i, std::vector<int32_t>* out) const;
  /// Whether every id of the data is in [0, vocabulary); kCorrupt names the first sentence where one is not. Reads all
  /// of the data.
  Status check_ids(int64_t vocabulary) const;

 private:
  friend struct IndexReader;
  IndexedDataset() = default;
  std::shared_ptr<const MappedFile> data_;
  std::vector<int32_t> sizes_;
  std::vector<int64_t> offsets_;  // in bytes
  int64_t num_tokens_ = 0;
  int type_code_ = 0;
  bool legacy_ = false;
};

/// Writes MMIDIDX, byte for byte what fairseq writes. The token type follows the vocabulary size (u16 below 65500).
class IndexedDatasetWriter {
 public:
  IndexedDatasetWriter(const std::string& prefix, int64_t vocabulary);
  /// Creates both files aside. Call before the first add().
  Status open();
  /// Appends one sentence. Every id must be in [0, vocabulary).
  Status add(Span<const int32_t> tokens);
  /// Bytes of one id in the data file.
  int token_bytes() const { return token_bytes_; }
  /// Appends sentences whose ids stand one after the other in `data`, token_bytes() little-endian bytes each.
  Status add_packed(Span<const uint8_t> data, Span<const int32_t> sizes);
  /// Writes the index and puts both files in place.
  Status commit();

 private:
  AtomicFile data_;
  AtomicFile index_;
  int64_t vocabulary_;
  int type_code_;
  int token_bytes_;
  std::vector<int32_t> sizes_;
};

}  // namespace litenat::data
