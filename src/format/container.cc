#include "format/container.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/json.h"
#include "base/utf8.h"
#include "format/layout.h"

namespace litenat::format {
namespace {

constexpr size_t kMaxRank = 8;

struct TypeRow {
  TensorType type;
  const char* name;
  size_t size;
};
constexpr TypeRow kTypes[] = {
    {TensorType::kF64, "F64", 8},   {TensorType::kF32, "F32", 4}, {TensorType::kF16, "F16", 2},
    {TensorType::kBF16, "BF16", 2}, {TensorType::kI64, "I64", 8}, {TensorType::kI32, "I32", 4},
    {TensorType::kI16, "I16", 2},   {TensorType::kI8, "I8", 1},   {TensorType::kU8, "U8", 1},
    {TensorType::kBool, "BOOL", 1},
};

/// A tensor's entry of the header, in file order of its bytes.
struct Entry {
  std::string name;
  Tensor tensor;
  uint64_t begin = 0;
  uint64_t end = 0;
};

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i == 0 ? "" : ", ") + (shape[i] < 0 ? std::string("any") : std::to_string(shape[i]));
  return text + "]";
}

Status read_type(const Json& entry, TensorType* type) {
  const Json* dtype = entry.find("dtype");
  if (dtype == nullptr || !dtype->is_string()) return corrupt("expected a string 'dtype'");
  for (const TypeRow& row : kTypes)
    if (dtype->string() == row.name) {
      *type = row.type;
      return {};
    }
  return unsupported("dtype '" + dtype->string().substr(0, 32) + "' is not one that LiteNAT reads");
}

Status read_shape(const Json& entry, std::vector<int64_t>* shape) {
  const Json* array = entry.find("shape");
  if (array == nullptr || !array->is_array()) return corrupt("expected an array 'shape'");
  if (array->items().size() > kMaxRank)
    return corrupt("expected at most " + std::to_string(kMaxRank) + " dimensions, found " +
                   std::to_string(array->items().size()));
  for (const Json& extent : array->items()) {
    if (!extent.is_integer() || extent.integer() < 0) return corrupt("expected 'shape' of whole numbers from 0");
    shape->push_back(extent.integer());
  }
  return {};
}

Status read_offsets(const Json& entry, uint64_t data_size, uint64_t* begin, uint64_t* end) {
  const Json* array = entry.find("data_offsets");
  if (array == nullptr || !array->is_array() || array->items().size() != 2)
    return corrupt("expected 'data_offsets' of two numbers");
  const Json& first = array->items()[0];
  const Json& last = array->items()[1];
  if (!first.is_integer() || !last.is_integer() || first.integer() < 0 || last.integer() < first.integer() ||
      static_cast<uint64_t>(last.integer()) > data_size)
    return corrupt("data_offsets " + array->dump().substr(0, 64) + " are not inside the " + std::to_string(data_size) +
                   " bytes of data");
  *begin = static_cast<uint64_t>(first.integer());
  *end = static_cast<uint64_t>(last.integer());
  return {};
}

Status read_entry(const Json& json, Span<const uint8_t> data, Entry* entry) {
  if (!json.is_object() || json.members().size() != 3)
    return corrupt("expected an object of dtype, shape and data_offsets");
  LITENAT_RETURN_IF_ERROR(read_type(json, &entry->tensor.type));
  LITENAT_RETURN_IF_ERROR(read_shape(json, &entry->tensor.shape));
  LITENAT_RETURN_IF_ERROR(read_offsets(json, data.size(), &entry->begin, &entry->end));
  uint64_t bytes = 0;
  if (!tensor_bytes(entry->tensor.type, entry->tensor.shape, &bytes) || bytes != entry->end - entry->begin)
    return corrupt("shape " + shape_text(entry->tensor.shape) + " of " + name_of(entry->tensor.type) +
                   " does not fit its " + std::to_string(entry->end - entry->begin) + " bytes");
  entry->tensor.bytes = data.subspan(entry->begin, bytes);
  if (reinterpret_cast<uintptr_t>(entry->tensor.bytes.data()) % size_of(entry->tensor.type) != 0)
    return unsupported("its bytes do not begin on a multiple of its element size; write the file again with litenat");
  return {};
}

/// safetensors wants the entries to cover the data without gaps and overlaps.
Status check_cover(std::vector<Entry>* entries, uint64_t data_size) {
  std::sort(entries->begin(), entries->end(), [](const Entry& a, const Entry& b) {
    return std::make_pair(a.begin, a.end) < std::make_pair(b.begin, b.end);
  });
  uint64_t at = 0;
  for (const Entry& entry : *entries) {
    if (entry.begin != at)
      return corrupt("tensor '" + entry.name + "': expected its bytes to begin at " + std::to_string(at) + ", found " +
                     std::to_string(entry.begin) + (entry.begin < at ? " (tensors overlap)" : " (a gap)"));
    at = entry.end;
  }
  if (at != data_size)
    return corrupt("expected " + std::to_string(at) + " bytes of data, found " + std::to_string(data_size));
  return {};
}

Status read_metadata(const Json& json, std::map<std::string, std::string>* metadata) {
  if (!json.is_object()) return corrupt("__metadata__: expected an object");
  for (const auto& [key, value] : json.members()) {
    if (!value.is_string()) return corrupt("__metadata__." + key + ": expected a string");
    (*metadata)[key] = value.string();
  }
  return {};
}

/// The header's text, and the data after it.
Status split_file(Span<const uint8_t> bytes, std::string_view* header, Span<const uint8_t>* data) {
  if (bytes.size() < 8)
    return corrupt("expected a safetensors file, found only " + std::to_string(bytes.size()) + " bytes");
  uint64_t size = 0;
  for (int i = 7; i >= 0; --i) size = size << 8 | bytes[static_cast<size_t>(i)];
  if (size > bytes.size() - 8)
    return corrupt("expected a header of " + std::to_string(size) + " bytes, found only " +
                   std::to_string(bytes.size() - 8) + " (no safetensors file, or cut)");
  if (size > kMaxHeaderSize)
    return corrupt("a header of " + std::to_string(size) + " bytes; at most " + std::to_string(kMaxHeaderSize) +
                   " are read");
  *header = {reinterpret_cast<const char*>(bytes.data()) + 8, static_cast<size_t>(size)};
  *data = bytes.subspan(8 + static_cast<size_t>(size), bytes.size() - 8 - static_cast<size_t>(size));
  return {};
}

Status read_entries(const Json& header, Span<const uint8_t> data, std::vector<Entry>* entries) {
  for (const auto& [name, json] : header.members()) {
    if (name == kMetadataKey) continue;
    Entry entry;
    entry.name = name;
    LITENAT_RETURN_IF_ERROR(read_entry(json, data, &entry).with_context("tensor '" + name + "'"));
    entries->push_back(std::move(entry));
  }
  return check_cover(entries, data.size());
}

Status read_all(Span<const uint8_t> bytes, std::map<std::string, Tensor>* tensors,
                std::map<std::string, std::string>* metadata) {
  std::string_view text;
  Span<const uint8_t> data;
  LITENAT_RETURN_IF_ERROR(split_file(bytes, &text, &data));
  if (text.empty() || text[0] != '{') return corrupt("expected the header to begin with '{'");
  LITENAT_ASSIGN_OR_RETURN(const Json header, Json::parse(text));
  if (const Json* json = header.find(kMetadataKey)) LITENAT_RETURN_IF_ERROR(read_metadata(*json, metadata));
  std::vector<Entry> entries;
  LITENAT_RETURN_IF_ERROR(read_entries(header, data, &entries));
  for (Entry& entry : entries)
    if (!is_padding(entry.name)) tensors->emplace(std::move(entry.name), std::move(entry.tensor));
  return {};
}

bool shape_matches(const std::vector<int64_t>& found, const std::vector<int64_t>& expected) {
  if (found.size() != expected.size()) return false;
  for (size_t i = 0; i < found.size(); ++i)
    if (expected[i] >= 0 && found[i] != expected[i]) return false;
  return true;
}

}  // namespace

size_t size_of(TensorType type) {
  for (const TypeRow& row : kTypes)
    if (row.type == type) return row.size;
  return 0;
}

const char* name_of(TensorType type) {
  for (const TypeRow& row : kTypes)
    if (row.type == type) return row.name;
  return "?";
}

bool tensor_bytes(TensorType type, const std::vector<int64_t>& shape, uint64_t* bytes) {
  // A zero extent makes the tensor empty, yet the other extents may not overflow either.
  uint64_t product = size_of(type);
  bool empty = false;
  for (const int64_t extent : shape) {
    if (extent < 0) return false;
    if (extent == 0)
      empty = true;
    else if (__builtin_mul_overflow(product, static_cast<uint64_t>(extent), &product) || product > INT64_MAX)
      return false;
  }
  *bytes = empty ? 0 : product;
  return true;
}

bool is_padding(const std::string& name) { return name.compare(0, std::strlen(kPaddingPrefix), kPaddingPrefix) == 0; }

int64_t Tensor::num_elements() const { return static_cast<int64_t>(bytes.size() / size_of(type)); }

Result<std::shared_ptr<const Container>> Container::open(const std::string& path) {
  LITENAT_ASSIGN_OR_RETURN(std::shared_ptr<const MappedFile> file, MappedFile::open(path));
  const Span<const uint8_t> bytes = file->bytes();
  return from_memory(bytes, std::move(file), path);
}

Result<std::shared_ptr<const Container>> Container::from_memory(Span<const uint8_t> bytes,
                                                                std::shared_ptr<const void> owner,
                                                                const std::string& name) {
  std::shared_ptr<Container> container(new Container());
  container->name_ = name;
  container->size_bytes_ = bytes.size();
  container->owner_ = std::move(owner);
  LITENAT_RETURN_IF_ERROR(read_all(bytes, &container->tensors_, &container->metadata_).with_context(name));
  return std::shared_ptr<const Container>(std::move(container));
}

const Tensor* Container::find(const std::string& name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

Result<Tensor> Container::get(const std::string& name, TensorType type, const std::vector<int64_t>& shape) const {
  const std::string expected = std::string(name_of(type)) + " " + shape_text(shape);
  const Tensor* tensor = find(name);
  if (tensor == nullptr) return not_found(name_ + ": tensor '" + name + "': expected " + expected + ", found none");
  if (tensor->type != type || !shape_matches(tensor->shape, shape))
    return corrupt(name_ + ": tensor '" + name + "': expected " + expected + ", found " + name_of(tensor->type) + " " +
                   shape_text(tensor->shape));
  return *tensor;
}

const std::string* Container::metadata(const std::string& key) const {
  const auto found = metadata_.find(key);
  return found == metadata_.end() ? nullptr : &found->second;
}

}  // namespace litenat::format
