// The clauses of one block of text: hanzi, pinyin and keys as lines.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/annotator.h"
#include "data/corpus_clauses.h"
#include "data/key_sampler.h"

namespace litenat::data {

/// What became of the hanzi runs.
struct ClauseCounts {
  int64_t runs = 0;
  int64_t cut_runs = 0;         // longer than allowed, cut between words
  int64_t too_short = 0;        // dropped clauses, by reason
  int64_t without_reading = 0;  // some hanzi has no known reading
  int64_t not_text = 0;         // in blocks that are no UTF-8 text
  int64_t not_text_blocks = 0;

  void add(const ClauseCounts& other);
};

/// Clauses in the order of the text. The lines end with '\n'; line i ends at *_end of clause i.
struct ClauseBatch {
  struct Clause {
    uint64_t hash;
    uint32_t hanzi_end, pinyin_end;
    uint32_t length;  // in hanzi
  };
  std::vector<Clause> clauses;
  std::string hanzi;
  std::string pinyin;
  std::vector<std::string> keys;                // by mode: lines of unit tokens
  std::vector<std::vector<uint32_t>> key_ends;  // by mode and clause
  TextCounts text;
  ClauseCounts counts;
};

/// How typed keys are drawn.
struct KeySampling {
  std::vector<KeyMode> modes;
  double cut = 0.3;
  RetroflexStyle style = RetroflexStyle::kTwoLetters;
  uint64_t seed = 1;

  /// The units that `syllables` are typed with in modes[mode]; `stream` tells clauses apart.
  std::vector<text::UnitId> sample(Span<const text::SyllableId> syllables, size_t mode, uint64_t stream) const;
};

struct BatchOptions {
  int min_length = 2;
  int max_length = 20;
  std::string conversion;  // OpenCC's configuration ("t2s"), or empty
  bool with_keys = false;
  KeySampling sampling;
};

/// Makes batches; one a thread. The annotator must outlive it.
class BatchMaker {
 public:
  /// Throws Error when OpenCC does not know the conversion.
  BatchMaker(const Annotator* annotator, const BatchOptions& options);
  ~BatchMaker();

  ClauseBatch make(std::string_view text, uint64_t block_number);

 private:
  class Converter;
  void convert();
  void add_run(Span<const char32_t> run);
  void add_clause(Span<const char32_t> clause, const text::SyllableId* syllables);
  void append_lines(Span<const char32_t> clause, const text::SyllableId* syllables);
  void append_keys(Span<const text::SyllableId> syllables);
  size_t piece_length(size_t left, const bool* starts) const;

  const Annotator* annotator_;
  BatchOptions options_;
  std::unique_ptr<Converter> converter_;
  ClauseBatch batch_;
  uint64_t block_number_ = 0;
  HanziRuns runs_;
  std::vector<text::SyllableId> syllables_;
  std::unique_ptr<bool[]> starts_;
  size_t capacity_ = 0;
};

/// "ni hao" to syllables: a line that a batch made.
std::vector<text::SyllableId> parse_pinyin_line(std::string_view line);

}  // namespace litenat::data
