#include "data/corpus_batch.h"

#include <opencc/opencc.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"
#include "base/utf8.h"
#include "data/corpus_split.h"

namespace litenat::data {
namespace {

using text::SyllableId;

// A token and the blank after it, ready to be copied as eight bytes.
struct Token {
  char bytes[8];
  uint8_t size;
};

std::vector<Token> make_syllable_tokens() {
  std::vector<Token> tokens;
  for (int i = 0; i < text::num_syllables(); ++i) {
    const std::string_view name = text::syllable_name(static_cast<SyllableId>(i));
    Token token{{}, static_cast<uint8_t>(name.size() + 1)};
    std::memset(token.bytes, ' ', sizeof token.bytes);
    std::memcpy(token.bytes, name.data(), name.size());
    tokens.push_back(token);
  }
  return tokens;
}

const std::vector<Token>& syllable_tokens() {
  static const std::vector<Token> tokens = make_syllable_tokens();
  return tokens;
}

char* append_hanzi(char32_t c, char* out) {
  if (c >= 0x10000) {
    *out++ = static_cast<char>(0xF0 | c >> 18);
    *out++ = static_cast<char>(0x80 | (c >> 12 & 0x3F));
  } else {
    *out++ = static_cast<char>(0xE0 | c >> 12);
  }
  *out++ = static_cast<char>(0x80 | (c >> 6 & 0x3F));
  *out++ = static_cast<char>(0x80 | (c & 0x3F));
  return out;
}

}  // namespace

void ClauseCounts::add(const ClauseCounts& other) {
  runs += other.runs;
  cut_runs += other.cut_runs;
  too_short += other.too_short;
  without_reading += other.without_reading;
  not_text += other.not_text;
  not_text_blocks += other.not_text_blocks;
}

std::vector<text::UnitId> KeySampling::sample(Span<const SyllableId> syllables, size_t mode, uint64_t stream) const {
  const auto salt = static_cast<uint64_t>(modes[mode]) + 1;
  SplitMix64 random(seed * 64 + salt, stream);
  return sample_units(syllables, modes[mode], cut, style, &random);
}

/// OpenCC over the runs of a block, in one call.
class BatchMaker::Converter {
 public:
  explicit Converter(const std::string& name) try : opencc_(name + ".json") {
  } catch (const std::exception& error) {
    throw Error("--opencc " + name + ": expected a configuration of OpenCC (t2s, tw2s, hk2s, ...): " + error.what());
  }

  void convert(HanziRuns* runs) {
    std::string text;
    size_t begin = 0;
    for (const uint32_t end : runs->ends) {
      for (; begin < end; ++begin) append_utf8(runs->characters[begin], &text);
      text.push_back('\n');
    }
    const TextCounts counts = runs->counts;
    runs->clear();
    find_hanzi_runs(opencc_.Convert(text), runs);
    runs->counts = counts;
  }

 private:
  opencc::SimpleConverter opencc_;
};

BatchMaker::BatchMaker(const Annotator* annotator, const BatchOptions& options)
    : annotator_(annotator), options_(options) {
  if (!options.conversion.empty()) converter_ = std::make_unique<Converter>(options.conversion);
}

BatchMaker::~BatchMaker() = default;

ClauseBatch BatchMaker::make(std::string_view text, uint64_t block_number) {
  batch_ = ClauseBatch{};
  block_number_ = block_number;
  runs_.clear();
  find_hanzi_runs(text, &runs_);
  batch_.text = runs_.counts;
  batch_.counts.runs = static_cast<int64_t>(runs_.ends.size());
  if (!looks_like_text(runs_.counts)) {
    batch_.counts.not_text = batch_.counts.runs;
    batch_.counts.not_text_blocks = 1;
    return std::move(batch_);
  }
  if (converter_) converter_->convert(&runs_);
  if (options_.with_keys) {
    batch_.keys.resize(options_.sampling.modes.size());
    batch_.key_ends.resize(options_.sampling.modes.size());
  }
  batch_.hanzi.reserve(runs_.characters.size() * 4 + 16);
  batch_.pinyin.reserve(runs_.characters.size() * 5 + 16);
  size_t begin = 0;
  for (const uint32_t end : runs_.ends) {
    add_run({runs_.characters.data() + begin, end - begin});
    begin = end;
  }
  return std::move(batch_);
}

// Where to cut a run of which `left` characters are left: pieces of about equal length, each the nearest border between
// words that keeps it short enough. A word longer than that is cut itself.
size_t BatchMaker::piece_length(size_t left, const bool* starts) const {
  const auto limit = static_cast<size_t>(options_.max_length);
  if (left <= limit) return left;
  const size_t pieces = (left + limit - 1) / limit;
  const size_t wanted = (left + pieces - 1) / pieces;
  size_t best = 0;
  for (size_t i = 1; i <= limit; ++i) {
    if (!starts[i]) continue;
    const bool nearer = i <= wanted || i - wanted < wanted - std::min(best, wanted);
    if (best == 0 || nearer) best = i;
    if (i >= wanted) break;
  }
  return best == 0 ? limit : best;
}

void BatchMaker::add_run(Span<const char32_t> run) {
  if (run.size() < static_cast<size_t>(options_.min_length)) {
    ++batch_.counts.too_short;
    return;
  }
  if (run.size() > capacity_) {
    capacity_ = std::max<size_t>(run.size(), 256);
    syllables_.resize(capacity_);
    starts_ = std::make_unique<bool[]>(capacity_);
  }
  annotator_->annotate(run, syllables_.data(), starts_.get());
  if (run.size() > static_cast<size_t>(options_.max_length)) ++batch_.counts.cut_runs;
  for (size_t i = 0; i < run.size();) {
    const size_t length = piece_length(run.size() - i, starts_.get() + i);
    add_clause(run.subspan(i, length), syllables_.data() + i);
    i += length;
  }
}

void BatchMaker::add_clause(Span<const char32_t> clause, const SyllableId* syllables) {
  if (clause.size() < static_cast<size_t>(options_.min_length)) {
    ++batch_.counts.too_short;
  } else if (std::find(syllables, syllables + clause.size(), text::kNoSyllable) != syllables + clause.size()) {
    ++batch_.counts.without_reading;
  } else {
    append_lines(clause, syllables);
    if (options_.with_keys) append_keys({syllables, clause.size()});
    batch_.clauses.push_back({hash_clause(clause), static_cast<uint32_t>(batch_.hanzi.size()),
                              static_cast<uint32_t>(batch_.pinyin.size()), static_cast<uint32_t>(clause.size())});
  }
}

void BatchMaker::append_lines(Span<const char32_t> clause, const SyllableId* syllables) {
  constexpr size_t kSlice = 64;
  static const std::vector<Token>& tokens = syllable_tokens();
  std::array<char, kSlice * 8 + 8> hanzi, pinyin;
  for (size_t begin = 0; begin < clause.size(); begin += kSlice) {
    char* h = hanzi.data();
    char* p = pinyin.data();
    for (size_t i = begin; i < std::min(begin + kSlice, clause.size()); ++i) {
      h = append_hanzi(clause[i], h);
      *h++ = ' ';
      const Token& token = tokens[syllables[i]];
      std::memcpy(p, token.bytes, sizeof token.bytes);
      p += token.size;
    }
    batch_.hanzi.append(hanzi.data(), static_cast<size_t>(h - hanzi.data()));
    batch_.pinyin.append(pinyin.data(), static_cast<size_t>(p - pinyin.data()));
  }
  batch_.hanzi.back() = '\n';
  batch_.pinyin.back() = '\n';
}

void BatchMaker::append_keys(Span<const SyllableId> syllables) {
  const uint64_t stream = block_number_ << 32 | batch_.clauses.size();
  for (size_t mode = 0; mode < batch_.keys.size(); ++mode) {
    std::string& line = batch_.keys[mode];
    for (const text::UnitId unit : options_.sampling.sample(syllables, mode, stream)) {
      line += text::unit_token(unit);
      line.push_back(' ');
    }
    line.back() = '\n';
    batch_.key_ends[mode].push_back(static_cast<uint32_t>(line.size()));
  }
}

std::vector<SyllableId> parse_pinyin_line(std::string_view line) {
  std::vector<SyllableId> syllables;
  for (size_t i = 0; i < line.size();) {
    const size_t end = std::min(line.find_first_of(" \n", i), line.size());
    syllables.push_back(text::find_syllable(line.substr(i, end - i)));
    i = end + 1;
  }
  return syllables;
}

}  // namespace litenat::data
