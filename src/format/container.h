// The one file format: safetensors (github.com/huggingface/safetensors, little endian), read as if an
// enemy had written it. Deployable models, checkpoints and text resources are all containers.
//
//   u64 header size N | N bytes JSON {"name": {"dtype", "shape", "data_offsets": [begin, end]}, ...,
//   "__metadata__": {string: string}} | data
//
// Ours additionally pads the header with spaces and the data with entries named "__pad.<n>" so that every
// tensor begins on a multiple of 64 bytes of the file; any safetensors reader still reads it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mapped_file.h"
#include "base/span.h"
#include "base/status.h"

namespace litenat::format {

enum class TensorType { kF64, kF32, kF16, kBF16, kI64, kI32, kI16, kI8, kU8, kBool };
size_t size_of(TensorType type);
const char* name_of(TensorType type);  // safetensors' spelling: "F32", "I8", ...

/// A tensor inside a container; the bytes belong to the container (or the mapped file).
struct Tensor {
  TensorType type = TensorType::kF32;
  std::vector<int64_t> shape;
  Span<const uint8_t> bytes;

  int64_t num_elements() const;
  /// The data as T; the caller has checked `type`. Valid for aligned data only (all of ours is).
  template <typename T>
  const T* data() const {
    return reinterpret_cast<const T*>(bytes.data());
  }
};

/// A read-only container. Opening checks everything: sizes in 64 bits, offsets in bounds and without
/// overlap, shapes against byte counts, names unique, UTF-8. Bytes are never copied.
class Container {
 public:
  static Result<std::shared_ptr<const Container>> open(const std::string& path);
  /// `owner` is kept as long as the container lives (may be null when the caller guarantees the bytes).
  static Result<std::shared_ptr<const Container>> from_memory(Span<const uint8_t> bytes,
                                                              std::shared_ptr<const void> owner,
                                                              const std::string& name);

  /// The tensor `name`, or null.
  const Tensor* find(const std::string& name) const;
  /// The tensor `name` if it has this type and shape (-1 matches any extent); else an error that says
  /// what was expected and found.
  Result<Tensor> get(const std::string& name, TensorType type, const std::vector<int64_t>& shape) const;
  const std::map<std::string, Tensor>& tensors() const { return tensors_; }
  /// Metadata value `key`, or null.
  const std::string* metadata(const std::string& key) const;
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::string& name() const { return name_; }
  uint64_t size_bytes() const { return size_bytes_; }

 private:
  Container() = default;
  std::string name_;
  uint64_t size_bytes_ = 0;
  std::shared_ptr<const void> owner_;
  std::map<std::string, Tensor> tensors_;
  std::map<std::string, std::string> metadata_;
};

/// Collects tensors and metadata and writes them as one file, atomically. Data must stay valid until write().
class ContainerWriter {
 public:
  /// Duplicate names and shapes that do not fit `bytes` are errors at write().
  void add(const std::string& name, TensorType type, std::vector<int64_t> shape, Span<const uint8_t> bytes);
  /// As above, but keeps a copy of the bytes.
  void add_copy(const std::string& name, TensorType type, std::vector<int64_t> shape, const void* data, size_t size);
  void set_metadata(const std::string& key, const std::string& value) { metadata_[key] = value; }
  Status write(const std::string& path) const;

 private:
  struct Entry {
    TensorType type;
    std::vector<int64_t> shape;
    Span<const uint8_t> bytes;
    std::shared_ptr<std::vector<uint8_t>> owned;
  };
  Status check_entries() const;
  Result<std::string> header() const;
  std::vector<std::pair<std::string, Entry>> entries_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace litenat::format
