#include "data/indexed_dataset.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace litenat::data {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the formats are little-endian and mapped as they are");

constexpr char kMappedMagic[9] = {'M', 'M', 'I', 'D', 'I', 'D', 'X', 0, 0};
constexpr char kLegacyMagic[8] = {'T', 'N', 'T', 'I', 'D', 'X', 0, 0};
constexpr uint64_t kVersion = 1;
constexpr size_t kMappedHeaderBytes = 26;
constexpr size_t kLegacyHeaderBytes = 48;
constexpr int kInt32Code = 4, kInt64Code = 5, kUint16Code = 8, kUint32Code = 9, kUint64Code = 10;

/// Bytes of one value of fairseq's type code; 0 for codes that do not hold integers.
int64_t type_bytes(uint64_t code) {
  switch (code) {
    case 1:
    case 2:
      return 1;
    case 3:
    case kUint16Code:
      return 2;
    case kInt32Code:
    case kUint32Code:
      return 4;
    case kInt64Code:
    case kUint64Code:
      return 8;
    default:
      return 0;
  }
}

int type_code_of_vocabulary(int64_t vocabulary) {
  if (vocabulary < 65500) return kUint16Code;
  return vocabulary < 4294967295 ? kUint32Code : kInt64Code;
}

template <typename T>
T load(const uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

template <typename T>
int64_t load_as_int64(const uint8_t* from) {
  return static_cast<int64_t>(load<T>(from));
}

/// The `i`-th value of type `code` at `data`. A u64 beyond 2^63 comes out negative.
int64_t load_value(const uint8_t* data, int code, size_t i) {
  switch (code) {
    case 1:
      return data[i];
    case 2:
      return load_as_int64<int8_t>(data + i);
    case 3:
      return load_as_int64<int16_t>(data + i * 2);
    case kUint16Code:
      return load_as_int64<uint16_t>(data + i * 2);
    case kInt32Code:
      return load_as_int64<int32_t>(data + i * 4);
    case kUint32Code:
      return load_as_int64<uint32_t>(data + i * 4);
    default:
      return load_as_int64<int64_t>(data + i * 8);
  }
}

/// Whether a value of this type may be outside int32_t.
bool is_wide(int code) { return code == kUint32Code || code == kInt64Code || code == kUint64Code; }

std::string number(uint64_t value) { return std::to_string(value); }

}  // namespace

/// Fills a dataset from its two mapped files. Nothing of the index is believed before it is checked.
struct IndexReader {
  IndexedDataset& set;
  Span<const uint8_t> index;
  uint64_t data_bytes;

  Status read() {
    if (index.size() >= sizeof kMappedMagic && std::memcmp(index.data(), kMappedMagic, sizeof kMappedMagic) == 0)
      return read_mapped();
    if (index.size() >= sizeof kLegacyMagic && std::memcmp(index.data(), kLegacyMagic, sizeof kLegacyMagic) == 0)
      return read_legacy();
    return corrupt("expected the magic MMIDIDX or TNTIDX, found neither: not a fairseq index file");
  }

  Status check_header(size_t header_bytes, size_t version_at) const {
    if (index.size() < header_bytes)
      return corrupt("expected a header of " + number(header_bytes) + " bytes, found " + number(index.size()));
    const uint64_t version = load<uint64_t>(index.data() + version_at);
    if (version != kVersion) return unsupported("expected format version 1, found " + number(version));
    return {};
  }

  Status set_type(uint64_t code) {
    if (type_bytes(code) == 0)
      return unsupported("expected a type code of integers (1 to 5, 8 to 10), found " + number(code));
    set.type_code_ = static_cast<int>(code);
    return {};
  }

  /// The index must hold exactly `count` entries of `entry_bytes` and `more_bytes` besides.
  Status check_index_size(uint64_t count, uint64_t entry_bytes, uint64_t more_bytes) const {
    if (count <= index.size() / entry_bytes && count * entry_bytes + more_bytes == index.size()) return {};
    return corrupt("the header says " + number(count) + " sentences, which need " + number(entry_bytes) +
                   " bytes each and " + number(more_bytes) + " more; the index has " + number(index.size()) + " bytes");
  }

  Status read_mapped() {
    LITENAT_RETURN_IF_ERROR(check_header(kMappedHeaderBytes, 9));
    LITENAT_RETURN_IF_ERROR(set_type(index[17]));
    const uint64_t count = load<uint64_t>(index.data() + 18);
    LITENAT_RETURN_IF_ERROR(check_index_size(count, 12, kMappedHeaderBytes));
    const uint8_t* sizes = index.data() + kMappedHeaderBytes;
    set.sizes_.resize(count);
    set.offsets_.resize(count);
    if (count > 0) {
      std::memcpy(set.sizes_.data(), sizes, count * 4);
      std::memcpy(set.offsets_.data(), sizes + count * 4, count * 8);
    }
    return check_sentences();
  }

  Status read_legacy() {
    set.legacy_ = true;
    LITENAT_RETURN_IF_ERROR(check_header(kLegacyHeaderBytes, 8));
    const auto word = [this](size_t i) { return load<uint64_t>(index.data() + i * 8); };
    LITENAT_RETURN_IF_ERROR(set_type(word(2)));
    const uint64_t bytes = static_cast<uint64_t>(type_bytes(word(2))), count = word(4), num_sizes = word(5);
    if (word(3) != bytes)
      return corrupt("values of type " + number(word(2)) + " have " + number(bytes) + " bytes, the header says " +
                     number(word(3)));
    if (num_sizes != count)
      return unsupported("expected one size a sentence (" + number(count) + "), found " + number(num_sizes));
    LITENAT_RETURN_IF_ERROR(check_index_size(count, 24, kLegacyHeaderBytes + 16));
    return read_legacy_tables(count, bytes);
  }

  /// count + 1 dimension offsets, count + 1 data offsets (in values), count sizes; all int64.
  Status read_legacy_tables(uint64_t count, uint64_t bytes) {
    const auto word = [this](uint64_t i) { return load<int64_t>(index.data() + kLegacyHeaderBytes + i * 8); };
    set.sizes_.resize(count);
    set.offsets_.resize(count);
    for (uint64_t i = 0; i < count; ++i) {
      const int64_t size = word(2 * (count + 1) + i), offset = word(count + 1 + i);
      if (word(i) != static_cast<int64_t>(i) || word(i + 1) != static_cast<int64_t>(i) + 1)
        return unsupported("sentence " + number(i) + " is no list: expected one dimension");
      if (size < 0 || size > std::numeric_limits<int32_t>::max())
        return corrupt("sentence " + number(i) + " has the size " + std::to_string(size));
      if (offset < 0 || static_cast<uint64_t>(offset) > data_bytes / bytes)
        return corrupt("sentence " + number(i) + " begins at value " + std::to_string(offset) + " of " +
                       number(data_bytes / bytes));
      set.sizes_[i] = static_cast<int32_t>(size);
      set.offsets_[i] = offset * static_cast<int64_t>(bytes);
    }
    return check_sentences();
  }

  /// Every sentence inside the data, and the data as long as all sentences together.
  Status check_sentences() {
    const uint64_t bytes = static_cast<uint64_t>(type_bytes(static_cast<uint64_t>(set.type_code_)));
    uint64_t total = 0;
    for (size_t i = 0; i < set.sizes_.size(); ++i) {
      const int64_t size = set.sizes_[i], offset = set.offsets_[i];
      if (size < 0) return corrupt("sentence " + number(i) + " has the size " + std::to_string(size));
      const uint64_t needed = static_cast<uint64_t>(size) * bytes;
      if (offset < 0 || static_cast<uint64_t>(offset) > data_bytes ||
          needed > data_bytes - static_cast<uint64_t>(offset))
        return corrupt("sentence " + number(i) + " is " + number(needed) + " bytes from byte " +
                       std::to_string(offset) + ", outside the data of " + number(data_bytes) + " bytes");
      total += static_cast<uint64_t>(size);  // 2^63 sentences would not fit the index: no overflow
    }
    if (total > data_bytes / bytes || total * bytes != data_bytes)
      return corrupt("the index speaks of " + number(total) + " values of " + number(bytes) + " bytes, the data are " +
                     number(data_bytes) + " bytes long");
    set.num_tokens_ = static_cast<int64_t>(total);
    return check_range();
  }

  /// Wide types may hold what no token id is; read() has no way to say so, so look now.
  Status check_range() const {
    if (set.legacy_ || is_wide(set.type_code_)) return set.check_ids(std::numeric_limits<int32_t>::max());
    return {};
  }
};

Result<std::shared_ptr<const IndexedDataset>> IndexedDataset::open(const std::string& prefix) {
  std::shared_ptr<IndexedDataset> set(new IndexedDataset);
  LITENAT_ASSIGN_OR_RETURN(const auto index, MappedFile::open(prefix + ".idx"));
  LITENAT_ASSIGN_OR_RETURN(set->data_, MappedFile::open(prefix + ".bin"));
  const Status status = IndexReader{*set, index->bytes(), set->data_->bytes().size()}.read();
  if (!status.ok()) return status.with_context(prefix + ".idx");
  return std::shared_ptr<const IndexedDataset>(std::move(set));
}

void IndexedDataset::read(int64_t i, std::vector<int32_t>* out) const {
  const size_t size = static_cast<size_t>(sizes_[static_cast<size_t>(i)]);
  out->resize(size);
  if (size == 0) return;
  const uint8_t* data = data_->bytes().data() + offsets_[static_cast<size_t>(i)];
  if (type_code_ == kUint16Code && !legacy_) {  // what nearly every file holds
    for (size_t j = 0; j < size; ++j) (*out)[j] = load<uint16_t>(data + j * 2);
    return;
  }
  const int64_t shift = legacy_ ? 1 : 0;  // the legacy format counts from 1
  for (size_t j = 0; j < size; ++j) (*out)[j] = static_cast<int32_t>(load_value(data, type_code_, j) - shift);
}

Status IndexedDataset::check_ids(int64_t vocabulary) const {
  const int64_t shift = legacy_ ? 1 : 0;
  for (size_t i = 0; i < sizes_.size(); ++i) {
    const uint8_t* data = data_->bytes().data() + offsets_[i];
    for (size_t j = 0; j < static_cast<size_t>(sizes_[i]); ++j) {
      const int64_t value = load_value(data, type_code_, j);
      if (value < shift || value - shift >= vocabulary)
        return corrupt("sentence " + number(i) + " holds " + std::to_string(value) + ", expected a token id from " +
                       std::to_string(shift) + " to " + std::to_string(vocabulary - 1 + shift));
    }
  }
  return {};
}

IndexedDatasetWriter::IndexedDatasetWriter(const std::string& prefix, int64_t vocabulary)
    : data_(prefix + ".bin"),
      index_(prefix + ".idx"),
      vocabulary_(vocabulary),
      type_code_(type_code_of_vocabulary(vocabulary)),
      token_bytes_(static_cast<int>(type_bytes(static_cast<uint64_t>(type_code_)))) {}

Status IndexedDatasetWriter::open() {
  LITENAT_RETURN_IF_ERROR(data_.open());
  return index_.open();
}

Status IndexedDatasetWriter::add(Span<const int32_t> tokens) {
  std::vector<uint8_t> packed(tokens.size() * static_cast<size_t>(token_bytes_));
  if (tokens.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max()))
    return invalid_argument("a sentence of " + number(tokens.size()) + " tokens does not fit the format");
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] < 0 || tokens[i] >= vocabulary_)
      return invalid_argument("expected token ids below " + std::to_string(vocabulary_) + ", found " +
                              std::to_string(tokens[i]));
    const int64_t value = tokens[i];  // little-endian: the low bytes come first
    std::memcpy(packed.data() + i * static_cast<size_t>(token_bytes_), &value, static_cast<size_t>(token_bytes_));
  }
  const int32_t size = static_cast<int32_t>(tokens.size());
  return add_packed(packed, {&size, 1});
}

Status IndexedDatasetWriter::add_packed(Span<const uint8_t> data, Span<const int32_t> sizes) {
  sizes_.insert(sizes_.end(), sizes.begin(), sizes.end());
  return data_.write(data.data(), data.size());
}

Status IndexedDatasetWriter::commit() {
  const uint64_t count = sizes_.size();
  const uint8_t code = static_cast<uint8_t>(type_code_);
  std::vector<int64_t> offsets(sizes_.size());
  int64_t offset = 0;
  for (size_t i = 0; i < sizes_.size(); offset += static_cast<int64_t>(sizes_[i++]) * token_bytes_) offsets[i] = offset;
  LITENAT_RETURN_IF_ERROR(index_.write(kMappedMagic, sizeof kMappedMagic));
  LITENAT_RETURN_IF_ERROR(index_.write(&kVersion, sizeof kVersion));
  LITENAT_RETURN_IF_ERROR(index_.write(&code, sizeof code));
  LITENAT_RETURN_IF_ERROR(index_.write(&count, sizeof count));
  LITENAT_RETURN_IF_ERROR(index_.write(sizes_.data(), sizes_.size() * sizeof(int32_t)));
  LITENAT_RETURN_IF_ERROR(index_.write(offsets.data(), offsets.size() * sizeof(int64_t)));
  LITENAT_RETURN_IF_ERROR(data_.commit());
  return index_.commit();
}

}  // namespace litenat::data
