// The bytes of an n-gram blob (docs/formats.md), shared by its builder and its reader.
#pragma once

#include <cstdint>

namespace litenat::text {

constexpr char kNgramMagic[8] = {'L', 'N', 'N', 'G', 'R', 'A', 'M', 'S'};
constexpr uint32_t kNgramVersion = 1;
constexpr uint64_t kNgramAlignment = 64;
constexpr uint32_t kMaxNgramVocabulary = (1u << 28) - 1;
constexpr uint64_t kMaxNgramsOfOrder = (uint64_t{1} << 28) - 1;
constexpr uint64_t kNgramTail = 8;  // bytes after the records, so that a 64-bit read stays inside

struct NgramHeader {
  char magic[8];
  uint32_t version;
  uint32_t order;
  uint32_t vocabulary;
  float log_unknown;
  uint32_t counts[4];  // n-grams of each order; counts[0] = vocabulary + 2
};
static_assert(sizeof(NgramHeader) == 40 && sizeof(NgramHeader) <= kNgramAlignment, "layout of the file");

/// Bits that hold 0 .. `largest`.
constexpr int bits_for(uint64_t largest) {
  int bits = 1;
  while (largest >> bits != 0) ++bits;
  return bits;
}

/// Where the parts of a level lie: widths of a record's fields and bytes of the record section.
struct NgramLevelLayout {
  int id_bits;
  int child_bits;
  int record_bits;
  uint64_t record_bytes;  // not padded
};
constexpr NgramLevelLayout level_layout(const NgramHeader& header, uint32_t level) {
  const bool is_highest = level + 1 == header.order;
  const int id_bits = level == 0 ? 0 : bits_for(uint64_t{header.vocabulary} + 1);
  const int child_bits = is_highest ? 0 : bits_for(header.counts[level + 1]);
  const int record_bits = id_bits + (is_highest ? 8 : 16) + child_bits;
  const uint64_t bits = (uint64_t{header.counts[level]} + 1) * static_cast<uint64_t>(record_bits);
  return {id_bits, child_bits, record_bits, (bits + 7) / 8 + kNgramTail};
}

constexpr uint64_t padded_ngram_size(uint64_t size) {
  return (size + kNgramAlignment - 1) / kNgramAlignment * kNgramAlignment;
}

}  // namespace litenat::text
