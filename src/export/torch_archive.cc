#include "export/torch_archive.h"

#include <cstring>

#include "base/error.h"
#include "base/mapped_file.h"

namespace litenat::export_model {
namespace {

struct TypeRow {
  TorchType type;
  const char* storage;  // class in module torch
  const char* name;
  size_t size;
};
constexpr TypeRow kTypes[] = {
    {TorchType::kF32, "FloatStorage", "float32", 4}, {TorchType::kF64, "DoubleStorage", "float64", 8},
    {TorchType::kF16, "HalfStorage", "float16", 2},  {TorchType::kBF16, "BFloat16Storage", "bfloat16", 2},
    {TorchType::kI64, "LongStorage", "int64", 8},    {TorchType::kI32, "IntStorage", "int32", 4},
    {TorchType::kI16, "ShortStorage", "int16", 2},   {TorchType::kI8, "CharStorage", "int8", 1},
    {TorchType::kU8, "ByteStorage", "uint8", 1},     {TorchType::kBool, "BoolStorage", "bool", 1}};

const TypeRow& row_of(TorchType type) {
  for (const TypeRow& row : kTypes)
    if (row.type == type) return row;
  return kTypes[0];  // every type has its row
}

constexpr size_t kMaxDimensions = 16;
// 0x1950a86a20f9469cfc6c, little endian: the first pickle of the older format.
constexpr std::string_view kLegacyMagic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);
constexpr int64_t kLegacyProtocol = 1001;

float from_half(uint16_t half) {
  const uint32_t sign = (half & 0x8000u) << 16;
  const uint32_t exponent = (half >> 10) & 31;
  const uint32_t fraction = half & 1023u;
  if (exponent == 0) {  // zero or subnormal
    const float value = static_cast<float>(fraction) / 16777216.0f;
    return sign != 0 ? -value : value;
  }
  const uint32_t bits = sign | (exponent == 31 ? 0x7f800000u : (exponent + 112) << 23) | (fraction << 13);
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

template <typename T>
T load(const uint8_t* data) {
  T value;
  std::memcpy(&value, data, sizeof(value));
  return value;
}

float load_float(TorchType type, const uint8_t* data) {
  switch (type) {
    case TorchType::kF32:
      return load<float>(data);
    case TorchType::kF64:
      return static_cast<float>(load<double>(data));
    case TorchType::kF16:
      return from_half(load<uint16_t>(data));
    case TorchType::kBF16: {
      const uint32_t bits = uint32_t{load<uint16_t>(data)} << 16;
      float value;
      std::memcpy(&value, &bits, sizeof(value));
      return value;
    }
    case TorchType::kI64:
      return static_cast<float>(load<int64_t>(data));
    case TorchType::kI32:
      return static_cast<float>(load<int32_t>(data));
    case TorchType::kI16:
      return static_cast<float>(load<int16_t>(data));
    case TorchType::kI8:
      return static_cast<float>(load<int8_t>(data));
    case TorchType::kU8:
    case TorchType::kBool:
      return static_cast<float>(*data);
  }
  return 0;
}

/// The non-negative integers of a tuple.
std::vector<int64_t> sizes_of(const Pickle& pickle, PickleId id, const std::string& what) {
  std::vector<int64_t> sizes;
  for (const PickleId item : pickle[id].items) {
    const PickleValue& value = pickle[item];
    if (value.kind != PickleKind::kInteger || !value.text.empty() || value.integer < 0)
      throw Error(what + ": expected numbers from 0 on as its sizes and strides, found something else");
    sizes.push_back(value.integer);
  }
  if (sizes.size() > kMaxDimensions)
    throw Error(what + ": has " + std::to_string(sizes.size()) + " dimensions, expected at most " +
                std::to_string(kMaxDimensions));
  return sizes;
}

/// a * b + c, or -1 where that is no int64_t.
int64_t multiply_add(int64_t a, int64_t b, int64_t c) {
  int64_t product;
  int64_t sum;
  return __builtin_mul_overflow(a, b, &product) || __builtin_add_overflow(product, c, &sum) ? -1 : sum;
}

/// Number of elements of `tensor`; throws unless all of them lie among the `available` of its storage.
size_t check_extent(const TorchTensor& tensor, size_t available, const std::string& what) {
  int64_t count = 1;
  int64_t last = 0;
  for (const int64_t extent : tensor.shape)
    if (extent == 0) return 0;
  for (size_t i = 0; i < tensor.shape.size() && count >= 0 && last >= 0; ++i) {
    count = multiply_add(count, tensor.shape[i], 0);
    last = multiply_add(tensor.shape[i] - 1, tensor.strides[i], last);
  }
  const bool fits =
      count >= 0 && last >= 0 && static_cast<uint64_t>(count) <= available && static_cast<uint64_t>(last) < available;
  if (!fits)
    throw Error(what + ": reaches outside the " + std::to_string(available) +
                " elements of its storage: the file is damaged");
  return static_cast<size_t>(count);
}

}  // namespace

size_t size_of(TorchType type) { return row_of(type).size; }
const char* name_of(TorchType type) { return row_of(type).name; }

bool TorchTensor::is_contiguous() const {
  if (num_elements == 0) return true;
  int64_t expected = 1;
  for (size_t i = shape.size(); i > 0; --i) {
    if (shape[i - 1] != 1 && strides[i - 1] != expected) return false;
    expected *= shape[i - 1];  // bounded by num_elements
  }
  return true;
}

std::vector<float> TorchTensor::to_floats() const {
  std::vector<float> values(num_elements);
  const size_t size = size_of(type);
  std::vector<int64_t> index(shape.size(), 0);
  int64_t element = 0;
  for (float& value : values) {
    value = load_float(type, storage.data() + static_cast<size_t>(element) * size);
    for (size_t i = shape.size(); i > 0; --i) {  // the next index, last dimension first
      element += strides[i - 1];
      if (++index[i - 1] < shape[i - 1]) break;
      element -= strides[i - 1] * shape[i - 1];
      index[i - 1] = 0;
    }
  }
  return values;
}

TorchArchive TorchArchive::open(const std::string& path) {
  const auto file = value_or_throw(MappedFile::open(path));
  return from_memory(file->bytes(), file, path);
}

TorchArchive TorchArchive::from_memory(Span<const uint8_t> bytes, std::shared_ptr<const void> owner,
                                       const std::string& name) {
  TorchArchive archive;
  archive.name_ = name;
  archive.owner_ = std::move(owner);
  if (StoredZip::is_zip(bytes)) {
    archive.open_zip(bytes);
  } else if (!bytes.empty() && bytes[0] == 0x80) {
    archive.open_legacy(bytes);
  } else {
    throw Error(name + ": is no file of torch.save, expected a zip archive or a pickle");
  }
  return archive;
}

void TorchArchive::open_zip(Span<const uint8_t> bytes) {
  const auto zip = std::make_shared<const StoredZip>(StoredZip::open(bytes, name_));
  const std::string suffix = "/data.pkl";
  for (const auto& [entry, content] : zip->entries()) {
    const size_t slash = entry.find('/');
    if (slash != std::string::npos && entry.compare(slash, std::string::npos, suffix) == 0)
      folder_ = entry.substr(0, slash + 1);
  }
  if (folder_.empty()) throw Error(name_ + ": has no entry data.pkl, so it is no file of torch.save");
  if (zip->has(folder_ + "byteorder")) {
    const Span<const uint8_t> order = zip->read(folder_ + "byteorder");
    if (std::string(order.begin(), order.end()) != "little")
      throw Error(name_ + ": was written on a big-endian machine, expected little endian");
  }
  pickle_ = std::make_shared<const Pickle>(Pickle::read(zip->read(folder_ + "data.pkl"), name_));
  zip_ = zip;
}

/// Five pickles (magic, protocol, system, object, keys of the storages), then the storages.
void TorchArchive::open_legacy(Span<const uint8_t> bytes) {
  const auto next = [&] {
    Pickle pickle = Pickle::read(bytes, name_);
    bytes = bytes.subspan(pickle.size_bytes(), bytes.size() - pickle.size_bytes());
    return pickle;
  };
  const Pickle magic = next();
  if (magic[magic.root()].kind != PickleKind::kInteger || magic[magic.root()].text != kLegacyMagic)
    throw Error(name_ + ": is no file of torch.save: the magic number is not there");
  const Pickle protocol = next();
  if (protocol[protocol.root()].integer != kLegacyProtocol)
    throw Error(name_ + ": is of torch.save's protocol " + std::to_string(protocol[protocol.root()].integer) +
                ", expected " + std::to_string(kLegacyProtocol));
  const Pickle system = next();
  if (system[system.find(system.root(), "little_endian")].integer != 1)
    throw Error(name_ + ": was written on a big-endian machine, expected little endian");
  pickle_ = std::make_shared<const Pickle>(next());
  const Pickle keys = next();
  read_legacy_storages(bytes, keys);
}

void TorchArchive::read_legacy_storages(Span<const uint8_t> bytes, const Pickle& keys) {
  std::map<std::string_view, TorchType> types;
  for (PickleId id = 0; id < pickle_->num_values(); ++id) {
    if ((*pickle_)[id].kind != PickleKind::kPersistent) continue;
    const auto& identity = (*pickle_)[(*pickle_)[id].arguments].items;
    if (identity.size() < 3) continue;
    for (const TypeRow& row : kTypes)
      if (pickle_->is_global(identity[1], "torch", row.storage)) types[(*pickle_)[identity[2]].text] = row.type;
  }
  for (const PickleId item : keys[keys.root()].items) {
    const std::string key(keys[item].text);
    const auto type = types.find(key);
    if (type == types.end()) throw Error(name_ + ": storage '" + key + "' is of a type that is not read");
    if (bytes.size() < 8) throw Error(name_ + ": storage '" + key + "': the file is cut off");
    const auto count = load<uint64_t>(bytes.data());
    bytes = bytes.subspan(8, bytes.size() - 8);
    const size_t size = size_of(type->second);
    if (count > bytes.size() / size)
      throw Error(name_ + ": storage '" + key + "': expected " + std::to_string(count) + " elements of " +
                  std::to_string(size) + " bytes, found " + std::to_string(bytes.size()) +
                  " bytes: the file is cut off");
    legacy_storages_[key] = bytes.subspan(0, static_cast<size_t>(count) * size);
    bytes = bytes.subspan(static_cast<size_t>(count) * size, bytes.size() - static_cast<size_t>(count) * size);
  }
}

/// The identity of a storage is ("storage", class, key, device, elements[, view]).
TorchArchive::Storage TorchArchive::storage(PickleId id, const std::string& what) const {
  const Pickle& pickle = *pickle_;
  const auto& identity = pickle[pickle[id].arguments].items;
  if (pickle[id].kind != PickleKind::kPersistent || identity.size() < 5 || pickle[identity[0]].text != "storage")
    throw Error(what + ": expected a storage, found something else");
  if (identity.size() > 5 && pickle[identity[5]].kind != PickleKind::kNone)
    throw Error(what + ": is a view of another storage, which is not read: save the checkpoint again with PyTorch");
  Storage storage;
  bool known = false;
  for (const TypeRow& row : kTypes) {
    if (!pickle.is_global(identity[1], "torch", row.storage)) continue;
    storage.type = row.type;
    known = true;
  }
  if (!known) throw Error(what + ": is of type " + std::string(pickle[identity[1]].name) + ", which is not read");
  const std::string key(pickle[identity[2]].text);
  if (zip_ != nullptr) {
    storage.bytes = zip_->read(folder_ + "data/" + key);
    return storage;
  }
  const auto it = legacy_storages_.find(key);
  if (it == legacy_storages_.end()) throw Error(what + ": the file has no storage '" + key + "'");
  storage.bytes = it->second;
  return storage;
}

/// Arguments of torch._utils._rebuild_tensor_v2: storage, offset, size, stride, and what only training needs.
TorchTensor TorchArchive::rebuild(const std::vector<PickleId>& arguments, const std::string& what) const {
  const Pickle& pickle = *pickle_;
  if (arguments.size() < 4) throw Error(what + ": expected a storage, an offset, sizes and strides");
  const Storage from = storage(arguments[0], what);
  TorchTensor tensor;
  tensor.type = from.type;
  tensor.shape = sizes_of(pickle, arguments[2], what);
  tensor.strides = sizes_of(pickle, arguments[3], what);
  if (tensor.shape.size() != tensor.strides.size())
    throw Error(what + ": expected a stride for each of its " + std::to_string(tensor.shape.size()) +
                " dimensions, found " + std::to_string(tensor.strides.size()));
  for (size_t i = 0; i < tensor.shape.size(); ++i)
    if (tensor.shape[i] <= 1) tensor.strides[i] = 0;  // never taken, so it may be any number
  const PickleValue& offset = pickle[arguments[1]];
  const size_t elements = from.bytes.size() / size_of(from.type);
  if (offset.kind != PickleKind::kInteger || !offset.text.empty() || offset.integer < 0 ||
      static_cast<uint64_t>(offset.integer) > elements)
    throw Error(what + ": begins outside the " + std::to_string(elements) + " elements of its storage");
  const auto skipped = static_cast<size_t>(offset.integer);
  tensor.num_elements = check_extent(tensor, elements - skipped, what);
  tensor.storage = from.bytes.subspan(skipped * size_of(from.type), (elements - skipped) * size_of(from.type));
  return tensor;
}

std::optional<TorchTensor> TorchArchive::tensor(PickleId id, const std::string& what) const {
  const Pickle& pickle = *pickle_;
  const std::string where = name_ + ": tensor " + what;
  const PickleValue* value = &pickle[id];
  if (value->kind != PickleKind::kObject) return std::nullopt;
  const auto& parameter = pickle[value->arguments].items;  // of _rebuild_parameter: the tensor, requires_grad, hooks
  if (pickle.is_global(value->callee, "torch._utils", "_rebuild_parameter") && !parameter.empty())
    value = &pickle[parameter[0]];
  if (pickle[value->callee].text != "torch._utils") return std::nullopt;
  if (!pickle.is_global(value->callee, "torch._utils", "_rebuild_tensor_v2"))
    throw Error(where + ": is made by " + std::string(pickle[value->callee].name) + ", which is not read");
  return rebuild(pickle[value->arguments].items, where);
}

}  // namespace litenat::export_model
