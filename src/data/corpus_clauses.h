// From bytes that may be anything to runs of hanzi.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace litenat::data {

struct TextCounts {
  int64_t hanzi = 0;
  int64_t other_characters = 0;  // valid characters beyond ASCII that are no hanzi
  int64_t invalid_bytes = 0;     // of broken UTF-8
  int64_t nulls = 0;
};

/// Runs of hanzi, one after the other.
struct HanziRuns {
  std::vector<char32_t> characters;
  std::vector<uint32_t> ends;  // of each run in `characters`
  TextCounts counts;

  void clear();
};

/// Appends the maximal runs of hanzi of `text`. Everything else splits: markup, punctuation, letters, blanks, NULs and
/// bytes that are no UTF-8. HTML's numeric entities (&#x4F60; &#20320;) count as the characters that they stand for.
void find_hanzi_runs(std::string_view text, HanziRuns* runs);

/// False for what is no UTF-8 text (pictures, other encodings): more broken bytes than characters beyond ASCII.
bool looks_like_text(const TextCounts& counts);

}  // namespace litenat::data
