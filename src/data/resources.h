// Builds the text resources of an input method: dictionary, lexicon, word and unit n-grams, in one container.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"
#include "data/key_sampler.h"
#include "data/ngram_builder.h"
#include "text/dictionary.h"
#include "text/lexicon.h"

namespace litenat::data {

struct ResourceSettings {
  NgramSettings words{3, {1, 1, 2}, 3000000};
  NgramSettings units{3, {1, 1, 2}, 500000};
  int64_t unit_clauses = 200000;  // clauses that the unit n-gram samples
  int unit_samples = 4;           // key sequences drawn for each of them
  int segmentation_rounds = 2;    // times that word frequencies are counted again
  int64_t seed = 1;
  KeyMixture keys;

  template <class V>
  void visit(V& v) {
    v("words", words, "word n-gram");
    v("units", units, "unit n-gram");
    v("unit_clauses", unit_clauses, "clauses that the unit n-gram is sampled from", between(1, 1e9));
    v("unit_samples", unit_samples, "key sequences drawn for each of these", between(1, 1000));
    v("segmentation_rounds", segmentation_rounds, "times that word frequencies are counted again", between(0, 10));
    v("seed", seed, "seed of the key sequences", between(0, 9e15));
    v("keys", keys, "how often each way of typing is drawn");
  }
};

/// Adds the rows of a word list to *entries: "word syllable... [weight]" a line, separated by tabs, spaces or
/// (syllables) apostrophes; of a rime dictionary the part behind the line "...". Rows with other characters than hanzi,
/// unknown syllables or another number of syllables are left out and counted. Where a file has a weight below 0, its
/// weights are logarithms to base 10 (a missing one: 0). Throws Error (name and line) on bad numbers and broken UTF-8.
struct WordListReport {
  int64_t rows = 0;
  int64_t skipped = 0;
};
WordListReport read_word_list(std::string_view text, const std::string& name, std::vector<text::LexiconEntry>* entries);

/// Aligned clauses: target ids and syllables.
struct AnnotatedText {
  std::vector<uint64_t> offsets = {0};  // num_clauses + 1
  std::vector<int32_t> characters;      // text::kUnk: not in the dictionary
  std::vector<text::SyllableId> syllables;

  size_t num_clauses() const { return offsets.size() - 1; }
  Span<const int32_t> clause_characters(size_t i) const {
    return {characters.data() + offsets[i], offsets[i + 1] - offsets[i]};
  }
  Span<const text::SyllableId> clause_syllables(size_t i) const {
    return {syllables.data() + offsets[i], offsets[i + 1] - offsets[i]};
  }
};
/// Reads {prefix}.hanzi and {prefix}.pinyin. Throws Error naming the line where they do not agree.
AnnotatedText read_annotated_text(const std::string& prefix, const text::Dictionary& targets);

/// Merges the word lists with the readings seen in the text: one-character words get every reading of either, weighted
/// by its count in the text and, slightly, in the lists.
std::vector<text::LexiconEntry> merge_readings(const std::vector<text::LexiconEntry>& entries,
                                               const AnnotatedText& text, const text::Dictionary& targets);

struct ResourceReport {
  int64_t num_words = 0;
  int64_t skipped_entries = 0;
  std::vector<std::string> unreadable;  // targets without a reading
  int64_t num_clauses = 0;
  int64_t num_tokens = 0;  // words of the segmented text
  std::vector<uint64_t> word_ngrams;
  std::vector<uint64_t> unit_ngrams;
  std::map<std::string, int64_t> bytes;  // by tensor
};

/// Makes `output`. `words`: word lists; `text_prefix`: aligned clauses; `arpa`: an ARPA model over words that replaces
/// the word n-gram of the text, or empty. `progress` (may be empty) hears what is done.
ResourceReport build_resources(const std::string& target_dictionary, const std::vector<std::string>& words,
                               const std::string& text_prefix, const std::string& arpa,
                               const ResourceSettings& settings, const std::string& output,
                               const std::function<void(const std::string&)>& progress);

}  // namespace litenat::data
