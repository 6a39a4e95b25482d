#include "data/sentencepiece_check.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/text_cleaning.h"

namespace litenat::data {
namespace {

constexpr size_t kMaxModelBytes = size_t{256} << 20;
constexpr size_t kMaxPieceBytes = 4096;  // BPE recurses over the characters of unused pieces
constexpr uint64_t kMaxModelType = 4;
constexpr int kMaxPrefixes = 32;  // values on a way down that SentencePiece has room for

// Fields of sentencepiece_model.proto.
constexpr uint32_t kModelPieces = 1, kModelTrainer = 2, kModelNormalizer = 3, kModelDenormalizer = 5;
constexpr uint32_t kPieceText = 1, kPieceScore = 2;
constexpr uint32_t kTrainerModelType = 3;
constexpr uint32_t kNormalizerTable = 2, kNormalizerEscapes = 5;

enum class Wire : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct Field {
  uint32_t number = 0;
  Wire wire = Wire::kVarint;
  uint64_t value = 0;      // of a varint or fixed field
  std::string_view bytes;  // of a kBytes field
};

/// The fields of one message of the protobuf wire format.
class MessageReader {
 public:
  MessageReader(std::string_view message, const std::string& origin) : rest_(message), origin_(origin) {}

  bool next(Field* field) {
    if (rest_.empty()) return false;
    const uint64_t key = varint();
    field->number = static_cast<uint32_t>(key >> 3);
    field->wire = static_cast<Wire>(key & 7);
    if (field->number == 0 || key > UINT32_MAX) fail("a field without a number");
    switch (field->wire) {
      case Wire::kVarint:
        field->value = varint();
        break;
      case Wire::kFixed64:
        field->value = fixed(8);
        break;
      case Wire::kFixed32:
        field->value = fixed(4);
        break;
      case Wire::kBytes:
        field->bytes = take(varint());
        break;
      default:
        fail("a field of an unknown type");
    }
    return true;
  }
  [[noreturn]] void fail(const std::string& found) const {
    throw Error(origin_ + ": expected a SentencePiece model, found " + found + " (is the file damaged?)");
  }

 private:
  std::string_view take(uint64_t size) {
    if (size > rest_.size()) fail("one that is cut");
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    fail("a number that does not end");
  }
  uint64_t fixed(size_t size) {
    const std::string_view bytes = take(size);
    uint64_t value = 0;
    for (size_t i = 0; i < size; ++i) value |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
    return value;
  }

  std::string_view rest_;
  const std::string& origin_;
};

uint32_t little_endian(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value |= static_cast<uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  return value;
}

/// The normalisation table: u32 bytes of the trie, the trie (a darts-clone double array), normalised strings that end
/// with NUL.
class TableChecker {
 public:
  TableChecker(std::string_view table, const MessageReader& reader) : reader_(reader) {
    if (table.size() < 8) reader_.fail("a normalisation table that is cut");
    const size_t trie_bytes = little_endian(table, 0);
    if (trie_bytes > table.size() - 4 || trie_bytes % 4 != 0 || trie_bytes == 0)
      reader_.fail("a normalisation table that is cut");
    for (size_t at = 4; at < 4 + trie_bytes; at += 4) units_.push_back(little_endian(table, at));
    strings_ = table.substr(4 + trie_bytes);
    if (strings_.empty() || strings_.back() != '\0' || !is_utf8(strings_))
      reader_.fail("a normalisation table whose strings are damaged");
  }

  /// Walks the trie depth first; its subtrees may be shared, as its builder shares them.
  void check() {
    chains_.assign(units_.size(), kUnknown);
    std::vector<Step> path;
    for (enter(0, &path); !path.empty();) {
      Step& step = path.back();
      if (step.label == 256) {
        leave(&path);
        continue;
      }
      const uint32_t label = step.label++, child = base_of(step.at) ^ label;
      if (label_of(units_[child]) != label || (label == 0 && has_value(units_[step.at]))) continue;
      if (chains_[child] == kOpen) reader_.fail("a normalisation table with a cycle");
      if (chains_[child] == kUnknown)
        enter(child, &path);
      else
        step.longest = std::max(step.longest, chains_[child]);
    }
  }

 private:
  struct Step {
    uint32_t at;
    uint32_t label = 0;  // the next one to look at
    int longest = 0;     // chain below so far
  };
  static constexpr int kUnknown = -1, kOpen = -2;

  // The bits of a unit, as darts-clone defines them.
  static uint32_t offset(uint32_t unit) { return (unit >> 10) << ((unit & (1U << 9)) >> 6); }
  static bool has_value(uint32_t unit) { return ((unit >> 8) & 1) != 0; }
  static uint32_t label_of(uint32_t unit) { return unit & ((1U << 31) | 0xFF); }
  uint32_t base_of(uint32_t at) const { return at ^ offset(units_[at]); }

  void enter(uint32_t at, std::vector<Step>* path) {
    const uint32_t base = base_of(at);
    if ((base | 0xFF) >= units_.size()) reader_.fail("a normalisation table that points outside itself");
    if (has_value(units_[at])) check_value(units_[base] & 0x7FFFFFFF);
    chains_[at] = kOpen;
    path->push_back({at});
  }
  /// Knows the longest chain of values below the last node of `path`, itself included.
  void leave(std::vector<Step>* path) {
    const Step done = path->back();
    path->pop_back();
    const int chain = done.longest + (has_value(units_[done.at]) ? 1 : 0);
    if (chain > kMaxPrefixes) reader_.fail("a normalisation table with too long chains");
    chains_[done.at] = chain;
    if (!path->empty()) path->back().longest = std::max(path->back().longest, chain);
  }
  void check_value(uint32_t value) const {
    if (value >= strings_.size() || (value > 0 && strings_[value - 1] != '\0'))
      reader_.fail("a normalisation table that points outside its strings");
  }

  const MessageReader& reader_;
  std::vector<uint32_t> units_;
  std::string_view strings_;
  std::vector<int> chains_;  // of each unit: the most values on a way down from it, or kUnknown or kOpen
};

void check_piece(std::string_view message, const std::string& origin) {
  MessageReader reader(message, origin);
  for (Field field; reader.next(&field);) {
    if (field.number == kPieceText && field.wire == Wire::kBytes) {
      if (field.bytes.empty() || field.bytes.size() > kMaxPieceBytes ||
          field.bytes.find('\0') != std::string_view::npos)
        reader.fail("a piece that is empty, too long or has a NUL");
    }
    if (field.number == kPieceScore && field.wire == Wire::kFixed32) {
      const auto bits = static_cast<uint32_t>(field.value);
      float score = 0;
      std::memcpy(&score, &bits, sizeof score);
      if (!std::isfinite(score)) reader.fail("a score that is no number");
    }
  }
}

void check_trainer(std::string_view message, const std::string& origin) {
  MessageReader reader(message, origin);
  for (Field field; reader.next(&field);)
    if (field.number == kTrainerModelType && field.wire == Wire::kVarint &&
        (field.value == 0 || field.value > kMaxModelType))
      reader.fail("the unknown model type " + std::to_string(field.value));
}

void check_normalizer(std::string_view message, const std::string& origin) {
  MessageReader reader(message, origin);
  for (Field field; reader.next(&field);) {
    if (field.number == kNormalizerTable && field.wire == Wire::kBytes && !field.bytes.empty())
      TableChecker(field.bytes, reader).check();
    if (field.number == kNormalizerEscapes && field.wire == Wire::kVarint && field.value == 0)
      reader.fail("one whose pieces hold blanks (escape_whitespaces is off)");
  }
}

}  // namespace

void check_piece_model(std::string_view proto, const std::string& origin) {
  MessageReader reader(proto, origin);
  if (proto.size() > kMaxModelBytes) reader.fail("more than 256 MiB");
  size_t pieces = 0;
  for (Field field; reader.next(&field);) {
    if (field.wire != Wire::kBytes) continue;
    if (field.number == kModelPieces) check_piece(field.bytes, origin);
    if (field.number == kModelPieces) ++pieces;
    if (field.number == kModelTrainer) check_trainer(field.bytes, origin);
    if (field.number == kModelNormalizer || field.number == kModelDenormalizer) check_normalizer(field.bytes, origin);
  }
  if (pieces == 0) reader.fail("one without pieces");
}

}  // namespace litenat::data
