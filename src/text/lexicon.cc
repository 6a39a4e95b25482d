#include "text/lexicon.h"

#include <algorithm>
#include <cstring>

#include "text/lexicon_format.h"

namespace litenat::text {

struct Lexicon::Tables {
  std::vector<WordId> character_words;      // by target id
  std::vector<uint32_t> candidate_offsets;  // num_units + 1
  std::vector<int32_t> candidates;
};

// Takes a blob apart and checks it, section by section.
struct Lexicon::Loader {
  Lexicon lexicon;
  LexiconHeader header{};
  std::string name;
  const uint8_t* cursor = nullptr;
  uint64_t left = 0;
  Status status;
  std::vector<uint8_t> lengths;  // by word

  Status fail(const std::string& what) const { return corrupt("lexicon " + name + ": " + what); }

  template <typename T>
  Span<const T> section(uint64_t count, const char* what) {
    const uint64_t size = padded_size(count * sizeof(T));
    if (!status.ok()) return {};
    if (size > left) {
      status = fail(std::string(what) + " needs " + std::to_string(size) + " bytes, " + std::to_string(left) + " left");
      return {};
    }
    const auto* data = reinterpret_cast<const T*>(cursor);
    cursor += size;
    left -= size;
    return {data, static_cast<size_t>(count)};
  }

  CompactOffsets offsets(uint64_t count, const char* what) {
    const auto bases = section<uint32_t>(CompactOffsets::num_bases(count), what);
    const auto differences = section<uint16_t>(count, what);
    return {bases, differences};
  }

  Status read_header(Span<const uint8_t> blob) {
    if (reinterpret_cast<uintptr_t>(blob.data()) % alignof(uint32_t) != 0) return fail("the blob is not aligned");
    if (blob.size() < kLexiconAlignment) return fail("only " + std::to_string(blob.size()) + " bytes");
    std::memcpy(&header, blob.data(), sizeof(header));
    if (std::memcmp(header.magic, kLexiconMagic, sizeof(header.magic)) != 0) return fail("no lexicon (wrong magic)");
    if (header.version != kLexiconVersion) {
      return unsupported("lexicon " + name + ": version " + std::to_string(header.version) + ", this build reads " +
                         std::to_string(kLexiconVersion));
    }
    if (header.num_syllables != static_cast<uint32_t>(text::num_syllables())) {
      return fail("made for " + std::to_string(header.num_syllables) + " syllables, expected " +
                  std::to_string(text::num_syllables()));
    }
    if (header.num_targets > kMaxTargets || header.num_words > kMaxWords || header.num_nodes == 0) {
      return fail("counts out of range");
    }
    cursor = blob.data() + kLexiconAlignment;
    left = blob.size() - kLexiconAlignment;
    return {};
  }

  Status read_sections() {
    lexicon.num_words_ = header.num_words;
    lexicon.num_targets_ = static_cast<int32_t>(header.num_targets);
    lexicon.word_offsets_ = offsets(uint64_t{header.num_words} + 1, "word offsets");
    lexicon.characters_ = section<uint16_t>(header.num_characters, "characters");
    lexicon.child_offsets_ = offsets(uint64_t{header.num_nodes} + 1, "child offsets");
    lexicon.syllables_ = section<SyllableId>(header.num_nodes - 1, "syllables");
    lexicon.ending_offsets_ = offsets(uint64_t{header.num_nodes} + 1, "ending offsets");
    lexicon.ending_words_ = section<uint8_t>(uint64_t{3} * header.num_endings, "ending words");
    lexicon.ending_weights_ = section<uint8_t>(header.num_endings, "ending weights");
    if (status.ok() && left != 0) return fail(std::to_string(left) + " bytes too many");
    return status;
  }

  // Offsets from 0 to `end`, never falling.
  Status check_offsets(const CompactOffsets& offsets, uint64_t end, const char* what) const {
    bool good = offsets[0] == 0;
    for (size_t i = 0; i + 1 < offsets.size(); ++i) good &= offsets[i] <= offsets[i + 1];
    return good && offsets[offsets.size() - 1] == end
               ? Status()
               : fail(std::string(what) + " are not ascending to their section's end");
  }

  Status check_words() {
    LITENAT_RETURN_IF_ERROR(check_offsets(lexicon.word_offsets_, header.num_characters, "word offsets"));
    uint32_t smallest = kMaxTargets;
    uint32_t largest = 0;
    for (const uint16_t character : lexicon.characters_) {
      smallest = std::min<uint32_t>(smallest, character);
      largest = std::max<uint32_t>(largest, character);
    }
    if (header.num_characters > 0 && (smallest < kNumSpecials || largest >= header.num_targets)) {
      return fail("a character is no target id");
    }
    lengths.reserve(header.num_words);
    uint32_t shortest = 1;
    uint32_t longest = 0;
    for (WordId word = 0; word < header.num_words; ++word) {
      const uint32_t length = lexicon.word_offsets_[word + 1] - lexicon.word_offsets_[word];
      shortest = std::min(shortest, length);
      longest = std::max(longest, length);
      lengths.push_back(static_cast<uint8_t>(length));
    }
    if (shortest == 0 || longest > kMaxWordLength) return fail("a word has no character or too many");
    lexicon.max_word_length_ = static_cast<int>(longest);
    return {};
  }

  // Edges of nodes [begin, end): ascending within each node.
  bool edges_ascend(uint32_t begin, uint32_t end) const {
    bool good = true;
    uint32_t edge = lexicon.child_offsets_[begin];
    for (uint32_t node = begin; node < end; ++node) {
      const uint32_t last = lexicon.child_offsets_[node + 1];
      for (uint32_t smallest = 0; edge < last; ++edge) {
        good &= lexicon.syllables_[edge] >= smallest;
        smallest = lexicon.syllables_[edge] + 1u;
      }
    }
    return good;
  }

  // Endings of nodes [begin, end), which lie in a row: words of `depth` characters.
  bool endings_fit(uint32_t begin, uint32_t end, uint32_t depth) const {
    const uint32_t first = lexicon.ending_offsets_[begin];
    const Endings endings(lexicon.ending_words_.data() + size_t{3} * first, nullptr,
                          lexicon.ending_offsets_[end] - first);
    bool good = true;
    for (size_t i = 0; i < endings.size(); ++i) {
      const WordId word = endings.word(i);
      good &= word < header.num_words && lengths[word] == depth;
    }
    return good;
  }

  // Breadth-first order: the nodes of a level are a range, whose edges lead to the next level's range.
  Status check_trie() const {
    LITENAT_RETURN_IF_ERROR(check_offsets(lexicon.child_offsets_, header.num_nodes - 1, "child offsets"));
    LITENAT_RETURN_IF_ERROR(check_offsets(lexicon.ending_offsets_, header.num_endings, "ending offsets"));
    for (const SyllableId syllable : lexicon.syllables_) {
      if (syllable >= header.num_syllables) return fail("a trie edge has no syllable");
    }
    uint32_t begin = 0;
    uint32_t end = 1;
    for (uint32_t depth = 0; begin < end; ++depth) {
      if (!edges_ascend(begin, end)) return fail("trie edges are not ascending");
      if (!endings_fit(begin, end, depth)) return fail("a trie node ends a word that is none, or of another length");
      begin = end;
      end = lexicon.child_offsets_[begin] + 1;
      if (begin == header.num_nodes) return {};
    }
    return fail("trie nodes that no edge reaches");
  }

  Status index_characters(Tables* tables) const {
    tables->character_words.assign(header.num_targets, kNoWord);
    for (WordId word = 0; word < header.num_words; ++word) {
      if (lengths[word] != 1) continue;
      const auto characters = lexicon.word_characters(word);
      WordId& slot = tables->character_words[characters[0]];
      if (slot != kNoWord) return fail("two words of the one character " + std::to_string(characters[0]));
      slot = word;
    }
    return {};
  }

  // Candidate sets as unions of bit sets: merging lists unit by unit would make loading long.
  void index_candidates(Tables* tables) const {
    const size_t width = (header.num_targets + 63) / 64;
    std::vector<uint64_t> readings(width * header.num_syllables);  // by syllable: who may be read so
    const Children root = lexicon.children(0);
    for (size_t i = 0; i < root.syllables.size(); ++i) {
      const Endings endings = lexicon.endings(root.first_node + static_cast<uint32_t>(i));
      uint64_t* bits = readings.data() + width * root.syllables[i];
      for (size_t e = 0; e < endings.size(); ++e) {
        const uint16_t target = lexicon.word_characters(endings.word(e))[0];
        bits[target / 64] |= uint64_t{1} << (target % 64);
      }
    }
    std::vector<uint64_t> bits(width);
    tables->candidate_offsets.push_back(0);
    for (int unit = 0; unit < num_units(); ++unit) {
      for (const SyllableId syllable : unit_syllables(kFirstUnit + unit)) {
        const uint64_t* source = readings.data() + width * syllable;
        for (size_t w = 0; w < width; ++w) bits[w] |= source[w];
      }
      drain(&bits, &tables->candidates);
      tables->candidate_offsets.push_back(static_cast<uint32_t>(tables->candidates.size()));
    }
  }

  // Appends the members of the set, ascending, and empties it.
  static void drain(std::vector<uint64_t>* bits, std::vector<int32_t>* out) {
    for (size_t i = 0; i < bits->size(); ++i) {
      for (uint64_t word = (*bits)[i]; word != 0; word &= word - 1) {
        out->push_back(static_cast<int32_t>(64 * i) + __builtin_ctzll(word));
      }
      (*bits)[i] = 0;
    }
  }
};

Result<Lexicon> Lexicon::parse(Span<const uint8_t> blob, const std::string& name) {
  Loader loader;
  loader.name = name;
  LITENAT_RETURN_IF_ERROR(loader.read_header(blob));
  LITENAT_RETURN_IF_ERROR(loader.read_sections());
  LITENAT_RETURN_IF_ERROR(loader.check_words());
  LITENAT_RETURN_IF_ERROR(loader.check_trie());
  auto tables = std::make_shared<Tables>();
  LITENAT_RETURN_IF_ERROR(loader.index_characters(tables.get()));
  loader.index_candidates(tables.get());
  loader.lexicon.tables_ = std::move(tables);
  return std::move(loader.lexicon);
}

Span<const uint16_t> Lexicon::word_characters(WordId word) const {
  const uint32_t begin = word_offsets_[word];
  return characters_.subspan(begin, word_offsets_[word + 1] - begin);
}

WordId Lexicon::character_word(int32_t target) const {
  return target >= 0 && target < num_targets_ ? tables_->character_words[static_cast<size_t>(target)] : kNoWord;
}

Span<const int32_t> Lexicon::candidates(UnitId unit) const {
  const auto index = static_cast<size_t>(unit - kFirstUnit);
  if (unit < kFirstUnit || index + 1 >= tables_->candidate_offsets.size()) return {};
  const uint32_t begin = tables_->candidate_offsets[index];
  return Span<const int32_t>(tables_->candidates).subspan(begin, tables_->candidate_offsets[index + 1] - begin);
}

Lexicon::Children Lexicon::children(uint32_t node) const {
  const uint32_t begin = child_offsets_[node];
  return {syllables_.subspan(begin, child_offsets_[node + 1] - begin), begin + 1};
}

Lexicon::Endings Lexicon::endings(uint32_t node) const {
  const uint32_t begin = ending_offsets_[node];
  return {ending_words_.data() + size_t{3} * begin, ending_weights_.data() + begin, ending_offsets_[node + 1] - begin};
}

}  // namespace litenat::text
