// Files of torch.save: the zip archive of PyTorch 1.6 and later, and the older row of pickles. Nothing in them is
// executed (see pickle.h), and libtorch is not needed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/span.h"
#include "export/pickle.h"
#include "export/stored_zip.h"

namespace litenat::export_model {

enum class TorchType { kF32, kF64, kF16, kBF16, kI64, kI32, kI16, kI8, kU8, kBool };
size_t size_of(TorchType type);
const char* name_of(TorchType type);

/// A tensor of an archive: a strided view of a storage, every element of which lies inside it.
struct TorchTensor {
  TorchType type = TorchType::kF32;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;  // in elements
  Span<const uint8_t> storage;   // from the first element on
  size_t num_elements = 0;       // at most as many as the storage has

  bool is_contiguous() const;
  /// Every element in row-major order, converted to float.
  std::vector<float> to_floats() const;
};

class TorchArchive {
 public:
  /// Throws Error that names the file and what is wrong with it.
  static TorchArchive open(const std::string& path);
  /// As above, of bytes that `owner` keeps.
  static TorchArchive from_memory(Span<const uint8_t> bytes, std::shared_ptr<const void> owner,
                                  const std::string& name);

  /// What was saved.
  const Pickle& pickle() const { return *pickle_; }
  /// The tensor that value `id` stands for, or none when it stands for something else. Throws Error when it reaches
  /// outside its storage, or is of a type or layout that is not read; `what` names it in the message.
  std::optional<TorchTensor> tensor(PickleId id, const std::string& what) const;
  const std::string& name() const { return name_; }

 private:
  struct Storage {
    TorchType type = TorchType::kF32;
    Span<const uint8_t> bytes;
  };
  void open_zip(Span<const uint8_t> bytes);
  void open_legacy(Span<const uint8_t> bytes);
  void read_legacy_storages(Span<const uint8_t> bytes, const Pickle& keys);
  TorchTensor rebuild(const std::vector<PickleId>& arguments, const std::string& what) const;
  Storage storage(PickleId id, const std::string& what) const;

  std::string name_;
  std::shared_ptr<const void> owner_;
  std::shared_ptr<const Pickle> pickle_;
  std::shared_ptr<const StoredZip> zip_;                                     // null in the older format
  std::string folder_;                                                       // of the entries in the zip archive
  std::map<std::string, Span<const uint8_t>, std::less<>> legacy_storages_;  // by key
};

}  // namespace litenat::export_model
