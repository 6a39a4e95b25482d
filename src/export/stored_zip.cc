#include "export/stored_zip.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace litenat::export_model {
namespace {

// APPNOTE.TXT of PKWARE: signatures, sizes of the fixed parts, and what of them is read.
constexpr uint32_t kLocalHeader = 0x04034b50;
constexpr uint32_t kDirectoryHeader = 0x02014b50;
constexpr uint32_t kEndOfDirectory = 0x06054b50;
constexpr uint32_t kEndOfDirectory64 = 0x06064b50;
constexpr uint32_t kLocator64 = 0x07064b50;
constexpr size_t kLocalHeaderSize = 30;
constexpr size_t kDirectoryHeaderSize = 46;
constexpr size_t kEndOfDirectorySize = 22;
constexpr size_t kEndOfDirectory64Size = 56;
constexpr size_t kLocator64Size = 20;
constexpr size_t kMaxComment = 65535;
constexpr uint16_t kZip64Field = 1;
constexpr uint32_t kIn64BitField = 0xffffffff;  // the value stands in the zip64 field

}  // namespace

/// Reads the directory of one archive.
class ZipDirectoryReader {
 public:
  ZipDirectoryReader(Span<const uint8_t> bytes, const std::string& name) : bytes_(bytes) { zip_.name_ = name; }

  StoredZip read() {
    find_directory();
    uint64_t at = directory_;
    for (uint64_t i = 0; i < count_; ++i) at = read_entry(at);
    return std::move(zip_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(zip_.name_ + ": zip archive: " + what + ": the file is cut off or damaged");
  }

  /// `size` bytes at `offset`.
  const uint8_t* bytes_at(uint64_t offset, uint64_t size) const {
    if (offset > bytes_.size() || size > bytes_.size() - offset)
      fail("expected " + std::to_string(size) + " bytes at " + std::to_string(offset) + " of " +
           std::to_string(bytes_.size()));
    return bytes_.data() + offset;
  }
  /// The little-endian number of `size` bytes at `offset`.
  uint64_t number(uint64_t offset, int size) const {
    const uint8_t* data = bytes_at(offset, static_cast<uint64_t>(size));
    uint64_t value = 0;
    for (int i = 0; i < size; ++i) value |= uint64_t{data[i]} << (8 * i);
    return value;
  }
  bool is_at(uint32_t signature, uint64_t offset) const { return number(offset, 4) == signature; }

  uint64_t find_end() const {
    if (bytes_.size() < kEndOfDirectorySize) fail("has no directory");
    const uint64_t last = bytes_.size() - kEndOfDirectorySize;
    const uint64_t first = last > kMaxComment ? last - kMaxComment : 0;
    for (uint64_t at = last + 1; at > first; --at)
      if (is_at(kEndOfDirectory, at - 1)) return at - 1;
    fail("has no directory");
  }

  void find_directory() {
    const uint64_t end = find_end();
    count_ = number(end + 10, 2);
    directory_ = number(end + 16, 4);
    if (end < kLocator64Size || !is_at(kLocator64, end - kLocator64Size)) return;
    const uint64_t end64 = number(end - kLocator64Size + 8, 8);
    bytes_at(end64, kEndOfDirectory64Size);
    if (!is_at(kEndOfDirectory64, end64)) fail("has no zip64 directory where it should be");
    count_ = number(end64 + 32, 8);
    directory_ = number(end64 + 48, 8);
  }

  /// Reads the entry of the directory at `at`; returns where the next one is.
  uint64_t read_entry(uint64_t at) {
    bytes_at(at, kDirectoryHeaderSize);
    if (!is_at(kDirectoryHeader, at)) fail("no entry of the directory at " + std::to_string(at));
    const uint64_t name_size = number(at + 28, 2);
    const uint64_t extra_size = number(at + 30, 2);
    const uint64_t extra = at + kDirectoryHeaderSize + name_size;
    const std::string name(reinterpret_cast<const char*>(bytes_at(at + kDirectoryHeaderSize, name_size)), name_size);
    bytes_at(extra, extra_size);
    if (number(at + 10, 2) != 0)
      throw Error(zip_.name_ + ": zip archive: entry " + name +
                  " is compressed, expected stored entries as torch.save" +
                  " writes them: save the checkpoint again with PyTorch");
    // In this order they stand in the zip64 field, those that are there.
    uint64_t field = find_zip64_field(extra, extra_size);
    take_wide(number(at + 24, 4), &field);  // size before compression
    const uint64_t size = take_wide(number(at + 20, 4), &field);
    const uint64_t offset = take_wide(number(at + 42, 4), &field);
    add(name, offset, size, static_cast<uint32_t>(number(at + 16, 4)));
    return extra + extra_size + number(at + 32, 2);
  }

  /// Where the values of the zip64 field begin; 0 without one.
  uint64_t find_zip64_field(uint64_t extra, uint64_t extra_size) {
    for (uint64_t at = extra; at + 4 <= extra + extra_size;) {
      const uint64_t size = number(at + 2, 2);
      if (number(at, 2) == kZip64Field) {
        field_end_ = std::min(at + 4 + size, extra + extra_size);
        return at + 4;
      }
      at += 4 + size;
    }
    return 0;
  }
  uint64_t take_wide(uint64_t narrow, uint64_t* field) const {
    if (narrow != kIn64BitField) return narrow;
    if (*field == 0 || *field + 8 > field_end_) fail("an entry has no 64-bit size where it should be");
    *field += 8;
    return number(*field - 8, 8);
  }

  void add(const std::string& name, uint64_t offset, uint64_t size, uint32_t checksum) {
    bytes_at(offset, kLocalHeaderSize);
    if (!is_at(kLocalHeader, offset)) fail("no entry " + name + " at " + std::to_string(offset));
    const uint64_t data = offset + kLocalHeaderSize + number(offset + 26, 2) + number(offset + 28, 2);
    StoredZip::Entry entry;
    entry.bytes = {bytes_at(data, size), static_cast<size_t>(size)};
    entry.checksum = checksum;
    if (!zip_.entries_.emplace(name, entry).second) fail("has two entries " + name);
  }

  Span<const uint8_t> bytes_;
  StoredZip zip_;
  uint64_t count_ = 0;
  uint64_t directory_ = 0;
  uint64_t field_end_ = 0;
};

StoredZip StoredZip::open(Span<const uint8_t> bytes, const std::string& name) {
  return ZipDirectoryReader(bytes, name).read();
}

bool StoredZip::is_zip(Span<const uint8_t> bytes) {
  return bytes.size() >= 4 && std::memcmp(bytes.data(), "PK\x03\x04", 4) == 0;
}

Span<const uint8_t> StoredZip::read(const std::string& entry) const {
  const auto it = entries_.find(entry);
  if (it == entries_.end()) throw Error(name_ + ": zip archive: has no entry " + entry);
  const Span<const uint8_t> bytes = it->second.bytes;
  const auto found = static_cast<uint32_t>(crc32_z(0, bytes.data(), bytes.size()));
  if (found != it->second.checksum)
    throw Error(name_ + ": zip archive: entry " + entry + " has the checksum " + std::to_string(found) + ", expected " +
                std::to_string(it->second.checksum) + ": the file is damaged");
  return bytes;
}

}  // namespace litenat::export_model
