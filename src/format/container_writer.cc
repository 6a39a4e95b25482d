#include <array>
#include <set>
#include <utility>

#include "base/atomic_file.h"
#include "base/json.h"
#include "base/utf8.h"
#include "format/container.h"
#include "format/layout.h"

namespace litenat::format {
namespace {

bool is_utf8(const std::string& text) {
  size_t at = 0;
  bool valid = true;
  while (at < text.size() && valid) decode_utf8(text, &at, &valid);
  return valid;
}

Status check_name(const std::string& name) {
  if (name.empty() || name == kMetadataKey || is_padding(name) || !is_utf8(name))
    return invalid_argument("'" + name + "' cannot name a tensor");
  return {};
}

Json entry_json(TensorType type, const std::vector<int64_t>& shape, uint64_t begin, uint64_t end) {
  Json extents = Json::array();
  for (const int64_t extent : shape) extents.push_back(Json(extent));
  Json offsets = Json::array();
  offsets.push_back(Json(static_cast<int64_t>(begin)));
  offsets.push_back(Json(static_cast<int64_t>(end)));
  Json entry = Json::object();
  entry.set("dtype", Json(name_of(type)));
  entry.set("shape", std::move(extents));
  entry.set("data_offsets", std::move(offsets));
  return entry;
}

uint64_t round_up(uint64_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

Status write_zeros(AtomicFile* file, uint64_t count) {
  static constexpr std::array<uint8_t, kAlignment> kZeros{};
  return count == 0 ? Status() : file->write(kZeros.data(), count);
}

/// The size field and the header, padded so that the data begins on a multiple of kAlignment.
Status write_header(AtomicFile* file, std::string header) {
  header.resize(round_up(8 + header.size()) - 8, ' ');
  std::array<uint8_t, 8> size{};
  for (size_t i = 0; i < 8; ++i) size[i] = static_cast<uint8_t>(static_cast<uint64_t>(header.size()) >> (8 * i));
  LITENAT_RETURN_IF_ERROR(file->write(size.data(), size.size()));
  return file->write(header);
}

Result<Json> metadata_json(const std::map<std::string, std::string>& metadata) {
  Json json = Json::object();
  for (const auto& [key, value] : metadata) {
    if (!is_utf8(key) || !is_utf8(value)) return invalid_argument("metadata '" + key + "' is not UTF-8");
    json.set(key, Json(value));
  }
  return json;
}

}  // namespace

void ContainerWriter::add(const std::string& name, TensorType type, std::vector<int64_t> shape,
                          Span<const uint8_t> bytes) {
  entries_.emplace_back(name, Entry{type, std::move(shape), bytes, nullptr});
}

void ContainerWriter::add_copy(const std::string& name, TensorType type, std::vector<int64_t> shape, const void* data,
                               size_t size) {
  const uint8_t* first = static_cast<const uint8_t*>(data);
  auto owned = std::make_shared<std::vector<uint8_t>>();
  if (size != 0) owned->assign(first, first + size);
  const Span<const uint8_t> bytes(owned->data(), owned->size());
  entries_.emplace_back(name, Entry{type, std::move(shape), bytes, std::move(owned)});
}

Status ContainerWriter::check_entries() const {
  std::set<std::string> names;
  for (const auto& [name, entry] : entries_) {
    LITENAT_RETURN_IF_ERROR(check_name(name));
    if (!names.insert(name).second) return invalid_argument("tensor '" + name + "' was added twice");
    uint64_t bytes = 0;
    if (!tensor_bytes(entry.type, entry.shape, &bytes) || bytes != entry.bytes.size())
      return invalid_argument("tensor '" + name + "': its shape does not fit its " +
                              std::to_string(entry.bytes.size()) + " bytes of " + name_of(entry.type));
  }
  return {};
}

Result<std::string> ContainerWriter::header() const {
  Json header = Json::object();
  LITENAT_ASSIGN_OR_RETURN(Json metadata, metadata_json(metadata_));
  if (!metadata_.empty()) header.set(kMetadataKey, std::move(metadata));
  uint64_t at = 0;
  int64_t pads = 0;
  for (const auto& [name, entry] : entries_) {
    const uint64_t begin = round_up(at);
    if (begin != at)
      header.set(kPaddingPrefix + std::to_string(pads++),
                 entry_json(TensorType::kU8, {static_cast<int64_t>(begin - at)}, at, begin));
    at = begin + entry.bytes.size();
    header.set(name, entry_json(entry.type, entry.shape, begin, at));
  }
  return header.dump();
}

Status ContainerWriter::write(const std::string& path) const {
  LITENAT_RETURN_IF_ERROR(check_entries().with_context(path));
  LITENAT_ASSIGN_OR_RETURN(std::string text, header());
  if (text.size() > kMaxHeaderSize - kAlignment)  // what its padding may add
    return invalid_argument(path + ": a header of " + std::to_string(text.size()) + " bytes; at most " +
                            std::to_string(kMaxHeaderSize - kAlignment) + " can be written");
  AtomicFile file(path);
  LITENAT_RETURN_IF_ERROR(file.open());
  LITENAT_RETURN_IF_ERROR(write_header(&file, std::move(text)));
  for (const auto& [name, entry] : entries_) {
    LITENAT_RETURN_IF_ERROR(write_zeros(&file, round_up(file.position()) - file.position()));
    if (!entry.bytes.empty()) LITENAT_RETURN_IF_ERROR(file.write(entry.bytes.data(), entry.bytes.size()));
  }
  return file.commit();
}

}  // namespace litenat::format
