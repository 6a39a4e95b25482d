// The bytes of a lexicon blob (docs/formats.md), shared by its builder and its reader.
#pragma once

#include <cstdint>

namespace litenat::text {

constexpr char kLexiconMagic[8] = {'L', 'N', 'L', 'E', 'X', 'I', 'C', 'N'};
constexpr uint32_t kLexiconVersion = 1;
constexpr uint64_t kLexiconAlignment = 64;
constexpr uint32_t kMaxTargets = 65535;   // characters are stored in 16 bits
constexpr uint32_t kMaxWords = 1u << 24;  // word ids are stored in 24 bits
constexpr uint32_t kMaxWordLength = 64;

struct LexiconHeader {
  char magic[8];
  uint32_t version;
  uint32_t num_syllables;
  uint32_t num_targets;
  uint32_t num_words;
  uint32_t num_characters;
  uint32_t num_nodes;
  uint32_t num_endings;
};
static_assert(sizeof(LexiconHeader) == 36 && sizeof(LexiconHeader) <= kLexiconAlignment, "layout of the file");

/// `size` rounded up to the next multiple of the alignment; `size` comes from 32-bit counts.
constexpr uint64_t padded_size(uint64_t size) {
  return (size + kLexiconAlignment - 1) / kLexiconAlignment * kLexiconAlignment;
}

}  // namespace litenat::text
